"""What an administrator changes is true for the next login."""
import json

import bed
import clients
from clients import Smtp, plain, smtp_auth, smtp_scram


class Accounts(bed.SharedBed):
    def codes(self, user, password):
        port = self.bed.port
        return (smtp_auth(port, "PLAIN " + plain(user, password)), smtp_scram(port, user, password))

    def test_disabled_user_is_refused_until_enabled(self):
        password = self.bed.add_user("dis@example.org")
        self.assertEqual(self.codes("dis@example.org", password), (235, 235))
        self.bed.must("user", "disable", "dis@example.org")
        self.assertEqual(self.codes("dis@example.org", password), (535, 535))
        self.bed.must("user", "enable", "dis@example.org")
        self.assertEqual(self.codes("dis@example.org", password), (235, 235))

    def test_changed_password_takes_the_old_ones_place_at_once(self):
        old = self.bed.add_user("chg@example.org")
        self.assertEqual(self.codes("chg@example.org", old), (235, 235))
        new = self.bed.secret()
        self.bed.must("user", "passwd", "chg@example.org", "--password-stdin", password=new)
        self.assertEqual(self.codes("chg@example.org", old), (535, 535))
        self.assertEqual(self.codes("chg@example.org", new), (235, 235))

    def test_password_changed_between_two_steps_of_scram_fails_the_exchange(self):
        old = self.bed.add_user("mid@example.org")
        scram = clients.Scram("mid@example.org", old)
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
            self.bed.must("user", "passwd", "mid@example.org", "--password-stdin",
                          password=self.bed.secret())
            self.assertEqual(smtp.send(scram.final(challenge))[0], 535)

    def test_deleted_user_is_refused_also_when_made_again(self):
        password = self.bed.add_user("del@example.org")
        self.bed.must("user", "delete", "del@example.org", "--yes")
        self.assertEqual(self.codes("del@example.org", password), (535, 535))
        again = self.bed.add_user("del@example.org")
        self.assertEqual(self.codes("del@example.org", password), (535, 535))
        self.assertEqual(self.codes("del@example.org", again), (235, 235))

    def test_generated_password_logs_in(self):
        password = self.bed.must("user", "add", "gen@example.org", "--generate").strip()
        self.bed.secrets.add(password)
        self.assertGreaterEqual(len(password), 16)
        self.assertEqual(self.codes("gen@example.org", password), (235, 235))

    def test_list_and_show_tell_no_secret(self):
        password = self.bed.add_user("shw@example.org")
        shown = self.bed.must("-o", "json", "user", "show", "shw@example.org")
        self.assertEqual(json.loads(shown)["name"], "shw@example.org")
        for text in shown, self.bed.must("user", "list"), self.bed.must("-o", "json", "user", "list"):
            self.assertIn("shw@example.org", text)
            self.assertFalse(self.bed.secrets.found_in(text.encode()))
            self.assertNotIn("argon2", text.replace("argon2id\"", ""))
        self.assertNotIn(password, shown)

    def test_senders(self):
        self.bed.add_user("snd@example.org")
        self.bed.must("user", "set", "snd@example.org", "--sender", "Sales@Example.net,@example.com")
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "snd@example.org"))
        self.assertEqual(shown["senders"], ["sales@example.net", "@example.com"])
        for address, by in (("snd+list@example.org", "snd@example.org"),
                            ("SALES@example.net", "sales@example.net"),
                            ("anybody@example.com", "@example.com")):
            told = self.bed.must("-o", "json", "user", "may-send", "snd@example.org", address)
            self.assertEqual(json.loads(told)["by"], by)
        self.assertEqual(
            self.bed.ctl("user", "may-send", "snd@example.org", "ben@example.net").returncode, 4)
        refused = self.bed.ctl("user", "set", "snd@example.org", "--sender", "sales")
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn('senders: "sales" is neither an address', refused.stderr)

    def test_attributes(self):
        self.bed.add_user("atr@example.org")
        self.bed.must("user", "set", "atr@example.org", "--attribute", "home=/srv/mail/atr",
                      "--attribute", "uid=5000")
        self.bed.must("user", "set", "atr@example.org", "--no-attribute", "uid",
                      "--attribute", "mail=maildir:~/m,x=y")
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "atr@example.org"))
        self.assertEqual({one["name"]: one["value"] for one in shown["effective_attributes"]},
                         {"home": "/srv/mail/atr", "mail": "maildir:~/m,x=y"})

    def test_exit_statuses(self):
        self.bed.add_user("one@example.org")
        for command, password, status in (
                (("user", "show", "none@example.org"), None, 3),
                (("user", "disable", "none@example.org"), None, 3),
                (("user", "add", "one@example.org", "--password-stdin"), self.bed.secret(), 5),
                (("user", "show"), None, 2),
                (("user", "frobnicate"), None, 2)):
            with self.subTest(command=command):
                done = self.bed.ctl(*command, password=password)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual(done.stdout, "", "stdout is for data")
                self.assertNotEqual(done.stderr, "")
        refused = self.bed.ctl("auth", "test", "one@example.org", "--password-stdin",
                               password=self.bed.secret())
        self.assertEqual(refused.returncode, 4, refused.stderr)


class NoServer(bed.OwnBed):
    def test_saslctl_says_unavailable(self):
        done = self.bed.ctl("user", "list")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn(str(self.bed.admin_socket), done.stderr)


if __name__ == "__main__":
    bed.main()
