"""The packages under systemd: units in their sandbox, sockets, the watchdog, upgrades while logins go on."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

import load
import packages
from machine import Machine, wait_until
from roots import CHECKOUT, PACKAGES, Failed

WORK = pathlib.Path(sys.argv[1])
PASSWORD = "correct horse battery"
SOCKET = "/var/spool/postfix/private/sasld"
POLICY = "/usr/sbin/policy-rc.d"


class Booted(unittest.TestCase):
    def setUp(self):
        self.machine = Machine(WORK)
        self.addCleanup(self.machine.close)

    def install(self, *names, version=packages.NOW):
        return self.machine.install(*self.machine.give(*packages.files(names, version)))

    def add_user(self):
        self.machine.run("saslctl", "user", "add", load.USER, "--password-stdin", given=PASSWORD + "\n")

    def logs_in(self):
        self.machine.run("saslctl", "auth", "test", load.USER, "--mechanism", "SCRAM-SHA-256", "--password-stdin",
                         given=PASSWORD + "\n")

    def no_login_fails(self, socket, meanwhile):
        """Mail servers log in at a socket in the container while something happens."""
        with load.Load(self.machine.path(socket), PASSWORD) as logins:
            logins.more()
            meanwhile()
            logins.more()
        self.assertEqual(logins.failed(), [])

    def main_pid(self, unit):
        return self.machine.property(unit, "MainPID")

    def write(self, path, text):
        path = self.machine.path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


    def do_as_told(self, before):
        """The lines of deploy/systemd/README.md behind `before`."""
        text = (CHECKOUT / "deploy/systemd/README.md").read_text()
        block = re.search(re.escape(before) + r"\n\n((?:    .*\n)+)", text)[1]
        for line in block.splitlines():
            self.machine.run("bash", "-c", line)


class Sasld(Booted):
    def test_a_life(self):
        """Install, log in, upgrade, remove, install again, purge."""
        machine = self.machine
        self.install("sasld", "saslctl")
        self.assertEqual((machine.state("sasld"), machine.enabled("sasld")), ("active", "enabled"))
        self.assertEqual(machine.facts("/var/lib/sasld"), "sasld:sasld 700")
        self.assertEqual(machine.facts("/var/lib/sasld/sasld.key"), "sasld:sasld 600")
        self.assertEqual(machine.facts("/run/sasld"), "sasld:sasld 750")
        self.assertEqual(machine.facts("/run/sasld/sasl.sock"), "sasld:sasld 660")
        self.assertEqual(machine.facts("/run/sasld/admin.sock"), "sasld:sasld 600")
        self.add_user()
        self.logs_in()
        with self.subTest("upgrade"):
            before = self.main_pid("sasld")
            self.install("sasld", "saslctl", version=packages.NEXT)
            self.assertEqual(machine.state("sasld"), "active")
            self.assertNotEqual(self.main_pid("sasld"), before)
            self.logs_in()
        with self.subTest("remove"):
            machine.apt("remove", "sasld")
            self.assertEqual(machine.state("sasld"), "inactive")
            self.assertTrue(machine.path("/var/lib/sasld/sasld.db").exists())
        with self.subTest("install again"):
            self.install("sasld", version=packages.NEXT)
            self.assertEqual(machine.state("sasld"), "active")
            self.logs_in()
        with self.subTest("the backup that README.md tells to make"):
            text = (CHECKOUT / "deploy/debian/README.md").read_text()
            machine.run("bash", "-c", re.search("(?m)^    (saslctl backup .*)$", text)[1])
            self.assertIn("1 user", machine.run("setpriv", "--reuid=sasld", "--regid=sasld", "--init-groups", "sasld",
                                                "--check-database", "/var/lib/sasld/backup.db"))
        with self.subTest("purge"):
            machine.apt("purge", "sasld")
            self.assertEqual(machine.state("sasld"), "inactive")
            for path in "/var/lib/sasld", "/etc/sasld", "/usr/lib/systemd/system/sasld.service", \
                    "/etc/systemd/system/multi-user.target.wants/sasld.service":
                self.assertFalse(os.path.lexists(machine.path(path)), path)
            machine.run("test", "!", "-e", "/run/sasld")
        self.assertEqual(machine.failed_units(), "")

    def test_who_switched_it_off_keeps_it_off(self):
        self.install("sasld")
        self.machine.run("systemctl", "disable", "--now", "sasld")
        self.install("sasld", version=packages.NEXT)
        self.assertEqual((self.machine.state("sasld"), self.machine.enabled("sasld")), ("inactive", "disabled"))

    def test_policy_rc_d_is_obeyed(self):
        self.write(POLICY, "#!/bin/sh\nexit 101\n")
        self.machine.path(POLICY).chmod(0o755)
        self.install("sasld")
        self.assertEqual((self.machine.state("sasld"), self.machine.enabled("sasld")), ("inactive", "enabled"))

    def test_a_configuration_that_the_new_one_does_not_take_stops_nothing(self):
        self.install("sasld", "saslctl")
        self.add_user()
        before = self.main_pid("sasld")
        self.write("/etc/sasld/sasld.toml", "[store]\nurrl = 1\n")
        said = self.install("sasld", version=packages.NEXT)
        self.assertRegex(said, r"sasld\.toml:2: ")
        self.assertIn("sasld was not started anew", said)
        self.assertEqual(self.main_pid("sasld"), before)
        self.logs_in()

    def test_one_that_hangs_is_started_again(self):
        self.install("sasld", "saslctl")
        self.add_user()
        self.write("/etc/systemd/system/sasld.service.d/soon.conf", "[Service]\nWatchdogSec=2\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "sasld")
        before = self.main_pid("sasld")
        self.machine.run("bash", "-c", f"kill -STOP {before}")
        wait_until("systemd has started another", lambda: self.machine.state("sasld") == "active" and
                   self.main_pid("sasld") not in (before, "0"))
        self.assertEqual(self.machine.property("sasld", "NRestarts"), "1")
        self.logs_in()


    def test_the_keys_as_a_credential_and_back(self):
        self.install("sasld", "saslctl")
        self.add_user()
        self.do_as_told("For keys that there are:")
        self.machine.run("shred", "-u", "/var/lib/sasld/sasld.key")
        self.machine.run("systemctl", "restart", "sasld")
        self.logs_in()
        self.assertFalse(self.machine.path("/var/lib/sasld/sasld.key").exists())
        with self.assertRaisesRegex(Failed, "add to it the line"):
            self.machine.run("saslctl", "key", "rotate")
        self.do_as_told("The keys back in the file:")
        self.logs_in()
        self.machine.run("saslctl", "key", "rotate")
        self.logs_in()


class Postfix(Booted):
    """As /usr/share/doc/sasld-adapter/README.Debian has it: a Postfix and a sasld beside the adapter."""

    def setUp(self):
        super().setUp()
        self.install(*PACKAGES)
        self.add_user()

    def enable(self):
        self.machine.run("systemctl", "enable", "--now", "sasld-adapter.socket", "sasld-adapter.service")

    def test_logins_by_smtp_and_an_upgrade_that_none_notices(self):
        machine = self.machine
        for unit in "sasld-adapter.service", "sasld-adapter.socket":
            self.assertEqual((machine.state(unit), machine.enabled(unit)), ("inactive", "disabled"))
        self.enable()
        self.assertEqual(machine.facts(SOCKET), "postfix:postfix 600")
        self.assertIn("OK", machine.run("sasld-adapter", "check", "--as-user", "postfix", "--chroot", "/var/spool/postfix",
                                        "private/sasld"))
        with self.subTest("SMTP"):
            for line in "smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot", "smtpd_sasl_path = private/sasld":
                machine.run("postconf", line)
            machine.run("systemctl", "restart", "postfix")
            self.assertEqual(self.smtp_login(PASSWORD), "235")
            self.assertEqual(self.smtp_login("wrong"), "535")
        with self.subTest("upgrade"):
            before = self.main_pid("sasld-adapter"), self.main_pid("sasld"), machine.path(SOCKET).stat().st_ino
            self.no_login_fails(SOCKET, lambda: self.install(*PACKAGES, version=packages.NEXT))
            after = self.main_pid("sasld-adapter"), self.main_pid("sasld"), machine.path(SOCKET).stat().st_ino
            self.assertEqual([old == new for old, new in zip(before, after)], [False, False, True])
            self.assertEqual(self.smtp_login(PASSWORD), "235")
        with self.subTest("remove"):
            machine.apt("remove", "sasld-adapter")
            for unit in "sasld-adapter.service", "sasld-adapter.socket":
                self.assertEqual(machine.state(unit), "inactive")
        with self.subTest("install again"):
            self.install("sasld-adapter", version=packages.NEXT)
            self.assertEqual(machine.state("sasld-adapter.service"), "active")
            self.assertEqual(self.smtp_login(PASSWORD), "235")
        with self.subTest("purge"):
            machine.apt("purge", *PACKAGES)
            left = machine.run("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-name", "*sasld*",
                               "-not", "-name", "libsasldb.*", "-not", "-path", "/var/lib/dpkg/*")
            self.assertEqual(left, "")
        self.assertEqual(machine.failed_units(), "")

    def test_the_adapter_as_a_dynamic_user(self):
        self.enable()
        self.no_login_fails(SOCKET, lambda: self.do_as_told("has its `ListenStream=` in the socket unit:"))
        runs_as = self.machine.run("stat", "-c", "%u", f"/proc/{self.main_pid('sasld-adapter')}")
        self.assertIn(int(runs_as), range(61184, 65520))  # systemd's for such users
        self.assertEqual(self.machine.failed_units(), "")

    def smtp_login(self, password):
        """The code of an AUTH, by this machine's Python on the container's network."""
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import clients; "
                  "print(clients.smtp_auth(25, 'PLAIN ' + clients.plain(*sys.argv[2:])))")
        done = subprocess.run(self.machine.inside("python3", "-B", "-c", script, CHECKOUT / "tests/interop", load.USER, password,
                                                  only=("--net",)), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()


class WithoutPostfix(Booted):
    def setUp(self):
        super().setUp()
        # Its package does not wait for the end of its instance, which then fails for lack of programs.
        self.machine.run("systemctl", "stop", "postfix@-.service", "postfix.service")
        self.machine.apt("purge", "postfix")
        self.machine.run("systemctl", "reset-failed")
        self.install("sasld", "sasld-adapter", "saslctl")
        self.add_user()

    def test_installs_and_starts_nothing(self):
        self.assertEqual(self.machine.state("sasld-adapter.service"), "inactive")
        self.assertEqual(self.machine.failed_units(), "")

    def test_the_way_that_readme_debian_tells(self):
        machine = self.machine
        text = machine.path("/usr/share/doc/sasld-adapter/README.Debian").read_text()
        blocks = re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", text[text.index("no Postfix at all"):])
        unit, toml, commands = (re.sub("(?m)^    ", "", block).strip() + "\n" for block in blocks[:3])
        self.write("/etc/systemd/system/sasld-adapter.service.d/override.conf", unit)
        self.write("/etc/sasld/adapter.toml", toml)
        machine.run("systemctl", "daemon-reload")
        for line in commands.splitlines():
            said = machine.run("bash", "-c", line.replace("ACCOUNT", "mail"))
        self.assertIn("OK for mail", said)
        self.assertRegex(machine.run("stat", "-c", "%U", f"/proc/{self.main_pid('sasld-adapter')}"), "sasld-adapter")
        with self.assertRaisesRegex(Failed, "check .*: 1\n"):
            machine.run("sasld-adapter", "check", "--as-user", "games", "/run/sasld-adapter/auth")
