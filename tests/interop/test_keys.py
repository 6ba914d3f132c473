"""Keys change while logins go on and sasld is killed; what was switched on later comes by itself."""
import json
import shutil
import signal
import sqlite3
import time

import bed
from clients import AuthSocket, plain, smtp_auth, smtp_scram

USERS = 30
# So that a pass over all of them takes longer than it takes to kill sasld.
MORE_USERS = 5000


class Keys(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.users = {}
        for number in range(USERS):
            user = f"user{number}@example.org"
            self.users[user] = self.bed.add_user(user)

    def import_more(self):
        source = self.bed.folder / "users"
        source.write_text("".join(
            f"bulk{number}@example.org:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"
            for number in range(MORE_USERS)))
        self.bed.must("import", "dovecot-passwd", str(source))

    def users_by_key_in_the_file(self):
        """What lies in the database of a sasld that was killed: storage/record_keys.h."""
        with sqlite3.connect(self.bed.data / "sasld.db") as database:
            ids = database.execute("SELECT hex(substr(record, 2, 4)), count(*) FROM account GROUP BY 1")
            return {int(key, 16): users for key, users in ids}

    def keys(self):
        listed = json.loads(self.bed.must("-o", "json", "key", "list"))
        return {key["id"]: key["users"] for key in listed["keys"]}, listed["resealing"]

    def log_all_in(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            for user, password in self.users.items():
                self.assertEqual(connection.auth("PLAIN", plain(user, password))[0], "OK", user)

    def test_key_changes_and_kills_lose_nobody(self):
        first_key = self.bed.folder / "first.key"
        shutil.copy(self.bed.data / "sasld.key", first_key)
        self.import_more()
        everybody = USERS + MORE_USERS
        newest, cut_in_two = 1, 0
        for wait in 0, 0.03, 0.06, 0.1, 0.15:
            self.bed.must("key", "rotate")
            newest += 1
            time.sleep(wait)
            self.bed.kill_sasld()
            left = self.users_by_key_in_the_file()
            self.assertEqual(sum(left.values()), everybody)
            if 0 < left.get(newest, 0) < everybody:
                cut_in_two += 1
            self.bed.start_sasld()
            self.log_all_in()
        self.assertGreater(cut_in_two, 0, "no kill came in the middle of a pass")
        old_keys = dict.fromkeys(range(1, newest), 0)
        bed.wait_until("all are sealed under the newest key",
                       lambda: self.keys() == (old_keys | {newest: everybody}, False))
        for old in old_keys:
            self.bed.must("key", "retire", str(old), "--yes")
        self.assertEqual(self.keys(), ({newest: everybody}, False))
        self.bed.stop_sasld()
        self.bed.start_sasld()
        self.log_all_in()
        refused = self.bed.ctl("key", "retire", str(newest), "--yes")
        self.assertEqual(refused.returncode, 6, refused.stderr)

        # The first key opens nothing of it any more, and sasld says so.
        self.bed.stop_sasld()
        shutil.copy(self.bed.data / "sasld.key", self.bed.folder / "last.key")
        shutil.copy(first_key, self.bed.data / "sasld.key")
        done = self.bed.run_program("sasld", "--config", str(self.bed.sasld_toml))
        self.assertEqual(done.returncode, 1)
        self.assertIn("restore the key file that belongs to this database", done.stderr)

    def test_a_key_file_that_cannot_be_written_changes_nothing(self):
        key_file = self.bed.data / "sasld.key"
        # Where the draft of the new file would be, nothing can be.
        (self.bed.data / "sasld.key.new").mkdir()
        before = key_file.read_bytes()
        refused = self.bed.ctl("key", "rotate")
        self.assertEqual(refused.returncode, 7, refused.stderr)
        self.assertIn(str(key_file), refused.stderr)
        self.assertEqual(key_file.read_bytes(), before)
        self.assertEqual(self.keys(), ({1: USERS}, False))
        self.log_all_in()


class Coverage(bed.OwnBed):
    def test_what_was_switched_on_comes_with_the_next_login_by_plain(self):
        self.bed.start()
        port = self.bed.port
        password = self.bed.add_user("ann@example.org")
        self.bed.add_user("ben@example.org")
        text = self.bed.sasld_toml.read_text()
        self.assertIn('"SCRAM-SHA-256",', text)
        self.bed.sasld_toml.write_text(text.replace('"SCRAM-SHA-256",', '"SCRAM-SHA-256", "SCRAM-SHA-512",'))
        self.bed.sasld.send_signal(signal.SIGHUP)
        bed.wait_until("it is switched on", lambda: self.coverage()["SCRAM-SHA-512"] == (True, 0))
        self.assertEqual(self.coverage()["SCRAM-SHA-256"], (True, 2))
        self.assertEqual(smtp_auth(port, "PLAIN " + plain("ann@example.org", password)), 235)
        self.assertEqual(self.coverage()["SCRAM-SHA-512"], (True, 1))
        self.assertEqual(smtp_scram(port, "ann@example.org", password), 235)
        shown = json.loads(self.bed.must("-o", "json", "user", "show", "ann@example.org"))
        self.assertIn("SCRAM-SHA-512", shown["mechanisms"])

    def coverage(self):
        told = json.loads(self.bed.must("-o", "json", "mechanism", "coverage"))
        self.assertEqual(told["users"], 2)
        return {one["name"]: (one["enabled"], one["users"]) for one in told["mechanisms"]}


if __name__ == "__main__":
    bed.main()
