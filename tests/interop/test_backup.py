"""Backups of a sasld in use, and what is restored from them."""
import json
import shutil
import stat
import threading

import bed
from clients import plain, smtp_auth, smtp_scram

USER = "ann@example.org"


class Backup(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.file = self.bed.data / "backup.db"

    def check(self, path):
        return self.bed.run_program("sasld", "--config", self.bed.sasld_toml, "--check-database", path)

    def test_restored_users_log_in(self):
        self.bed.start()
        password = self.bed.add_user(USER)
        port, stop, answers = self.bed.port, threading.Event(), []

        def log_in():
            while not stop.is_set():
                answers.append(smtp_auth(port, "PLAIN " + plain(USER, password)))

        logins = threading.Thread(target=log_in)
        logins.start()
        try:
            bed.wait_until("a login", lambda: answers)
            made = json.loads(self.bed.must("-o", "json", "backup", self.file))
            before = len(answers)
            bed.wait_until("a login after the backup", lambda: len(answers) > before)
        finally:
            stop.set()
            logins.join()
        self.assertEqual(set(answers), {235})
        self.assertEqual(made, {"path": str(self.file), "users": 1})
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        checked = self.check(self.file)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("1 users", checked.stdout)

        # Later changes are not in it; of a file that is there, no backup is made.
        self.bed.must("user", "passwd", USER, "--password-stdin", password=self.bed.secret())
        self.bed.add_user("late@example.org")
        again = self.bed.ctl("backup", self.file)
        self.assertEqual(again.returncode, 5, again.stderr)

        self.bed.stop_sasld()
        self.bed.folder.joinpath("away").mkdir()
        for old in self.bed.data.glob("sasld.db*"):
            shutil.move(old, self.bed.folder / "away")
        shutil.copy2(self.file, self.bed.data / "sasld.db")
        self.bed.start_sasld()
        bed.wait_until("the adapter is connected", lambda: smtp_auth(
            port, "PLAIN " + plain(USER, password)) == 235)
        self.assertEqual(smtp_scram(port, USER, password), 235)
        self.assertEqual(self.bed.ctl("user", "show", "late@example.org").returncode, 3)
        self.bed.add_user("late@example.org")

    def test_check_tells_what_is_wrong(self):
        self.bed.start_sasld()
        self.bed.add_user(USER)
        self.bed.must("backup", self.file)
        in_use = self.check(self.bed.data / "sasld.db")
        self.assertEqual(in_use.returncode, 1)
        self.assertIn("in use", in_use.stderr)
        self.bed.stop_sasld()

        other = self.bed.data / "other.db"
        content = bytearray(self.file.read_bytes())
        content[8192:] = bytes(len(content) - 8192)
        other.write_bytes(content)
        damaged = self.check(other)
        self.assertEqual(damaged.returncode, 1, damaged.stdout)
        self.assertIn(str(other), damaged.stderr)

        # Without the key file that it was made under, it is of no use.
        key = self.bed.data / "sasld.key"
        key.rename(self.bed.data / "kept.key")
        self.assertEqual(self.check(self.file).returncode, 1)
        self.bed.sasld_toml.write_text(self.bed.sasld_toml.read_text()
                                       .replace("data/sasld.db", "data/another.db"))
        self.bed.start_sasld()
        self.bed.stop_sasld()
        foreign = self.check(self.file)
        self.assertEqual(foreign.returncode, 1)
        self.assertRegex(foreign.stderr, "key")

    def test_where_it_cannot_be_made(self):
        self.bed.start_sasld()
        self.bed.add_user(USER)
        for path, status, words in (("backup.db", 2, "absolute"),
                                    (self.bed.data / "none/backup.db", 7, "make the folder")):
            done = self.bed.ctl("backup", path)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertRegex(done.stderr, words)
        self.assertEqual(sorted(self.bed.data.glob("*backup*")), [])


if __name__ == "__main__":
    bed.main()
