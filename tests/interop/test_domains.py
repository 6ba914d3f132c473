"""What a domain demands and gives holds for the next login of its users, through a real Postfix."""
import json

import bed
import clients
from clients import Smtp, plain, smtp_auth, smtp_scram


class Domains(bed.SharedBed):
    def codes(self, user, password):
        port = self.bed.port
        return (smtp_auth(port, "PLAIN " + plain(user, password)), smtp_scram(port, user, password))

    def test_disabled_domain_refuses_its_users_and_no_others(self):
        password = self.bed.add_user("ann@off.example")
        other = self.bed.add_user("ann@on.example")
        self.assertEqual(self.codes("ann@off.example", password), (235, 235))
        self.bed.must("domain", "set", "OFF.example", "--disable")
        self.assertEqual(self.codes("ann@off.example", password), (535, 535))
        self.assertEqual(self.codes("ann@on.example", other), (235, 235))
        self.assertRegex(self.bed.log("sasld"), 'reason=domain-disabled .*user="ann@off.example"')
        late = self.bed.add_user("late@off.example")
        self.assertEqual(self.codes("late@off.example", late), (535, 535))
        self.bed.must("domain", "set", "off.example", "--enable")
        for user, own in ("ann@off.example", password), ("late@off.example", late):
            self.assertEqual(self.codes(user, own), (235, 235))

    def test_domain_disabled_between_two_steps_of_scram_fails_the_exchange(self):
        password = self.bed.add_user("ann@mid.example")
        scram = clients.Scram("ann@mid.example", password)
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
            self.bed.must("domain", "set", "mid.example", "--disable")
            self.assertEqual(smtp.send(scram.final(challenge))[0], 535)

    def test_required_app_password_is_the_only_one(self):
        own = self.bed.add_user("ann@app.example")
        phone = json.loads(self.bed.must("-o", "json", "app-password", "add", "ann@app.example",
                                         "--label", "phone"))["password"]
        self.bed.secrets.add(phone)
        self.bed.must("domain", "set", "app.example", "--require-app-password=yes")
        self.assertEqual(self.codes("ann@app.example", own), (535, 535))
        self.assertEqual(self.codes("ann@app.example", phone), (235, 235))
        # The user cannot go without.
        self.bed.must("user", "set", "ann@app.example", "--require-app-password=no")
        self.assertEqual(self.codes("ann@app.example", own), (535, 535))
        self.bed.must("domain", "delete", "app.example", "--yes")
        self.assertEqual(self.codes("ann@app.example", own), (235, 235))

    def test_lists_hold_for_users_that_have_none_of_their_own(self):
        own = self.bed.add_user("ann@list.example")
        self.bed.must("domain", "set", "list.example", "--service", "imap")
        self.assertEqual(self.codes("ann@list.example", own), (535, 535))
        self.bed.must("user", "set", "ann@list.example", "--service", "smtp")
        self.assertEqual(self.codes("ann@list.example", own), (235, 235))

    def test_attributes_are_shown_for_a_user(self):
        self.bed.add_user("ann@attr.example")
        self.bed.must("domain", "set", "attr.example", "--attribute", "home=/srv/%d/%n",
                      "--attribute", "share=100%%")
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "ann@attr.example"))
        self.assertEqual({one["name"]: one["value"] for one in shown["effective_attributes"]},
                         {"home": "/srv/attr.example/ann", "share": "100%"})
        refused = self.bed.ctl("domain", "set", "attr.example", "--attribute", "home=%h")
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn('"%h"', refused.stderr)
        self.assertIn("domain attr.example", refused.stderr)


class Restarted(bed.OwnBed):
    def test_domains_and_their_keys_outlive_a_restart_and_a_change_of_keys(self):
        self.bed.start()
        own = self.bed.add_user("ann@example.org")
        self.bed.must("domain", "set", "example.org", "--disable", "--attribute", "uid=500")
        old = json.loads(self.bed.must("-o", "json", "key", "list"))["keys"][0]["id"]
        self.bed.must("key", "rotate")
        self.bed.must("key", "retire", str(old), "--yes")
        self.bed.stop_sasld()
        self.bed.start_sasld()
        shown = json.loads(self.bed.must("-o", "json", "domain", "show", "example.org"))
        self.assertEqual((shown["enabled"], shown["attributes"]), (False, {"uid": "500"}))
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain("ann@example.org", own)), 535)


if __name__ == "__main__":
    bed.main()
