"""Full and read-only disks, and files that sasld must refuse: clear words, nothing lost."""
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess

import bed
from clients import plain, smtp_auth, smtp_scram

USER = "ann@example.org"


class FullDisk(bed.OwnBed):
    SIZE = 2 * 1024 * 1024

    def setUp(self):
        super().setUp()
        self.data = self.bed.data
        # Bounded by a file system of its own. Takes root, as Postfix does.
        subprocess.run(bed.as_root(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE},mode=0777",
                                    "sasld-test", str(self.data)]), check=True)
        self.mounted = True
        self.addCleanup(self.unmount)

    def _finish(self):
        # What is on the small disk must be searched too, and no disk be mounted in what is removed.
        try:
            self.last_logs = self.bed.ends_of_logs()
            for name in "adapter", "sasld":
                if getattr(self.bed, name):
                    getattr(self.bed, f"stop_{name}")()
            shutil.copytree(self.data, self.bed.folder / "kept")
        finally:
            self.unmount()
            super()._finish()

    def unmount(self):
        if self.mounted:
            # Lazy, as a failed test leaves programs behind until the bed is closed.
            subprocess.run(bed.as_root(["umount", "--lazy", str(self.data)]), check=True)
            self.mounted = False

    def remount(self, how):
        subprocess.run(bed.as_root(["mount", "-o", f"remount,{how}", str(self.data)]), check=True)

    def fill(self):
        with open(self.data / "filler", "ab", buffering=0) as filler:
            for size in 4096, 1:
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError:
                    pass

    def logins_work(self, password):
        port = self.bed.port
        self.assertEqual(smtp_auth(port, "PLAIN " + plain(USER, password)), 235)
        self.assertEqual(smtp_scram(port, USER, password), 235)
        self.assertEqual(smtp_auth(port, "PLAIN " + plain(USER, "wrong")), 535)

    def test_writes_say_so_and_logins_go_on(self):
        self.bed.start()
        password = self.bed.add_user(USER)
        self.fill()
        added, refused = [USER], None
        # The write-ahead log may have some room left.
        for number in range(100):
            name = f"user{number}@example.org"
            done = self.bed.ctl("user", "add", name, "--password-stdin", password=self.bed.secret())
            if done.returncode != 0:
                refused = done
                break
            added.append(name)
        self.assertIsNotNone(refused, "a full disk took 100 users")
        self.assertEqual(refused.returncode, 7, refused.stderr)
        self.assertRegex(refused.stderr, "(?i)disk")
        self.logins_work(password)
        # The password of a user whose change failed is still the old one.
        changed = self.bed.ctl("user", "passwd", USER, "--password-stdin", password=self.bed.secret())
        self.assertEqual(changed.returncode, 7, changed.stderr)
        self.logins_work(password)
        self.assertEqual(self.names(), sorted(added))

        (self.data / "filler").unlink()
        self.bed.add_user("afterwards@example.org")
        self.bed.stop_sasld()
        self.bed.start_sasld()
        self.assertEqual(self.names(), sorted(added + ["afterwards@example.org"]))
        bed.wait_until("the adapter is connected", lambda: smtp_auth(
            self.bed.port, "PLAIN " + plain(USER, password)) == 235)

    def names(self):
        listed = json.loads(self.bed.must("-o", "json", "user", "list"))
        users = listed["users"] if isinstance(listed, dict) else listed
        return sorted(user["name"] for user in users)

    def test_start_on_a_full_disk_says_so(self):
        self.fill()
        done = self.bed.run_program("sasld", "--config", self.bed.sasld_toml)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "(?i)no space|disk")
        # Nothing half-made is in the way once there is room.
        (self.data / "filler").unlink()
        self.bed.start_sasld()
        self.bed.add_user(USER)

    def test_start_on_a_read_only_disk_says_so(self):
        self.bed.start_sasld()
        self.bed.add_user(USER)
        self.bed.stop_sasld()
        before = digests(self.data)
        self.remount("ro")
        done = self.bed.run_program("sasld", "--config", self.bed.sasld_toml)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "(?i)read-only")
        self.assertIn(str(self.data / "sasld.db"), done.stderr)
        self.assertEqual(digests(self.data), before)
        self.remount("rw")
        self.bed.start_sasld()
        self.assertEqual(self.bed.ctl("user", "show", USER).returncode, 0)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


