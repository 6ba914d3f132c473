"""One login at a time through Postfix: every mechanism, every way to get it wrong."""
import smtplib
import subprocess
import unittest

import bed
import clients
from clients import Smtp, b64, plain, smtp_auth, smtp_scram


class Logins(bed.SharedBed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = "ann@example.org"
        cls.password = cls.bed.add_user(cls.user)
        cls.wrong = cls.bed.secret()
        cls.port = cls.bed.port

    # What is offered.

    def test_mechanisms_are_offered_best_first(self):
        with Smtp(self.port) as smtp:
            self.assertEqual(smtp.ehlo(), 250)
            self.assertEqual(smtp.mechanisms, ["SCRAM-SHA-256", "PLAIN", "LOGIN"])

    def test_relaying_needs_a_login(self):
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.send("MAIL FROM:<ann@example.org>")[0], 250)
            self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 554)

    # PLAIN.

    def test_plain_with_initial_response(self):
        self.assertEqual(smtp_auth(self.port, "PLAIN " + plain(self.user, self.password)), 235)

    def test_plain_without_initial_response(self):
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.send("AUTH PLAIN")[:2], (334, ""))
            self.assertEqual(smtp.send(plain(self.user, self.password))[0], 235)

    def test_plain_with_empty_initial_response_is_refused(self):
        # "=" is a message of no bytes, not the absence of one (RFC 4954 section 4).
        self.assertEqual(smtp_auth(self.port, "PLAIN ="), 535)

    def test_plain_with_wrong_password(self):
        self.assertEqual(smtp_auth(self.port, "PLAIN " + plain(self.user, self.wrong)), 535)

    def test_plain_with_unknown_user(self):
        self.assertEqual(smtp_auth(self.port, "PLAIN " + plain("nobody@example.org", self.password)),
                         535)

    def test_plain_with_empty_password(self):
        self.assertEqual(smtp_auth(self.port, "PLAIN " + plain(self.user, "")), 535)

    def test_plain_of_too_few_or_many_parts(self):
        for message in "", "ann", "\0ann", "\0ann\0x\0y", "\0\0x":
            with self.subTest(message=message):
                self.assertEqual(smtp_auth(self.port, "PLAIN", b64(message)), 535)

    def test_plain_with_own_name_as_authzid(self):
        self.assertEqual(
            smtp_auth(self.port, "PLAIN " + plain(self.user, self.password, self.user)), 235)

    def test_plain_with_another_name_as_authzid_is_refused(self):
        self.bed.add_user("zoe@example.org")
        for authzid in "zoe@example.org", "nobody@example.org":
            with self.subTest(authzid=authzid):
                self.assertEqual(
                    smtp_auth(self.port, "PLAIN " + plain(self.user, self.password, authzid)), 535)

    def test_names_are_the_same_in_any_case(self):
        for name in "ANN@EXAMPLE.ORG", "Ann@Example.Org":
            with self.subTest(name=name):
                self.assertEqual(smtp_auth(self.port, "PLAIN " + plain(name, self.password)), 235)
                self.assertEqual(smtp_scram(self.port, name, self.password), 235)

    def test_passwords_are_not(self):
        self.assertEqual(smtp_auth(self.port, "PLAIN " + plain(self.user, self.password.swapcase())),
                         535)

    def test_mechanism_names_are_the_same_in_any_case(self):
        self.assertEqual(smtp_auth(self.port, "plain " + plain(self.user, self.password)), 235)

    # LOGIN.

    def test_login_prompts_are_the_usual_ones(self):
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.send("AUTH LOGIN")[:2], (334, "VXNlcm5hbWU6"))
            self.assertEqual(smtp.send(b64(self.user))[:2], (334, "UGFzc3dvcmQ6"))
            self.assertEqual(smtp.send(b64(self.password))[0], 235)

    def test_login_with_user_as_initial_response(self):
        self.assertEqual(smtp_auth(self.port, "LOGIN " + b64(self.user), b64(self.password)), 235)

    def test_login_with_wrong_password(self):
        self.assertEqual(smtp_auth(self.port, "LOGIN", b64(self.user), b64(self.wrong)), 535)

    def test_login_with_unknown_user(self):
        self.assertEqual(smtp_auth(self.port, "LOGIN", b64("nobody@example.org"), b64(self.wrong)),
                         535)

    # SCRAM-SHA-256.

    def test_scram_without_initial_response(self):
        self.assertEqual(smtp_scram(self.port, self.user, self.password), 235)

    def test_scram_with_initial_response(self):
        self.assertEqual(smtp_scram(self.port, self.user, self.password, initial_response=True), 235)

    def test_scram_with_empty_initial_response_is_refused(self):
        self.assertEqual(smtp_auth(self.port, "SCRAM-SHA-256 ="), 535)

    def test_scram_with_wrong_password(self):
        self.assertEqual(smtp_scram(self.port, self.user, self.wrong), 535)

    def test_scram_with_unknown_user_fails_at_the_proof_only(self):
        self.assertEqual(smtp_scram(self.port, "nobody@example.org", self.password), 535)

    def test_scram_with_own_name_as_authzid(self):
        self.assertEqual(smtp_scram(self.port, self.user, self.password, authzid=self.user), 235)

    def test_scram_with_another_name_as_authzid_is_refused(self):
        self.assertEqual(
            smtp_scram(self.port, self.user, self.password, authzid="root@example.org"), 535)

    def test_scram_proof_is_good_for_its_own_exchange_only(self):
        scram = clients.Scram(self.user, self.password)
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
            proof = scram.final(challenge)
            self.assertEqual(smtp.send("*")[0], 501)
            self.assertEqual(smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[0], 334)
            self.assertEqual(smtp.send(proof)[0], 535)

    # What is no exchange at all.

    def test_cancelled_exchange(self):
        with Smtp(self.port) as smtp:
            for mechanism in "PLAIN", "LOGIN", "SCRAM-SHA-256":
                with self.subTest(mechanism=mechanism):
                    self.assertEqual(smtp.auth(mechanism, "*"), 501)
            scram = clients.Scram(self.user, self.password)
            self.assertEqual(smtp.auth("SCRAM-SHA-256 " + scram.first(), "*"), 501)
            # The session goes on.
            self.assertEqual(smtp.auth("PLAIN " + plain(self.user, self.password)), 235)

    def test_bad_base64(self):
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            for mechanism in "PLAIN", "LOGIN", "SCRAM-SHA-256":
                for junk in "!!!", "YW", "YW5u=", "YQ==YQ==", "YR==":
                    with self.subTest(mechanism=mechanism, junk=junk):
                        self.assertEqual(smtp.auth(mechanism, junk), 535)
                        self.assertEqual(smtp.auth(f"{mechanism} {junk}"), 535)
            self.assertEqual(smtp.auth("PLAIN " + plain(self.user, self.password)), 235)

    def test_mechanism_that_is_not_offered(self):
        self.assertEqual(smtp_auth(self.port, "CRAM-MD5"), 535)

    def test_second_login_in_a_session_is_refused(self):
        with Smtp(self.port) as smtp:
            self.assertEqual(smtp.auth("PLAIN " + plain(self.user, self.password)), 235)
            self.assertEqual(smtp.auth("PLAIN " + plain(self.user, self.password)), 503)

    # Clients that people use.

    def test_swaks(self):
        for mechanism in "PLAIN", "LOGIN":
            with self.subTest(mechanism=mechanism):
                self.assertEqual(clients.swaks(self.port, mechanism, self.user, self.password),
                                 (235, True))
                self.assertEqual(clients.swaks(self.port, mechanism, self.user, self.wrong),
                                 (535, False))

    def test_gsasl(self):
        for mechanism in "SCRAM-SHA-256", "PLAIN", "LOGIN":
            with self.subTest(mechanism=mechanism):
                self.assertEqual(clients.gsasl(self.port, mechanism, self.user, self.password), 235)
                self.assertEqual(clients.gsasl(self.port, mechanism, self.user, self.wrong), 535)
                self.assertEqual(
                    clients.gsasl(self.port, mechanism, "nobody@example.org", self.password), 535)

    def test_smtplib(self):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=clients.PATIENCE) as smtp:
            self.assertEqual(smtp.login(self.user, self.password)[0], 235)
            self.assertEqual(smtp.sendmail("ann@example.org", "bob@example.net", "Subject: a\n\nb\n"), {})
        with smtplib.SMTP("127.0.0.1", self.port, timeout=clients.PATIENCE) as smtp:
            with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
                smtp.login(self.user, self.wrong)
            self.assertEqual(refused.exception.smtp_code, 535)

    def test_saslctl_auth_test(self):
        for mechanism in "PLAIN", "LOGIN", "SCRAM-SHA-256":
            for password, status in (self.password, 0), (self.wrong, 4):
                with self.subTest(mechanism=mechanism, status=status):
                    done = self.bed.ctl("auth", "test", self.user, "--mechanism", mechanism,
                                        "--password-stdin", password=password)
                    self.assertEqual(done.returncode, status, done.stderr)


