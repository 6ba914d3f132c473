"""allow_users, allow_groups and trust of [[listen]], with a real sasld behind."""
import os
import re
import signal

import bed
import clients
from clients import AuthSocket, plain

USER = "ann@example.org"
OK = ["OK", f"user={USER}"]
REMOTE = "rip=192.0.2.7\tlip=192.0.2.1"


class Access(bed.OwnBed):
    def start(self, listen=""):
        text = self.bed.adapter_toml.read_text()
        self.bed.adapter_toml.write_text(text.replace('mode = "0666"\n', f'mode = "0666"\n{listen}'))
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.password = self.bed.add_user(USER)

    def plain(self, facts):
        with AuthSocket(self.bed.auth_socket) as connection:
            return connection.auth("PLAIN", plain(USER, self.password), facts)

    def scram(self, facts):
        scram = clients.Scram(USER, self.password)
        with AuthSocket(self.bed.auth_socket) as connection:
            challenge = connection.auth("SCRAM-SHA-256", scram.first(), facts)[1]
            self.assertTrue(scram.server_is_right(connection.cont(scram.final(challenge))[1]))
            return connection.cont("")

    def reload(self, said):
        before = self.bed.log("adapter").count(said)
        self.bed.adapter.send_signal(signal.SIGHUP)
        bed.wait_until(f"the adapter logs: {said}", lambda: self.bed.log("adapter").count(said) > before)

    def test_all_is_believed_by_default(self):
        self.start()
        self.assertEqual(self.plain(REMOTE + "\tsecured"), OK)
        self.assertEqual(self.plain("rip=127.0.0.1"), OK)
        self.assertEqual(self.plain(REMOTE)[0], "FAIL")
        self.assertIn("remote_ip=192.0.2.7 secured=yes", self.bed.log("sasld"))

    def test_nothing_is_believed(self):
        """What claims to be on this machine, or to have TLS, is as any other client: no password in the clear."""
        self.start("trust = []\n")
        for facts in REMOTE + "\tsecured", "rip=127.0.0.1", "rip=127.0.0.1\tlip=127.0.0.1\tsecured", "x":
            with self.subTest(facts):
                self.assertEqual(self.plain(facts)[0], "FAIL")
                self.assertEqual(self.scram(facts), OK)
        log = self.bed.log("sasld")
        self.assertEqual(set(re.findall(r"remote_ip=\S+ secured=\S+", log)),
                         {"remote_ip=untrusted secured=no"})

    def test_tls_is_believed_and_the_address_is_not(self):
        self.start('trust = ["secured"]\n')
        self.assertEqual(self.plain(REMOTE + "\tsecured"), OK)
        self.assertEqual(self.plain("rip=127.0.0.1")[0], "FAIL")
        self.bed.must("user", "set", USER, "--network", "192.0.2.0/24")
        self.assertEqual(self.plain(REMOTE + "\tsecured")[0], "FAIL")

    def test_who_is_not_allowed(self):
        self.start(f'allow_users = ["{os.geteuid() + 1}"]\n')
        with self.assertRaisesRegex(AssertionError, "hung up while greeting"):
            AuthSocket(self.bed.auth_socket)
        self.assertRegex(self.bed.log("adapter"), rf"{self.bed.auth_socket}: refused a client of uid "
                         rf"{os.geteuid()}, gid {os.getegid()} \(pid {os.getpid()}\): allow_users")

    def test_changes_take_a_restart_and_mistakes_are_told_with_their_line(self):
        self.start('allow_users = ["root"]\n' if os.geteuid() == 0 else "")
        good = self.bed.adapter_toml.read_text()
        for more in 'trust = ["address"]', 'allow_groups = ["1"]', 'allow_users = ["1"]':
            key = more.split(" ")[0]
            text = re.sub(rf"(?m)^{key} .*\n", "", good)
            self.bed.adapter_toml.write_text(text.replace("[log]", f"{more}\n[log]"))
            self.reload("[[listen]], [limits], [mechanisms] and [metrics] were changed too: that takes a restart")
        self.bed.adapter_toml.write_text(good.replace("[log]", 'allow_groups = ["no-such"]\n[log]'))
        line = good[:good.index("[log]")].count("\n") + 1
        self.reload(f"the old one stays:\n{self.bed.adapter_toml}:{line}: listen.allow_groups: "
                    '"no-such" is no group of this system')
        self.assertEqual(self.plain("rip=127.0.0.1"), OK)


if __name__ == "__main__":
    bed.main()
