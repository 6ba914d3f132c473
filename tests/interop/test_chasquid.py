"""chasquid with the files of deploy/chasquid, its Dovecot backend on the adapter's socket."""
import bed
import chasquid_peer
from certificates import Certificates
from clients import Smtp, plain
from outcomes import go_through

USER = "ann@example.org"


class Chasquid(bed.OwnBed):
    OPTIONS = {"extra_policy": "account_lookups = true"}

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        userdb = self.bed.folder / "userdb.sock"
        self.bed.use_sample("deploy/chasquid/adapter.toml",
                            {chasquid_peer.SOCKET: self.bed.folder / "chasquid.sock",
                             chasquid_peer.USERDB: userdb})
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.port, self.plain_port = chasquid_peer.start(self.bed, self.certificates, userdb)
        self.password = self.bed.add_user(USER)

    def session(self):
        smtp = Smtp(self.port, self.certificates.client_context())
        self.addCleanup(smtp.close)
        smtp.ehlo()
        return smtp

    def code(self, user, password):
        return self.session().auth("PLAIN " + plain(user, password))

    def test_plain(self):
        self.assertEqual(self.session().mechanisms, ["PLAIN"])
        go_through(("chasquid", "PLAIN"), self.bed, self.code, USER, self.password, right=235, wrong=535, temporary=454)

    def test_who_logged_in_may_send(self):
        smtp = self.session()
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(smtp.send("MAIL FROM:<ann@example.org>")[0], 250)
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 250)

    def test_mail_for_its_own_domains(self):
        def recipient(address):
            # A session each, as it hangs up on who is refused often.
            smtp = Smtp(self.plain_port)
            self.addCleanup(smtp.close)
            smtp.ehlo()
            smtp.send("MAIL FROM:<bob@example.net>")
            return smtp.send(f"RCPT TO:<{address}>")[0]
        self.assertEqual(recipient(USER), 250)
        self.assertEqual(recipient("nobody@example.org"), 550)
        self.bed.stop_sasld()
        self.assertEqual(recipient(USER), 451)
        self.assertEqual(recipient("nobody@example.org"), 451)
        self.bed.start_sasld()
        bed.wait_until("sasld is back", lambda: recipient(USER) == 250)

    def test_the_adapter_is_away(self):
        self.bed.stop_adapter()
        self.assertEqual(self.code(USER, self.password), 454)
        self.bed.start_adapter()
        self.assertEqual(self.code(USER, self.password), 235)


if __name__ == "__main__":
    bed.main()
