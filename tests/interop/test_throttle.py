"""Who guesses hears 454 after a while, never 535 for a right password; the owner still gets in."""
import signal

import bed
from clients import AuthSocket, plain, smtp_auth, smtp_scram

USER = "ann@example.org"


class Throttled(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start()
        self.password = self.bed.add_user(USER)
        self.wrong = self.bed.secret()

    def smtp(self, password, user=USER):
        return smtp_auth(self.bed.port, "PLAIN " + plain(user, password))

    def from_afar(self, password, rip, user=USER):
        """What a mail server hears for a client at `rip`; None: hung up on, a temporary failure."""
        with AuthSocket(self.bed.auth_socket) as connection:
            reply = connection.auth("PLAIN", plain(user, password),
                                    f"secured\trip={rip}")
            return reply and reply[0]

    def log_lines(self, text):
        return [line for line in self.bed.log("sasld").splitlines() if text in line]


class APeer(Throttled):
    # A minute a failure, so that none is forgiven while this runs.
    OPTIONS = {"throttle": 'peer_failures = 5\naccount_failures = 0\nwindow = "5m"\nexempt = []'}

    def test_hears_454_and_gets_in_again_later(self):
        for user in USER, "nobody@example.org":
            self.assertEqual(self.smtp(self.wrong, user), 535)
            self.assertEqual(smtp_scram(self.bed.port, user, self.wrong), 535)
        # Cancelled, malformed, not offered: no guesses.
        for lines in ("PLAIN", "*"), ("PLAIN", "!!!"), ("CRAM-MD5",):
            smtp_auth(self.bed.port, *lines)
        self.assertEqual(self.smtp(self.password), 235)
        self.assertEqual(self.smtp(self.wrong), 535)
        for _ in range(3):
            self.assertEqual(self.smtp(self.wrong), 454)
            self.assertEqual(self.smtp(self.password), 454)
            self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 454)
        throttled = self.log_lines("reason=peer-throttled")
        self.assertGreaterEqual(len(throttled), 9)
        for line in throttled:
            self.assertIn("auth result=temporary", line)
            self.assertIn("remote_ip=127.0.0.1", line)
        self.assertEqual(self.from_afar(self.password, "192.0.2.7"), "OK")

        self.bed.sasld_toml.write_text(
            self.bed.sasld_toml.read_text().replace("exempt = []", 'exempt = ["127.0.0.1"]'))
        self.bed.sasld.send_signal(signal.SIGHUP)
        bed.wait_until("the webmail host is exempt", lambda: self.smtp(self.password) == 235)


class AnAccount(Throttled):
    OPTIONS = {"throttle": 'peer_failures = 0\naccount_failures = 5\nwindow = "5m"\nexempt = []'}

    def test_is_closed_to_strangers_but_not_to_its_owner(self):
        self.assertEqual(self.smtp(self.password), 235)
        for user in USER, "nobody@example.org":
            for host in range(5):
                self.assertEqual(self.from_afar(self.wrong, f"192.0.2.{host}", user), "FAIL")
            self.assertIsNone(self.from_afar(self.wrong, "2001:db8::7", user))
        self.assertIsNone(self.from_afar(self.password, "192.0.2.99"))
        self.assertEqual(len(self.log_lines("reason=account-throttled")), 3)
        self.assertEqual(self.smtp(self.password), 235)
        self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 235)
        self.assertEqual(self.smtp(self.wrong), 535)
        # saslctl has no address.
        tried = self.bed.ctl("auth", "test", USER, "--password-stdin", password=self.password)
        self.assertNotEqual(tried.returncode, 0)
        self.assertIn("too many failed logins of this account", tried.stdout + tried.stderr)


class Loopback(Throttled):
    OPTIONS = {"throttle": 'peer_failures = 2\naccount_failures = 3\nwindow = "5m"'}

    def test_is_no_peer_unless_told_otherwise(self):
        for number in range(6):
            self.assertEqual(self.smtp(self.wrong, f"user{number}@example.org"), 535)
        self.assertEqual(self.smtp(self.password), 235)
        # Each account is guarded there all the same.
        for _ in range(3):
            self.assertEqual(self.smtp(self.wrong), 535)
        self.assertEqual(self.smtp(self.password), 454)
        self.assertEqual(self.from_afar(self.password, "192.0.2.7"), "OK")


if __name__ == "__main__":
    bed.main()