class ChrootedPostfix(bed.SharedBed):
    """As Debian runs smtpd."""
    POSTFIX = {"chroot": "y"}

    def test_logins(self):
        password = self.bed.add_user("ann@example.org")
        port = self.bed.port
        self.assertEqual(smtp_auth(port, "PLAIN " + plain("ann@example.org", password)), 235)
        self.assertEqual(smtp_scram(port, "ann@example.org", password), 235)
        self.assertEqual(smtp_auth(port, "PLAIN " + plain("ann@example.org", "no")), 535)


class NonAsciiPasswords(bed.SharedBed):
    def test_password_is_prepared(self):
        # RFC 4013 section 3: U+2168 is "IX", U+00AD is nothing.
        ascii_form = self.bed.secret() + "IX"
        other_form = ascii_form.replace("IX", "\u2168\u00ad")
        self.bed.must("user", "add", "ann@example.org", "--password-stdin", password=other_form)
        for password in ascii_form, other_form:
            self.assertEqual(
                smtp_auth(self.bed.port, "PLAIN " + plain("ann@example.org", password)), 235)
        self.assertEqual(smtp_scram(self.bed.port, "ann@example.org", ascii_form), 235)
        self.assertEqual(
            clients.gsasl(self.bed.port, "SCRAM-SHA-256", "ann@example.org", other_form), 235)


if __name__ == "__main__":
    bed.main()
