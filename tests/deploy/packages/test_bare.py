"""Install, log in, upgrade, remove, purge in a Debian without systemd, as a container or a chroot is one."""
import pathlib
import sys
import unittest

import packages
from roots import PACKAGES, Failed, Root

WORK = pathlib.Path(sys.argv[1])
USER, PASSWORD = "ann@example.org", "correct horse battery"
CONFFILE = "/etc/sasld/sasld.toml"


class Bare(unittest.TestCase):
    def setUp(self):
        self.root = Root.fresh("bare", WORK)
        self.addCleanup(self.root.close)

    def install(self, *names, version=packages.NOW, options=()):
        return self.root.install(*self.root.give(*packages.files(names, version)), options=options)

    def installed_and_whole(self, *names):
        self.assertEqual(self.root.run("dpkg", "--verify", *names), "")
        self.assertEqual(self.root.run("dpkg", "--audit"), "")

    # sasld by hand, as the unit starts it.

    def start_sasld(self):
        self.root.run("install", "-d", "-o", "sasld", "-g", "sasld", "-m", "0750", "/run/sasld")
        process = self.root.start("setpriv", "--reuid=sasld", "--regid=sasld", "--init-groups",
                                  "sasld", "--config", CONFFILE)
        self.root.run("bash", "-c", "for ((i = 0; i < 300; ++i)); do saslctl status && exit; sleep 0.1; done; cat /tmp/log; exit 1")
        return process

    def add_user(self):
        self.root.run("saslctl", "user", "add", USER, "--password-stdin", given=PASSWORD + "\n")

    def log_in(self, password=PASSWORD):
        return self.root.run("saslctl", "auth", "test", USER, "--mechanism", "SCRAM-SHA-256", "--password-stdin",
                             given=password + "\n")

    def logs_in(self):
        process = self.start_sasld()
        self.log_in()
        with self.assertRaisesRegex(Failed, "saslctl auth test .*: 4\n"):
            self.log_in("wrong")
        self.root.end(process)

    # Each alone.

    def test_each_installs_alone_and_purges_without_a_trace(self):
        before = self.root.listing()
        for name in PACKAGES:
            with self.subTest(name):
                said = self.install(name)
                self.assertNotIn("W:", said.replace("W: Download is performed unsandboxed", ""))
                self.installed_and_whole(name)
                self.assertEqual(self.root.run("dpkg-query", "-W", "-f", "${db:Status-Status}", name), "installed")
                others = [other for other in PACKAGES if other != name]
                self.assertNotRegex(self.root.run("dpkg", "-l"), rf"(?m)^ii +({'|'.join(others)}) ")
                self.root.apt("purge", "--autoremove", name)
                self.assertEqual(sorted(self.root.listing() - before), [])
                self.assertEqual(sorted(before - self.root.listing()), [])

    def test_the_adapter_alone_has_its_accounts_and_checks_its_configuration(self):
        self.install("sasld-adapter")
        self.assertIn("sasld-adapter", self.root.run("id", "sasld-adapter"))
        self.root.run("getent", "group", "sasld")
        self.assertIn("OK", self.root.run("sasld-adapter", "--check-config"))
        self.assertFalse(list(self.root.path("/etc/systemd/system").glob("*.wants/sasld*")), "it is enabled")

    def test_libsasl2_finds_the_plugin(self):
        self.install("libsasl2-modules-sasld")
        self.root.run("bash", "-c", "cd /tmp && apt-get -q download sasl2-bin && dpkg -x sasl2-bin_*.deb unpacked")
        said = self.root.run("/tmp/unpacked/usr/sbin/saslpluginviewer", "-s")
        self.assertRegex(said, r'Plugin "sasldrelay" \[loaded\]')
        self.assertIn("SCRAM-SHA-256", said)

    # All together.

    def test_a_life(self):
        """Install, log in, upgrade, remove, install again, purge."""
        before = self.root.listing()
        self.install(*PACKAGES)
        self.installed_and_whole(*PACKAGES)
        self.assertEqual(self.root.facts("/var/lib/sasld"), "sasld:sasld 700")
        self.assertEqual(self.root.facts("/etc/sasld"), "root:root 755")
        self.assertEqual(self.root.facts(CONFFILE), "root:root 644")
        self.assertTrue(self.root.path("/etc/systemd/system/multi-user.target.wants/sasld.service").is_symlink())
        process = self.start_sasld()
        self.add_user()
        self.root.end(process)
        self.logs_in()
        self.assertEqual(self.root.facts("/var/lib/sasld/sasld.key"), "sasld:sasld 600")

        with self.subTest("upgrade"):
            kept = self.change_conffile()
            self.install(*PACKAGES, version=packages.NEXT)
            self.assertIn(packages.NEXT, self.root.run("dpkg-query", "-W", "sasld"))
            self.assertEqual(self.root.path(CONFFILE).read_text(), kept)
            self.logs_in()
        with self.subTest("back to the older one, and again"):
            self.install(*PACKAGES, options=("--allow-downgrades",))
            self.logs_in()
            self.install(*PACKAGES, version=packages.NEXT)
        with self.subTest("remove"):
            self.root.apt("remove", *PACKAGES)
            self.assertFalse(self.root.path("/usr/sbin/sasld").exists())
            self.assertEqual(self.root.path(CONFFILE).read_text(), kept)
            self.assertTrue(self.root.path("/var/lib/sasld/sasld.db").exists())
        with self.subTest("install again"):
            self.install(*PACKAGES, version=packages.NEXT)
            self.assertEqual(self.root.path(CONFFILE).read_text(), kept)
            self.logs_in()
        with self.subTest("purge"):
            self.root.run("rm", "-r", "/run/sasld")
            self.root.apt("purge", "--autoremove", *PACKAGES)
            self.assertEqual(sorted(self.root.listing() - before), [])
            self.root.run("id", "sasld")

    def change_conffile(self):
        path = self.root.path(CONFFILE)
        text = path.read_text().replace("successes = false", "successes = true")
        self.assertIn("successes = true", text)
        path.write_text(text)
        return text

    def test_scripts_may_run_twice(self):
        self.install("sasld", "sasld-adapter")
        before = self.root.listing()
        for name in "sasld", "sasld-adapter":
            self.root.run("dpkg-reconfigure", name)
            self.root.run(f"/var/lib/dpkg/info/{name}.postinst", "configure", f"{packages.NOW}-1")
        self.assertEqual(self.root.listing(), before)

    def test_a_script_that_fails_is_seen(self):
        broken = packages.with_failing_script(packages.file("sasld"), "postinst", WORK)
        with self.assertRaisesRegex(Failed, "post-installation script subprocess returned error exit status 3"):
            self.root.install(*self.root.give(broken))
