"""Users of other systems come with what their own tools wrote, log in, and go out and in again."""
import json
import os
import signal
import subprocess
import time

import bed
import peer_tools
from clients import plain, smtp_auth, smtp_scram

SCHEMES = ("SHA512-CRYPT", "BLF-CRYPT", "SSHA512", "ARGON2ID", "PBKDF2", "MD5-CRYPT", "CRAM-MD5")


class Import(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.tools = peer_tools.Tools(bed.arguments.peers)
        self.addCleanup(self.tools.close)
        self.users = {}

    def user(self, name):
        self.users[name] = self.bed.secret()
        return self.users[name]

    def file(self, name, text=""):
        # Outside the bed, whose files are searched for passwords at its end.
        path = self.tools.folder / name
        path.write_text(text)
        return str(path)

    def coverage(self, mechanism="SCRAM-SHA-256"):
        told = json.loads(self.bed.must("-o", "json", "mechanism", "coverage"))
        return next(one["users"] for one in told["mechanisms"] if one["name"] == mechanism)

    def names(self):
        return {user["name"] for user in json.loads(self.bed.must("-o", "json", "user", "list"))}

    def log_all_in(self, by):
        for name, password in self.users.items():
            with self.subTest(name=name, by=by):
                code = (smtp_scram(self.bed.port, name, password) if by == "SCRAM-SHA-256" else
                        smtp_auth(self.bed.port, "PLAIN " + plain(name, password)))
                self.assertEqual(code, 235)

    def test_users_of_each_tool_log_in_and_survive_export_and_import(self):
        self.bed.start()
        lines = []
        for scheme in SCHEMES:
            name = f"{scheme.lower()}@example.org"
            lines.append(f"{name}:{self.tools.doveadm_pw(scheme, name, self.user(name))}::::::")
        passwd = self.file("passwd", "\n".join(lines) + "\n")
        htpasswd = self.tools.folder / "htpasswd"
        for number, option in enumerate(("-B", "-m", "-s", "-5")):
            self.tools.htpasswd(htpasswd, option, f"web{number}", self.user(f"web{number}@example.org"))
        sasldb = self.tools.folder / "sasldb2"
        for name in "ann", "bob":
            self.tools.saslpasswd2(sasldb, "example.org", name, self.user(f"{name}@example.org"))
        dump = self.file("sasldb2.dump", self.tools.db_dump(sasldb))

        dry = self.bed.must("import", "dovecot-passwd", passwd, "--dry-run")
        self.assertEqual(dry.count("would be added"), len(SCHEMES))
        self.assertEqual(self.names(), set())
        # The file itself is no dump, and saslctl says what to do.
        refused = self.bed.ctl("import", "sasldb2", str(sasldb))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("db5.3_dump", refused.stderr)

        self.bed.must("import", "dovecot-passwd", passwd)
        self.bed.must("import", "htpasswd", str(htpasswd), "--default-domain", "example.org")
        self.assertEqual(self.coverage(), 0)
        self.bed.must("import", "sasldb2", dump)
        self.assertEqual(self.coverage(), 2)
        self.assertEqual(self.names(), set(self.users))
        self.assertEqual(self.bed.ctl("import", "sasldb2", dump).returncode, 5)

        self.log_all_in("PLAIN")
        bed.wait_until("all have keys of SCRAM", lambda: self.coverage() == len(self.users))
        self.log_all_in("SCRAM-SHA-256")

        first, second = (str(self.tools.folder / name) for name in ("first.jsonl", "second.jsonl"))
        self.bed.must("export", first)
        self.assertEqual(os.stat(first).st_mode & 0o777, 0o600)
        for name in self.users:
            self.bed.must("user", "delete", name, "--yes")
        self.bed.must("import", "jsonl", first)
        # Before anybody logs in: a login by PLAIN may give him a new hash.
        self.bed.must("export", second)
        with open(first, "rb") as one, open(second, "rb") as other:
            self.assertTrue(one.read() == other.read(), "the second export differs")
        self.log_all_in("SCRAM-SHA-256")
        self.log_all_in("PLAIN")

    def test_an_import_that_was_killed_goes_on(self):
        self.bed.start_sasld()
        # A hash costs sasld nothing here; only that users are written counts.
        hashed = self.tools.doveadm_pw("SHA512-CRYPT", "x", self.bed.secret())
        count = 20000
        source = self.file("many", "".join(f"u{i}@example.org:{hashed}\n" for i in range(count)))
        journal = self.tools.folder / "many.sasld-import"
        command = [bed.arguments.bin / "saslctl", "--server", f"unix:{self.bed.admin_socket}",
                   "import", "dovecot-passwd", source]
        kills = 0
        while kills < 3:
            running = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            before = journal.read_text().count("\n") if journal.exists() else 0
            deadline = time.monotonic() + bed.PATIENCE
            while running.poll() is None and time.monotonic() < deadline:
                if journal.exists() and journal.read_text().count("\n") > before + 1:
                    break
                time.sleep(0.005)
            running.send_signal(signal.SIGKILL)
            running.communicate()
            if not journal.exists():
                break
            kills += 1
        self.assertGreater(kills, 0, "it was done before it could be killed")
        if journal.exists():
            done = self.bed.ctl("import", "dovecot-passwd", source)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("going on after line", done.stderr)
            self.assertIn(f"{count} users added, 0 replaced, 0 skipped, 0 refused", done.stderr)
        self.assertFalse(journal.exists())
        self.assertEqual(json.loads(self.bed.must("-o", "json", "status"))["users"], count)


if __name__ == "__main__":
    bed.main()