class Refusals(bed.OwnBed):
    """sasld does not start, says why in a line that names the file, and changes nothing."""

    def setUp(self):
        super().setUp()
        self.database = self.bed.data / "sasld.db"
        self.key = self.bed.data / "sasld.key"

    def prepare(self):
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.bed.stop_sasld()

    def refused(self, *patterns, **run):
        before = digests(self.bed.data)
        done = self.bed.run_program("sasld", "--config", self.bed.sasld_toml, **run)
        self.assertEqual(done.returncode, 1, done.stderr)
        for pattern in patterns:
            self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.stdout, "")
        self.assertEqual(digests(self.bed.data), before, "something was changed")
        return done.stderr

    def test_database_of_a_newer_version(self):
        self.prepare()
        with sqlite3.connect(self.database) as database:
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("PRAGMA user_version = 4711")
        database.close()
        self.refused("sasld.db", "newer", "4711")

    def test_database_of_another_program(self):
        self.prepare()
        self.database.unlink()
        with sqlite3.connect(self.database) as database:
            database.execute("CREATE TABLE other (x)")
        database.close()
        self.refused("sasld.db", "another program")

    def test_file_that_is_no_database(self):
        self.prepare()
        self.database.write_bytes(os.urandom(20000))
        self.refused("sasld.db", "not a database")

    def test_database_in_use(self):
        self.bed.start_sasld()
        other = self.bed.folder / "other.toml"
        other.write_text(self.bed.sasld_toml.read_text()
                         .replace("sasl.sock", "sasl2.sock").replace("admin.sock", "admin2.sock"))
        done = self.bed.run_program("sasld", "--config", other)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "in use")
        self.assertEqual(self.bed.ctl("status").returncode, 0)

    def test_key_file_gone(self):
        self.prepare()
        self.key.unlink()
        self.refused("sasld.key", "backup")
        self.assertFalse(self.key.exists(), "a new key would make every password wrong")

    def test_key_file_that_is_none(self):
        self.prepare()
        for content in b"", b"\0" * 100, self.key.read_bytes()[:-10], os.urandom(60):
            self.key.write_bytes(content)
            with self.subTest(content=content):
                self.refused("sasld.key", "not a sasld key file")

    def test_key_file_that_cannot_be_read(self):
        self.prepare()
        self.key.rename(self.bed.folder / "kept.key")
        self.key.symlink_to("/proc/1/mem" if os.geteuid() else self.bed.data)
        done = self.bed.run_program("sasld", "--config", self.bed.sasld_toml)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("sasld.key", done.stderr)
        self.key.unlink()

    def test_key_file_that_others_may_read(self):
        self.prepare()
        self.key.chmod(0o644)
        self.refused("sasld.key", "chmod 0600")

    def test_key_file_is_private_from_the_start(self):
        self.prepare()
        for made in self.key, self.database:
            self.assertEqual(made.stat().st_mode & 0o077, 0, made)

    def test_corrupt_configuration(self):
        good = self.bed.sasld_toml.read_text()
        for what, text, *patterns in (
                ("unknown key", good + "\n[polcy]\nx = 1\n", "polcy", ":[0-9]+"),
                ("unknown nested key", good.replace("iterations =", "iteration ="),
                 "argon2id.iteration", ":13:"),
                ("wrong type", good.replace("memory_kib = 1024", 'memory_kib = "much"'),
                 "memory_kib", ":12:"),
                ("not TOML", good + "\n[[[", ":[0-9]+"),
                ("binary", "\0\1\2", "sasld.toml"),
                ("unknown mechanism", good.replace('"PLAIN"', '"PLANE"'), "PLANE", ":9"),
                ("unknown store", good.replace("sqlite:", "oracle:"), "oracle", ":2:")):
            for more in [], ["--check-config"]:
                with self.subTest(what=what, more=more):
                    self.bed.sasld_toml.write_text(text)
                    done = self.bed.run_program("sasld", "--config", self.bed.sasld_toml, *more)
                    self.assertNotEqual(done.returncode, 0)
                    for pattern in patterns:
                        self.assertRegex(done.stderr, pattern)
        self.assertEqual(list(self.bed.data.iterdir()), [], "files were made for a bad configuration")

    def test_missing_configuration(self):
        for program in "sasld", "sasld-adapter":
            done = self.bed.run_program(program, "--config", self.bed.folder / "none.toml")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("none.toml", done.stderr)

    def test_default_configuration_is_where_the_manual_says(self):
        for program, path in (("sasld", "/etc/sasld/sasld.toml"),
                              ("sasld-adapter", "/etc/sasld/adapter.toml")):
            done = self.bed.run_program(program, "--check-config")
            self.assertIn(path, done.stdout + done.stderr)

    def test_corrupt_adapter_configuration(self):
        good = self.bed.adapter_toml.read_text()
        for what, text, pattern in (
                ("unknown key", good.replace("mode =", "moed ="), "moed"),
                ("unknown protocol", good.replace("dovecot-auth", "telepathy"), "telepathy"),
                ("not TOML", good + "\n]]]", ":[0-9]+")):
            with self.subTest(what=what):
                self.bed.adapter_toml.write_text(text)
                done = self.bed.run_program("sasld-adapter", "--config", self.bed.adapter_toml)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, pattern)


if __name__ == "__main__":
    bed.main()
