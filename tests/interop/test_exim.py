"""Exim with the files of deploy/exim: its driver dovecot, and its condition saslauthd."""
import bed
import exim_peer
from certificates import Certificates
from clients import Smtp, b64, plain, scram_within
from outcomes import go_through

USER = "ann@example.org"


class Logins:
    """What both ways have in common. `row`: the server's name in matrix.py."""

    def start(self, sample, socket_in_it, socket, mux=None):
        self.certificates = Certificates(self.bed.folder / "certificates")
        self.bed.use_sample(sample, {socket_in_it: socket, "0600": "0666"})  # Exim is uucp here
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.port = exim_peer.start(self.bed, self.certificates, mux)
        self.password = self.bed.add_user(USER)

    def session(self):
        smtp = Smtp(self.port)
        self.addCleanup(smtp.close)
        smtp.ehlo()
        smtp.starttls(self.certificates.client_context())
        return smtp

    def goes_through(self, mechanism, answer):
        go_through((self.row, mechanism), self.bed, answer, USER, self.password, right=235, wrong=535,
                   temporary=435)

    def test_plain(self):
        self.goes_through("PLAIN", lambda user, password: self.session().auth(
            "PLAIN " + plain(user, password)))

    def test_login(self):
        self.goes_through(
            "LOGIN", lambda user, password: self.session().auth("LOGIN", b64(user), b64(password)))

    def test_the_adapter_is_away(self):
        def code():
            return self.session().auth("PLAIN " + plain(USER, self.password))
        self.bed.stop_adapter()
        self.assertEqual(code(), 435)
        self.bed.start_adapter()
        self.assertEqual(code(), 235)


class DriverDovecot(Logins, bed.OwnBed):
    row = "Exim"

    def setUp(self):
        super().setUp()
        self.start("deploy/exim/adapter.toml", "/run/sasld-adapter/exim.sock", self.bed.folder / "exim.sock")

    def test_plain_without_an_initial_response(self):
        self.assertEqual(self.session().auth("PLAIN", plain(USER, self.password)), 235)
        self.assertEqual(self.session().auth("PLAIN", plain(USER, self.bed.secret())), 535)

    def test_scram(self):
        self.goes_through("SCRAM-SHA-256",
                          lambda user, password: scram_within(self.session(), user, password))

    def test_scram_with_an_initial_response(self):
        self.assertEqual(scram_within(self.session(), USER, self.password, initial_response=True), 235)

    def test_only_tls_has_logins(self):
        with Smtp(self.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.mechanisms, [])
            smtp.starttls(self.certificates.client_context())
            self.assertEqual(set(smtp.mechanisms), {"PLAIN", "LOGIN", "SCRAM-SHA-256"})

    def test_who_logged_in_may_send(self):
        smtp = self.session()
        smtp.send("MAIL FROM:<ann@example.org>")
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 550)
        smtp.send("RSET")
        self.assertEqual(smtp.auth("PLAIN " + plain(USER.upper(), self.password)), 235)
        smtp.send("MAIL FROM:<ann@example.org>")
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 250)

    def test_a_login_may_be_tried_again(self):
        smtp = self.session()
        self.assertEqual(smtp.auth("LOGIN", b64(USER), "*"), 501)
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.bed.secret())), 535)
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.password)), 235)


class ConditionSaslauthd(Logins, bed.OwnBed):
    row = "Exim, saslauthd"

    def setUp(self):
        super().setUp()
        mux = self.bed.folder / "saslauthd/mux"
        mux.parent.mkdir()
        self.start("deploy/exim/adapter-saslauthd.toml", "/run/saslauthd/mux", mux, mux)

    def test_any_password_reaches_sasld_as_it_is(self):
        for password in "a} {$auth1", "back\\slash \\n", "${run{/bin/false}}", "colon: ; \"quoted\"":
            self.bed.must("user", "passwd", USER, "--password-stdin", password=password)
            self.assertEqual(self.session().auth("PLAIN " + plain(USER, password)), 235, password)
            self.assertEqual(self.session().auth("LOGIN", b64(USER), b64(password)), 235, password)


if __name__ == "__main__":
    bed.main()
