"""SIGHUP: what is taken over while logins go on, and that a mistake changes nothing."""
import signal
import threading
import time

import bed
import clients
from clients import AuthSocket, plain

USER = "ann@example.org"


class Reload(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)

    def login(self, user=USER, password=None, mechanism="PLAIN"):
        with AuthSocket(self.bed.auth_socket) as connection:
            return connection.auth(mechanism, plain(user, password or self.password))

    def edit(self, config, old, new):
        text = config.read_text()
        self.assertEqual(text.count(old), 1, text)
        config.write_text(text.replace(old, new))

    def reload(self, name, expected):
        """SIGHUP to `name`, and waits until it logs `expected` once more."""
        before = self.bed.log(name).count(expected)
        getattr(self.bed, name).send_signal(signal.SIGHUP)
        bed.wait_until(f"{name} logs: {expected}",
                       lambda: self.bed.log(name).count(expected) > before)


class LoginsWithoutEnd(threading.Thread):
    """Logs in again and again, on one connection and on new ones."""

    def __init__(self, login, path, response):
        super().__init__()
        self.answers = []
        self._stopping = threading.Event()
        self._login = login
        self._path = path
        self._response = response

    def run(self):
        with AuthSocket(self._path) as connection:
            while not self._stopping.is_set():
                self.answers += [connection.auth("PLAIN", self._response), self._login()]

    def more(self, count=20):
        """Waits for so many more."""
        enough = len(self.answers) + count
        bed.wait_until("logins go on", lambda: len(self.answers) >= enough or not self.is_alive())

    def end(self):
        """Every answer that was another than yes."""
        self._stopping.set()
        self.join(bed.PATIENCE)
        return [answer for answer in self.answers if answer != ["OK", f"user={USER}"]]


class AdapterReload(Reload):
    RELOADED = "configuration reloaded: log level and servers"

    def setUp(self):
        super().setUp()
        self.bed.start_adapter()
        self.other = bed.Bed(**self.OPTIONS)
        self.addCleanup(self.other.close)

    def test_servers_are_changed_while_logins_go_on(self):
        self.other.start_sasld()
        self.other.must("user", "add", USER, "--password-stdin", password=self.password)
        only_there = self.other.add_user("bob@example.org")
        logins = LoginsWithoutEnd(self.login, self.bed.auth_socket, plain(USER, self.password))
        logins.start()
        try:
            for old, new in (self.bed, self.other), (self.other, self.bed), (self.bed, self.other):
                logins.more()
                self.edit(self.bed.adapter_toml, f"unix:{old.sasl_socket}",
                          f"unix:{new.sasl_socket}")
                self.reload("adapter", self.RELOADED)
                logins.more()
        finally:
            refused = logins.end()
        self.assertEqual(refused, [])
        self.assertGreater(len(logins.answers), 100)
        self.assertEqual(self.login("bob@example.org", only_there)[0], "OK")
        self.bed.stop_sasld()
        self.assertEqual(self.login()[0], "OK")

    def test_broken_configuration_changes_nothing(self):
        good = self.bed.adapter_toml.read_text()
        self.bed.adapter_toml.write_text(
            good.replace(str(self.bed.sasl_socket), "/nowhere") + '[limits]\nidle = "1s"\n[x]\n')
        line = good.count("\n") + 2
        self.reload("adapter", "configuration not reloaded, the old one stays:\n"
                    f'{self.bed.adapter_toml}:{line}: limits.idle: "1s" is not between 3m and 168h\n'
                    f"{self.bed.adapter_toml}:{line + 1}: x: unknown key")
        self.assertEqual(self.login()[0], "OK")
        self.bed.adapter_toml.write_text("[server\n")
        self.reload("adapter", f"the old one stays:\n{self.bed.adapter_toml}:1: ")
        self.bed.adapter_toml.unlink()
        self.reload("adapter", f"the old one stays:\n{self.bed.adapter_toml}: cannot be opened")
        self.assertEqual(self.login()[0], "OK")
        self.bed.adapter_toml.write_text(good)
        self.reload("adapter", self.RELOADED)
        self.assertEqual(self.login()[0], "OK")

    def test_log_level(self):
        temporary = "debug: temporary failure"

        def fail_once():
            self.assertIsNone(self.login())  # hung up: there is no sasld

        self.edit(self.bed.adapter_toml, 'level = "debug"', 'level = "info"')
        self.reload("adapter", self.RELOADED)
        self.bed.stop_sasld()
        fail_once()
        self.assertNotIn(temporary, self.bed.log("adapter"))
        self.edit(self.bed.adapter_toml, 'level = "info"', 'level = "debug"')
        self.reload("adapter", self.RELOADED)
        fail_once()
        bed.wait_until("debug is logged", lambda: temporary in self.bed.log("adapter"))

    def test_what_needs_a_restart_is_told(self):
        restart = "[[listen]], [limits], [mechanisms] and [metrics] were changed too: that takes a restart"
        self.reload("adapter", self.RELOADED)
        self.assertNotIn(restart, self.bed.log("adapter"))
        other_socket = self.bed.folder / "other"
        for old, new in ((str(self.bed.auth_socket), str(other_socket)),
                         ('mode = "0666"', 'mode = "0600"'),
                         ("[log]", '[limits]\nidle = "10m"\n[log]'),
                         ("[log]", '[metrics]\nlisten = "127.0.0.1:9"\n[log]')):
            with self.subTest(new=new):
                good = self.bed.adapter_toml.read_text()
                self.edit(self.bed.adapter_toml, old, new)
                self.reload("adapter", restart)
                self.assertEqual(self.login()[0], "OK")
                self.bed.adapter_toml.write_text(good)
        self.assertFalse(other_socket.exists())
        told = self.bed.log("adapter").count(restart)
        self.reload("adapter", self.RELOADED)
        self.assertEqual(self.bed.log("adapter").count(restart), told)


