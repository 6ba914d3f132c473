"""saslauthd's protocol with who speaks it: testsaslauthd, and libsasl2 in a Postfix of type cyrus."""
import bed
from clients import plain, smtp_auth
from outcomes import go_through
from peer_tools import Tools

USER = "ann@example.org"


class Saslauthd(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.mux = self.bed.postfix_home / "queue/sasl/mux"
        with open(self.bed.adapter_toml, "a") as toml:
            toml.write(f'[[listen]]\nprotocol = "saslauthd"\npath = "{self.mux}"\nmode = "0666"\n')
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.password = self.bed.add_user(USER)

    def test_testsaslauthd(self):
        tools = Tools(bed.arguments.peers)
        self.addCleanup(tools.close)

        def say(*credentials):
            return tools.testsaslauthd(self.mux, *credentials)
        self.assertEqual(say(USER, self.password), 'OK "Success."')
        self.assertEqual(say("ann", self.password, "example.org"), 'OK "Success."')
        self.assertEqual(say("ann", self.password, "example.net"), 'NO "authentication failed"')
        self.assertEqual(say(USER, self.bed.secret()), 'NO "authentication failed"')
        self.assertEqual(say("nobody@example.org", self.password), 'NO "authentication failed"')

        def outcome(user, password):
            # What it says of a hang-up depends on when that came.
            said = say(user, password)
            return said if said.startswith(("OK", "NO")) else "neither"
        go_through(("testsaslauthd", "PLAIN"), self.bed, outcome, USER, self.password,
                   'OK "Success."', 'NO "authentication failed"', "neither")

    def test_postfix_of_type_cyrus(self):
        # Debian's Postfix looks here, whatever cyrus_sasl_config_path says.
        folder = self.bed.postfix_home / "etc/sasl"
        folder.mkdir(parents=True)
        (folder / "smtpd.conf").write_text(
            f"pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: {self.mux}\n")
        self.bed.start_postfix(settings=("smtpd_sasl_type = cyrus", "smtpd_sasl_path = smtpd"))

        def code(user, password):
            return smtp_auth(self.bed.port, "PLAIN " + plain(user, password))
        go_through(("Postfix, type cyrus", "PLAIN"), self.bed, code, USER, self.password, 235, 535, 454)


if __name__ == "__main__":
    bed.main()
