"""App passwords and rules of accounts, through a real Postfix."""
import json
import re

import bed
import clients
from clients import plain, smtp_auth, smtp_scram


class AppPasswords(bed.SharedBed):
    def add(self, user, *options):
        """A new app password of the user: its id and its text."""
        added = json.loads(self.bed.must("-o", "json", "app-password", "add", user, "--label",
                                         "phone", *options))
        for form in added["password"], added["password"].replace("-", ""):
            self.bed.secrets.add(form)
        return added["id"], added["password"]

    def codes(self, user, password):
        port = self.bed.port
        return (smtp_auth(port, "PLAIN " + plain(user, password)),
                clients.gsasl(port, "SCRAM-SHA-256", user, password))

    def listed(self, user):
        return {one["id"]: one for one in
                json.loads(self.bed.must("-o", "json", "app-password", "list", user))}

    def test_lets_in_by_plain_login_and_scram_beside_the_password(self):
        own = self.bed.add_user("ann@example.org")
        phone, laptop = (self.add("ann@example.org")[1] for _ in range(2))
        for password in phone, laptop, own:
            self.assertEqual(self.codes("ann@example.org", password), (235, 235))
        port = self.bed.port
        typed = phone.replace("-", " ").upper()
        self.assertEqual(smtp_auth(port, "PLAIN " + plain("ann@example.org", typed)), 235)
        self.assertEqual(smtp_auth(port, "LOGIN", clients.b64("ann@example.org"),
                                   clients.b64(phone)), 235)

    def test_survives_a_change_of_the_password(self):
        self.bed.add_user("sur@example.org")
        phone = self.add("sur@example.org")[1]
        new = self.bed.secret()
        self.bed.must("user", "passwd", "sur@example.org", "--password-stdin", password=new)
        for password in phone, new:
            self.assertEqual(self.codes("sur@example.org", password), (235, 235))

    def test_revoked_one_is_refused_at_the_next_attempt(self):
        own = self.bed.add_user("rev@example.org")
        number, phone = self.add("rev@example.org")
        laptop = self.add("rev@example.org")[1]
        self.assertEqual(self.codes("rev@example.org", phone), (235, 235))
        self.bed.must("app-password", "revoke", "rev@example.org", number)
        self.assertEqual(self.codes("rev@example.org", phone), (535, 535))
        for password in laptop, own:
            self.assertEqual(self.codes("rev@example.org", password), (235, 235))
        self.assertNotIn(number, self.listed("rev@example.org"))
        self.assertEqual(self.bed.ctl("app-password", "revoke", "rev@example.org",
                                      number).returncode, 3)

    def test_added_in_the_middle_of_an_exchange_does_not_fail_it(self):
        own = self.bed.add_user("mid@example.org")
        scram = clients.Scram("mid@example.org", own)
        with clients.Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
            self.add("mid@example.org")
            code, last, _ = smtp.send(scram.final(challenge))
            self.assertEqual(code, 334)
            self.assertTrue(scram.server_is_right(last))
            self.assertEqual(smtp.send("")[0], 235)

    def test_wrong_service_network_and_mechanism_are_refused_as_a_wrong_password(self):
        self.bed.add_user("lim@example.org")
        for options, codes in ((("--service", "imap"), (535, 535)),
                               (("--service", "imap", "--service", "submission"), (235, 235)),
                               (("--network", "192.0.2.0/24"), (535, 535)),
                               (("--network", "127.0.0.0/8"), (235, 235)),
                               (("--mechanism", "SCRAM-SHA-256"), (535, 235))):
            with self.subTest(options):
                password = self.add("lim@example.org", *options)[1]
                self.assertEqual(self.codes("lim@example.org", password), codes)
        for reason in "service-not-allowed", "network-not-allowed", "mechanism-not-allowed":
            self.assertRegex(self.bed.log("sasld"),
                             f'reason={reason} .*user="lim@example.org" .* credential=app:')

    def test_required_app_password_refuses_the_users_own(self):
        own = self.bed.add_user("req@example.org")
        other = self.bed.add_user("oth@example.org")
        phone = self.add("req@example.org")[1]
        self.bed.must("user", "set", "req@example.org", "--require-app-password=yes")
        self.assertEqual(self.codes("req@example.org", own), (535, 535))
        self.assertEqual(self.codes("req@example.org", phone), (235, 235))
        self.assertEqual(self.codes("oth@example.org", other), (235, 235))
        self.assertRegex(self.bed.log("sasld"), "reason=app-password-required .* credential=main")
        self.bed.must("user", "set", "req@example.org", "--require-app-password=no")
        self.assertEqual(self.codes("req@example.org", own), (235, 235))

    def test_rules_of_the_account(self):
        own = self.bed.add_user("rul@example.org")
        for on, off in (("--must-change=yes", "--must-change=no"), ("--service=imap", "--any-service"),
                        ("--network=192.0.2.0/24", "--any-network")):
            with self.subTest(on):
                self.bed.must("user", "set", "rul@example.org", on)
                self.assertEqual(self.codes("rul@example.org", own), (535, 535))
                self.bed.must("user", "set", "rul@example.org", off)
                self.assertEqual(self.codes("rul@example.org", own), (235, 235))
        # Postfix is where mail is sent.
        self.bed.must("user", "set", "rul@example.org", "--send-only=yes")
        self.assertEqual(self.codes("rul@example.org", own), (235, 235))
        imap = self.bed.ctl("auth", "test", "rul@example.org", "--service", "imap",
                            "--password-stdin", password=own)
        self.assertEqual(imap.returncode, 4, imap.stderr)

    def test_last_use_appears_within_seconds(self):
        own = self.bed.add_user("use@example.org")
        number, phone = self.add("use@example.org")
        self.assertIsNone(self.listed("use@example.org")[number]["last_use"])
        self.assertEqual(smtp_scram(self.bed.port, "use@example.org", phone), 235)
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain("use@example.org", own)), 235)
        last = bed.wait_until("a last use is shown",
                              lambda: self.listed("use@example.org")[number]["last_use"], 10)
        self.assertEqual((last["address"], last["mechanism"]), ("127.0.0.1", "SCRAM-SHA-256"))
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "use@example.org"))
        self.assertEqual(shown["last_use"]["mechanism"], "PLAIN")
        self.assertRegex(self.bed.must("app-password", "list", "use@example.org"),
                         r"phone .* from 127\.0\.0\.1 by SCRAM-SHA-256")

    def test_alias_logs_in_by_the_accounts_own_name(self):
        own = self.bed.add_user("real@example.org")
        phone = self.add("real@example.org")[1]
        self.bed.must("user", "set", "real@example.org", "--alias", "Alias@example.org")
        for password in own, phone:
            self.assertEqual(self.codes("alias@example.org", password), (235, 235))
            # Postfix tells who it was with the message, so one is begun.
            with clients.Smtp(self.bed.port) as smtp:
                self.assertEqual(smtp.auth("PLAIN " + plain("alias@example.org", password)), 235)
                self.assertEqual(smtp.send("MAIL FROM:<ann@example.org>")[0], 250)
                self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 250)
        wanted = re.compile("sasl_username=real@example.org")
        bed.wait_until("Postfix's log has the account's own name",
                       lambda: wanted.search(self.bed.log("postfix")))
        self.assertNotIn("sasl_username=alias@", self.bed.log("postfix"))

    def test_tells_no_secret(self):
        self.bed.add_user("tel@example.org")
        self.add("tel@example.org")
        for text in (self.bed.must("app-password", "list", "tel@example.org"),
                     self.bed.must("-o", "json", "app-password", "list", "tel@example.org"),
                     self.bed.must("user", "show", "tel@example.org")):
            self.assertFalse(self.bed.secrets.found_in(text.encode()))


class Restarted(bed.OwnBed):
    def test_last_use_is_written_when_sasld_stops(self):
        self.bed.start()
        own = self.bed.add_user("ann@example.org")
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain("ann@example.org", own)), 235)
        self.bed.stop_sasld()
        self.bed.start_sasld()
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "ann@example.org"))
        self.assertEqual(shown["last_use"]["address"], "127.0.0.1")


if __name__ == "__main__":
    bed.main()
