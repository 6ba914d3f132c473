"""What is in the packages, without installing them."""
import subprocess
import unittest

import packages
from roots import PACKAGES, run

# Of what lintian says of all packages. What it says of one is overridden in deploy/debian/*.lintian-overrides.
NOT_FOR_US = {"initial-upload-closes-no-bugs": "they are not uploaded to Debian, so there is no report to close"}


class Contents(unittest.TestCase):
    def test_lintian_finds_nothing(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                               "--suppress-tags", ",".join(NOT_FOR_US), *packages.files()],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, ""), done.stderr)

    def test_lintian_would_find_something(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "warning", packages.file("saslctl")],
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("initial-upload-closes-no-bugs", done.stdout)

    def test_all_belongs_to_root_and_nobody_else_may_write(self):
        for package in packages.files():
            for path, (mode, owner) in packages.contents(package).items():
                with self.subTest(path):
                    self.assertEqual(owner, "root/root")
                    program = path.startswith(("/usr/sbin/", "/usr/bin/"))
                    self.assertEqual(mode, "-rwxr-xr-x" if program else "drwxr-xr-x" if mode[0] == "d" else "-rw-r--r--")

    def test_configuration_is_conffiles(self):
        for package in packages.files():
            there = {path for path, (mode, _) in packages.contents(package).items()
                     if path.startswith("/etc/") and mode[0] != "d"}
            told = run("bash", "-c", 'dpkg-deb -I "$0" conffiles 2>/dev/null || true', package).split()
            self.assertEqual(sorted(there), told, package)

    def test_programs_are_stripped_and_say_what_they_are_linked_with(self):
        for name, library in ("sasld", "libsqlite3-0"), ("sasld-adapter", "libssl3"), ("saslctl", "libstdc++6"):
            depends = packages.field(packages.file(name), "Depends")
            self.assertIn("libc6 (>= ", depends)
            self.assertIn(library, depends)
        self.assertRegex(packages.field(packages.file("libsasl2-modules-sasld"), "Depends"), r"^libsasl2-2, libc6 \(>= \S+\)$")

    def test_nothing_depends_on_another(self):
        for package in packages.files():
            depends = packages.field(package, "Depends")
            for name in PACKAGES:
                self.assertNotRegex(depends, rf"(^|, ){name}($|[ ,])")

    def test_every_one_has_its_papers(self):
        for name in PACKAGES:
            there = packages.contents(packages.file(name))
            for paper in "copyright", "changelog.gz", "changelog.Debian.gz":
                self.assertIn(f"/usr/share/doc/{name}/{paper}", there)
            self.assertTrue(any(path.startswith("/usr/share/man/") and path.endswith(".gz") for path in there), name)
