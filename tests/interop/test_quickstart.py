"""deploy/quickstart, as a newcomer runs it: twice, in odd places, ended in every way.

It builds build/release, so this is a test of that build only.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import bed

QUICKSTART = bed.CHECKOUT / "deploy/quickstart"


def processes_naming(text):
    """Process ids whose arguments hold `text`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if text.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sasld-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder)
        # A blank in the path, and only its owner may enter.
        self.state = self.folder / "my run"
        self.folder.chmod(0o700)

    def once(self, *arguments, **more):
        return subprocess.run([QUICKSTART, "--once", *arguments], capture_output=True, text=True,
                              timeout=540, cwd=self.folder, **more)

    def test_twice(self):
        first = self.once("--state", self.state, stdin=subprocess.DEVNULL)
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertIn("All 6 logins did what they should", first.stdout)
        self.assertEqual(len(re.findall(r"^ *answer +235 ", first.stdout, flags=re.M)), 3)
        self.assertEqual(len(re.findall(r"^ *answer +535 ", first.stdout, flags=re.M)), 3)
        self.assertNotIn("NOT OK", first.stdout)
        self.assertEqual(processes_naming(str(self.state)), [])
        password = (self.state / "demo.password").read_text().strip()
        self.assertEqual((self.state / "demo.password").stat().st_mode & 0o077, 0)
        self.assertNotIn(password, first.stdout + first.stderr)

        began = time.monotonic()
        # With its standard input closed, and from elsewhere by a symbolic link.
        link = self.folder / "link"
        link.symlink_to(QUICKSTART)
        second = subprocess.run(["bash", "-c", '"$@" <&-', "closed", link, "--once",
                                 "--state=my run"], capture_output=True, text=True, timeout=300,
                                cwd=self.folder)
        self.assertEqual(second.returncode, 0, second.stdout + second.stderr)
        self.assertIn("demo@example.org is kept", second.stdout)
        self.assertEqual((self.state / "demo.password").read_text().strip(), password)
        self.assertLess(time.monotonic() - began, 60)

    def up(self):
        """A quick start that stays up, and what it printed so far."""
        self.output = self.folder / "output"
        with open(self.output, "w") as output:
            running = subprocess.Popen([QUICKSTART, "--state", self.state], stdout=output,
                                       stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(lambda: running.poll() is None and running.kill())

        def ready():
            self.assertIsNone(running.poll(), self.output.read_text())
            return "until Ctrl-C." in self.output.read_text()
        bed.wait_until("the quick start is up", ready, seconds=540)
        return running, self.output.read_text()

    def all_gone(self):
        bed.wait_until("all programs have ended", lambda: not processes_naming(str(self.state)))

    def test_stays_up_until_ctrl_c(self):
        running, printed = self.up()
        port = int(re.search(r"SMTP on 127\.0\.0\.1:(\d+)", printed).group(1))
        self.assertIn(f"127.0.0.1:{port}", printed)
        # What it says to type works.
        exported = re.search(r"export SASLCTL_SERVER='(unix:.*)'", printed).group(1)
        listed = subprocess.run([bed.arguments.bin / "saslctl", "user", "list"], text=True,
                                env={**os.environ, "SASLCTL_SERVER": exported}, capture_output=True)
        self.assertIn("demo@example.org", listed.stdout)
        # Another one on the same folder is refused, and one on another folder is not.
        second = self.once("--state", self.state)
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(running.pid), second.stderr)
        other = self.once("--state", self.folder / "other")
        self.assertEqual(other.returncode, 0, other.stdout + other.stderr)

        os.killpg(running.pid, signal.SIGINT)
        self.assertEqual(running.wait(bed.PATIENCE), 0)
        self.all_gone()

    def test_killed_it_takes_everything_along(self):
        running, _ = self.up()
        running.kill()
        running.wait()
        self.all_gone()

    def test_program_that_ends_is_told(self):
        running, _ = self.up()
        for pid in processes_naming(f"{self.state}/adapter.toml"):
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
            if command.endswith(b"sasld-adapter"):
                os.kill(pid, signal.SIGKILL)
        self.assertNotEqual(running.wait(bed.PATIENCE), 0)
        self.assertIn("adapter has ended", self.output.read_text())
        self.all_gone()

    def test_usage(self):
        self.assertEqual(self.once("--frobnicate").returncode, 2)
        self.assertEqual(self.once("--state").returncode, 2)
        helped = self.once("--help")
        self.assertEqual((helped.returncode, helped.stderr), (0, ""))
        self.assertIn("--state DIR", helped.stdout)

    def test_path_that_is_too_long_or_odd(self):
        for name, words in ("x" * 100, "too long"), ("a$b", "characters"):
            refused = self.once("--state", self.folder / name)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(words, refused.stderr)


if __name__ == "__main__":
    bed.main()
