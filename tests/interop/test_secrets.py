"""No secret in logs, files, arguments, environments or errors; no core dumps.

Every other scenario searches too, when its bed is closed. This one is about what is logged most when
things go wrong, and shows that the search finds what is there.
"""
import pathlib
import subprocess
import time

import bed
import clients
import leaks
from clients import plain, smtp_auth, smtp_scram

USER = "ann@example.org"


class Secrets(bed.SharedBed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.password = cls.bed.add_user(USER)
        cls.wrong = cls.bed.secret()

    def test_nothing_is_written_by_any_way_to_log_in_or_fail(self):
        port = self.bed.port
        for password in self.password, self.wrong:
            for user in USER, "nobody@example.org":
                smtp_auth(port, "PLAIN " + plain(user, password))
                smtp_auth(port, "PLAIN", plain(user, password))
                smtp_auth(port, "PLAIN", clients.b64(f"{user}\0{password}"))      # malformed
                smtp_auth(port, "PLAIN", plain(user, password)[:-2])              # bad base64
                smtp_auth(port, "LOGIN", clients.b64(user), clients.b64(password))
                smtp_scram(port, user, password)
                clients.gsasl(port, "SCRAM-SHA-256", user, password)
                self.bed.ctl("auth", "test", user, "--password-stdin", password=password)
                self.bed.ctl("user", "add", user, "--password-stdin", password=password)
        self.bed.ctl("user", "passwd", USER, "--password-stdin", password=self.password)
        leaks.search_processes(self.bed.secrets, self.bed.processes())
        # Not the mail queue's folders alone: the database and its write-ahead log are there too.
        searched = {path.name for path in leaks.search_files(self.bed.secrets, self.bed.folder)}
        self.assertLessEqual({"sasld.db", "sasld.db-wal", "sasld.log", "adapter.log", "postfix.log"},
                             searched)

    def test_the_search_finds_what_is_there(self):
        trap = self.bed.folder / "trap"
        for content in (self.password.encode(), plain(USER, self.password).encode(),
                        plain("x" + USER, self.password).encode(),
                        plain("xx" + USER, self.password).encode()):
            trap.write_bytes(b"before " + content + b" after")
            with self.assertRaises(AssertionError):
                leaks.search_files(self.bed.secrets, self.bed.folder)
        trap.unlink()
        sleeper = subprocess.Popen(["sleep", "60"], env={"PATH": "/usr/bin:/bin", "X": self.password})
        try:
            with self.assertRaises(AssertionError):
                # The environment is there once exec(2) is done.
                for _ in range(100):
                    leaks.search_processes(self.bed.secrets, [sleeper.pid])
                    time.sleep(0.05)
        finally:
            sleeper.kill()
            sleeper.wait()

    def test_saslctl_takes_no_password_as_an_argument(self):
        for command in (("user", "add", "x@example.org"), ("user", "passwd", USER),
                        ("auth", "test", USER)):
            for option in ["--password", "hunter2"], ["--password=hunter2"]:
                done = self.bed.ctl(*command, *option)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertNotIn("hunter2", done.stdout + done.stderr)

    def test_core_dumps_are_off(self):
        limits = pathlib.Path(f"/proc/{self.bed.sasld.pid}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4:6], ["0", "0"])

    def test_only_its_own_account_may_use_the_admin_socket(self):
        self.assertEqual(self.bed.admin_socket.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    bed.main()
