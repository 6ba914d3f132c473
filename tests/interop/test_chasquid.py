"""chasquid with the files of deploy/chasquid, its Dovecot backend on the adapter's socket."""
import bed
import chasquid_peer
from certificates import Certificates
from clients import Smtp, plain
from outcomes import go_through

USER = "ann@example.org"


class Chasquid(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        self.bed.use_sample("deploy/chasquid/adapter.toml",
                            {chasquid_peer.SOCKET: self.bed.folder / "chasquid.sock"})
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.port = chasquid_peer.start(self.bed, self.certificates)
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
        go_through(self.bed, self.code, USER, self.password, right=235, wrong=535, temporary=454)

    def test_who_logged_in_may_send(self):
        smtp = self.session()
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(smtp.send("MAIL FROM:<ann@example.org>")[0], 250)
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 250)
        # Of its own domains' users it asks the userdb's socket, which the adapter has none of.
        self.assertEqual(smtp.send("RCPT TO:<ann@example.org>")[0], 451)

    def test_the_adapter_is_away(self):
        self.bed.stop_adapter()
        self.assertEqual(self.code(USER, self.password), 454)
        self.bed.start_adapter()
        self.assertEqual(self.code(USER, self.password), 235)


if __name__ == "__main__":
    bed.main()
