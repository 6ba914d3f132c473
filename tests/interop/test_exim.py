"""Exim with the files of deploy/exim, its driver dovecot on the adapter's socket."""
import bed
import exim_peer
from certificates import Certificates
from clients import Smtp, b64, plain, scram_within
from outcomes import go_through

USER = "ann@example.org"


class Exim(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        self.bed.use_sample("deploy/exim/adapter.toml", {
            "/run/sasld-adapter/exim.sock": self.bed.folder / "exim.sock",
            "0600": "0666"})  # Exim is uucp here
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.port = exim_peer.start(self.bed, self.certificates)
        self.password = self.bed.add_user(USER)

    def session(self):
        smtp = Smtp(self.port)
        self.addCleanup(smtp.close)
        smtp.ehlo()
        smtp.starttls(self.certificates.client_context())
        return smtp

    def goes_through(self, mechanism, answer):
        go_through(("Exim", mechanism), self.bed, answer, USER, self.password, right=235, wrong=535,
                   temporary=435)

    def test_plain(self):
        self.goes_through("PLAIN", lambda user, password: self.session().auth(
            "PLAIN " + plain(user, password)))

    def test_plain_without_an_initial_response(self):
        self.assertEqual(self.session().auth("PLAIN", plain(USER, self.password)), 235)
        self.assertEqual(self.session().auth("PLAIN", plain(USER, self.bed.secret())), 535)

    def test_login(self):
        self.goes_through(
            "LOGIN", lambda user, password: self.session().auth("LOGIN", b64(user), b64(password)))

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

    def test_the_adapter_is_away(self):
        def code():
            return self.session().auth("PLAIN " + plain(USER, self.password))
        self.bed.stop_adapter()
        self.assertEqual(code(), 435)
        self.bed.start_adapter()
        self.assertEqual(code(), 235)


if __name__ == "__main__":
    bed.main()
