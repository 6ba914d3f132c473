"""OpenLDAP's slapd with the files of deploy/openldap: simple binds by saslauthd's protocol, SASL binds by the
plug-in."""
import bed
import libsasl2_ends
from outcomes import go_through
from slapd_peer import SUFFIX, Slapd

USER = "ann@example.org"
ANN = f"cn=ann,{SUFFIX}"
# RFC 4511 appendix A
INVALID_CREDENTIALS, UNAVAILABLE = 49, 52


class OpenLdap(bed.OwnBed):
    def setUp(self):
        super().setUp()
        places = {"/run/sasld-adapter/ldap.sock": self.bed.folder / "ldap.sock",
                  "/run/sasld-adapter/ldap-mux": self.bed.folder / "mux"}
        self.bed.use_sample("deploy/openldap/adapter.toml", places)
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.password = self.bed.add_user(USER)
        sample = (bed.CHECKOUT / "deploy/openldap/slapd.conf").read_text()
        for old, new in places.items():
            assert old in sample
            sample = sample.replace(old, str(new))
        self.slapd = Slapd(self.bed, sample, libsasl2_ends.plugins(), {
            "ann": "{SASL}" + USER, "nobody": "{SASL}nobody@example.org"})
        self.addCleanup(self.slapd.close)

    def simple(self, user, password):
        return self.slapd.simple(user.partition("@")[0], password)

    def scram(self, user, password):
        return self.slapd.sasl("SCRAM-SHA-256", user, password)

    def test_simple_bind(self):
        self.assertEqual(self.simple(USER, self.password), ANN)
        self.assertEqual(self.simple(USER, self.bed.secret()), INVALID_CREDENTIALS)
        self.assertEqual(self.simple("nobody@example.org", self.password), INVALID_CREDENTIALS)
        self.bed.must("user", "disable", USER)
        self.assertEqual(self.simple(USER, self.password), INVALID_CREDENTIALS)
        self.bed.must("user", "enable", USER)
        self.bed.stop_sasld()
        # slapd has one word for whatever saslauthd says but yes. Its log knows more.
        self.assertEqual(self.simple(USER, self.password), INVALID_CREDENTIALS)
        self.assertIn("Failure: size read failed", self.bed.log("slapd"))
        self.bed.start_sasld()
        bed.wait_until("sasld is back", lambda: self.simple(USER, self.password) == ANN)

    def test_external_stays_with_libsasl2(self):
        self.assertRegex(str(self.slapd.external()), "^gidNumber=.*,cn=peercred,cn=external,cn=auth$")

    def test_sasl_bind(self):
        go_through(("OpenLDAP, SASL bind", "SCRAM-SHA-256"), self.bed, self.scram, USER, self.password,
                   right=ANN, wrong=INVALID_CREDENTIALS, temporary=UNAVAILABLE)
        self.bed.stop_adapter()
        self.assertEqual(self.scram(USER, self.password), UNAVAILABLE)
        self.bed.start_adapter()
        self.assertEqual(self.scram(USER, self.password), ANN)
        self.assertIn('mechanism=SCRAM-SHA-256 user="ann@example.org" service=ldap remote_ip=127.0.0.1',
                      self.bed.log("sasld"))


if __name__ == "__main__":
    bed.main()
