"""Prosody with the files of deploy/prosody, its mod_auth_dovecot on the adapter's socket."""
import bed
import prosody_peer
from certificates import Certificates
from outcomes import go_through

USER = "ann@example.org"


class Prosody(bed.OwnBed):
    def setUp(self):
        super().setUp()
        text = self.bed.sasld_toml.read_text()
        self.bed.sasld_toml.write_text(
            text.replace("[policy]\n", '[policy]\ndefault_realm = "example.org"\n'))
        self.certificates = Certificates(self.bed.folder / "certificates")
        self.bed.use_sample("deploy/prosody/adapter.toml",
                            {prosody_peer.SOCKET: self.bed.folder / "prosody.sock"})
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.port = prosody_peer.start(self.bed, self.certificates)
        self.password = self.bed.add_user(USER)

    def session(self):
        xmpp = prosody_peer.Xmpp(self.port, self.certificates.client_context())
        self.addCleanup(xmpp.close)
        return xmpp

    def goes_through(self, mechanism, answer):
        go_through(("Prosody", mechanism), self.bed, answer, USER, self.password, right="success",
                   wrong="not-authorized", temporary="temporary-auth-failure")

    def test_plain(self):
        self.goes_through("PLAIN", lambda user, password: self.session().plain(user, password))

    def test_scram(self):
        self.goes_through("SCRAM-SHA-256", lambda user, password: self.session().scram(user, password))

    def test_mechanisms(self):
        self.assertEqual(set(self.session().mechanisms), {"PLAIN", "SCRAM-SHA-256"})

    def test_people_log_in_by_the_name_before_the_at(self):
        for mechanism in "plain", "scram":
            xmpp = self.session()
            self.assertEqual(getattr(xmpp, mechanism)("ann", self.password), "success")
            self.assertEqual(xmpp.bind(), USER)

    def test_others_of_other_domains_are_kept_out(self):
        password = self.bed.add_user("bob@example.net")
        self.assertEqual(self.session().plain("bob@example.net", password), "not-authorized")

    def test_a_login_may_be_tried_again(self):
        xmpp = self.session()
        self.assertEqual(xmpp.plain("ann", self.bed.secret()), "not-authorized")
        self.assertEqual(xmpp.scram("ann", self.bed.secret()), "not-authorized")
        self.assertEqual(xmpp.plain("ann", self.password), "success")

    def test_the_adapter_was_away(self):
        self.assertEqual(self.session().plain("ann", self.password), "success")
        self.bed.stop_adapter()
        self.bed.start_adapter()
        # Prosody notices with the first login, which fails, and connects with the next.
        self.assertEqual(self.session().plain("ann", self.password), "internal-server-error")
        self.assertEqual(self.session().plain("ann", self.password), "success")


if __name__ == "__main__":
    bed.main()
