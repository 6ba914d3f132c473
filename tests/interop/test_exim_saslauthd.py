"""Exim with its condition saslauthd, by the files of deploy/exim for it."""
import bed
import exim_peer
from certificates import Certificates
from clients import Smtp, b64, plain
from outcomes import go_through

USER = "ann@example.org"


class EximSaslauthd(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        mux = self.bed.folder / "saslauthd/mux"
        mux.parent.mkdir()
        self.bed.use_sample("deploy/exim/adapter-saslauthd.toml", {
            "/run/saslauthd/mux": mux, "0600": "0666"})  # Exim is uucp here
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
        go_through(("Exim, saslauthd", mechanism), self.bed, answer, USER, self.password, right=235, wrong=535,
                   temporary=435)

    def test_plain(self):
        self.goes_through("PLAIN", lambda user, password: self.session().auth(
            "PLAIN " + plain(user, password)))

    def test_login(self):
        self.goes_through(
            "LOGIN", lambda user, password: self.session().auth("LOGIN", b64(user), b64(password)))

    def test_any_password_reaches_sasld_as_it_is(self):
        for password in "a} {$auth1", "back\\slash \\n", "${run{/bin/false}}", "colon: ; \"quoted\"":
            self.bed.must("user", "passwd", USER, "--password-stdin", password=password)
            self.assertEqual(self.session().auth("PLAIN " + plain(USER, password)), 235, password)
            self.assertEqual(self.session().auth("LOGIN", b64(USER), b64(password)), 235, password)

    def test_the_adapter_is_away(self):
        def code():
            return self.session().auth("PLAIN " + plain(USER, self.password))
        self.bed.stop_adapter()
        self.assertEqual(code(), 435)
        self.bed.start_adapter()
        self.assertEqual(code(), 235)


if __name__ == "__main__":
    bed.main()