class SasldReload(Reload):
    RELOADED = "reloaded [mechanisms], [policy] and log.level; other settings need a restart"

    def setUp(self):
        super().setUp()
        self.bed.start_adapter()

    def offered(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            return [line.split("\t")[1] for line in connection.greeting if line.startswith("MECH")]

    def test_mechanisms(self):
        scram = clients.Scram(USER, self.password)
        with AuthSocket(self.bed.auth_socket) as connection:
            _, challenge = connection.auth("SCRAM-SHA-256", scram.first())
            self.edit(self.bed.sasld_toml, '"SCRAM-SHA-256", "PLAIN", "LOGIN"',
                      '"LOGIN", "SCRAM-SHA-256"')
            self.reload("sasld", self.RELOADED)
            # At once for who asks, and in the greeting as soon as the adapter has heard of it.
            self.assertEqual(self.login()[0], "FAIL")
            verb, final = connection.cont(scram.final(challenge))
            self.assertEqual(verb, "CONT")
            self.assertTrue(scram.server_is_right(final))
            self.assertEqual(connection.cont(""), ["OK", f"user={USER}"])
        bed.wait_until("the new list is offered",
                       lambda: self.offered() == ["LOGIN", "SCRAM-SHA-256"])

    def test_policy(self):
        def seconds_of_a_failure():
            began = time.monotonic()
            self.assertEqual(self.login(password="wrong")[0], "FAIL")
            return time.monotonic() - began

        self.edit(self.bed.sasld_toml, 'failure_delay = "0s"', 'failure_delay = "3s"')
        self.reload("sasld", self.RELOADED)
        self.assertGreaterEqual(seconds_of_a_failure(), 3)
        self.edit(self.bed.sasld_toml, 'failure_delay = "3s"', 'failure_delay = "0s"')
        self.reload("sasld", self.RELOADED)
        self.assertLess(min(seconds_of_a_failure() for _ in range(3)), 3)

        other = plain(USER, self.password, "zoe@example.org")
        self.bed.add_user("zoe@example.org")
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assertEqual(connection.auth("PLAIN", other)[0], "FAIL")
            self.edit(self.bed.sasld_toml, "[policy]", f'[policy]\nproxies = ["{USER}"]')
            self.reload("sasld", self.RELOADED)
            self.assertEqual(connection.auth("PLAIN", other)[:2], ["OK", "user=zoe@example.org"])

    def test_default_realm(self):
        name, realm = USER.split("@")
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assertEqual(connection.auth("PLAIN", plain(name, self.password))[0], "FAIL")
            self.edit(self.bed.sasld_toml, "[policy]", f'[policy]\ndefault_realm = "{realm}"')
            self.reload("sasld", self.RELOADED)
            self.assertEqual(connection.auth("PLAIN", plain(name, self.password)),
                             ["OK", f"user={USER}"])
            scram = clients.Scram(name, self.password)
            _, challenge = connection.auth("SCRAM-SHA-256", scram.first())
            self.assertEqual(connection.cont(scram.final(challenge))[0], "CONT")
            self.assertEqual(connection.cont(""), ["OK", f"user={USER}"])

    def test_log_level(self):
        refused = "auth result=failure"
        self.edit(self.bed.sasld_toml, 'level = "debug"', 'level = "warn"')
        self.bed.sasld.send_signal(signal.SIGHUP)
        bed.wait_until("refusals are not logged any more", self.not_logged(refused))
        self.edit(self.bed.sasld_toml, 'level = "warn"', 'level = "info"')
        self.reload("sasld", self.RELOADED)
        self.assertFalse(self.not_logged(refused)())

    def not_logged(self, text):
        def check():
            before = self.bed.log("sasld").count(text)
            self.assertEqual(self.login(password="wrong")[0], "FAIL")
            return self.bed.log("sasld").count(text) == before
        return check

    def test_broken_configuration_changes_nothing(self):
        good = self.bed.sasld_toml.read_text()
        self.bed.sasld_toml.write_text(good.replace('"PLAIN"', '"PLAIM"'))
        line = 1 + good[:good.index("enabled = ")].count("\n")
        self.reload("sasld", "not reloaded, going on as before: "
                    f'{self.bed.sasld_toml}:{line}: mechanisms.enabled: "PLAIM" is unknown')
        self.assertEqual(self.login()[0], "OK")
        self.bed.sasld_toml.unlink()
        self.reload("sasld", f"going on as before: {self.bed.sasld_toml}: cannot be opened")
        self.assertEqual(self.login()[0], "OK")
        self.bed.sasld_toml.write_text(good)
        self.reload("sasld", self.RELOADED)
        self.assertEqual(self.login()[0], "OK")


if __name__ == "__main__":
    bed.main()
