"""The systemd units: that systemd takes them, how much they are shut in, and that the watchdog is told."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import programs

UNITS = pathlib.Path(__file__).resolve().parents[2] / "deploy/systemd"
SERVICES = "sasld.service", "sasld-adapter.service"
MOST_EXPOSURE = 20  # tenths: "OK" ends at 4.0


def systemd_analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SYSTEMD_PAGER": ""})


class Files(unittest.TestCase):
    """The units, each as it is and with the drop-ins beside it."""

    def each_way(self):
        """Folders with the units, of which systemd reads a drop-in for itself."""
        for drop_ins in False, True:
            with self.subTest(drop_ins=drop_ins), \
                    tempfile.TemporaryDirectory(prefix="sasld-units-") as name:
                folder = pathlib.Path(name)
                for unit in UNITS.glob("*.s[eo]*"):
                    if unit.is_dir() and drop_ins:
                        shutil.copytree(unit, folder / unit.name)
                    elif not unit.is_dir():
                        # Neither programs nor manual pages are installed here.
                        text = re.sub("/usr/sbin/[a-z-]+", "/bin/true", unit.read_text())
                        text = re.sub("^Documentation=.*\n", "", text, flags=re.M)
                        (folder / unit.name).write_text(text)
                yield folder

    def test_systemd_takes_them(self):
        for folder in self.each_way():
            for unit in *SERVICES, "sasld-adapter.socket":
                done = systemd_analyze("verify", folder / unit)
                said = [line for line in done.stderr.splitlines() if "sasld" in line]
                self.assertEqual((done.returncode, said), (0, []), unit)

    def test_systemd_reads_the_drop_ins(self):
        folders = {service: UNITS / f"{service}.d" for service in SERVICES}
        for service, folder in folders.items():
            self.assertTrue(list(folder.glob("*.conf")), service)
        with tempfile.TemporaryDirectory(prefix="sasld-units-") as name:
            (pathlib.Path(name) / "a.service").write_text("[Service]\nExecStart=/bin/true\n")
            drop_in = pathlib.Path(name) / "a.service.d/wrong.conf"
            drop_in.parent.mkdir()
            drop_in.write_text("[Service]\nNoSuchKey=1\n")
            self.assertIn("NoSuchKey", systemd_analyze("verify", f"{name}/a.service").stderr)

    def test_they_are_shut_in(self):
        for folder in self.each_way():
            for service in SERVICES:
                done = systemd_analyze("security", "--offline=true",
                                       f"--threshold={MOST_EXPOSURE}", folder / service)
                last = done.stdout.strip().splitlines()[-1]
                print(service, re.search(r"[\d.]+ [A-Z]+", last)[0])
                self.assertEqual(done.returncode, 0, last)

    def test_accounts(self):
        with tempfile.TemporaryDirectory(prefix="sasld-root-") as root:
            done = subprocess.run(["systemd-sysusers", "--root", root, "--dry-run", UNITS / "sasld.sysusers"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        for account in "sasld", "sasld-adapter":
            self.assertIn(f"Creating user '{account}'", done.stderr)


class Watchdog(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sasld-watchdog-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notified.close)
        self.notified.bind(str(self.folder / "notify"))
        self.notified.settimeout(programs.PATIENCE)

    def told(self, program, config):
        """What systemd is told, until it was told twice that the program is alive."""
        (self.folder / "config.toml").write_text(config)
        process = subprocess.Popen(
            [programs.folder / program, "--config", self.folder / "config.toml"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")})
        try:
            words = []
            while words.count("WATCHDOG=1") < 2:
                words += self.notified.recv(4096).decode().split()
            return words
        finally:
            process.terminate()
            process.wait(30)

    def test_sasld(self):
        self.assertEqual(self.told("sasld", f"""
[store]
url = "memory:"
[keys]
file = "{self.folder}/key"
[listen]
sasl = ["unix:{self.folder}/sasl.sock"]
admin = ["unix:{self.folder}/admin.sock"]
"""), ["READY=1", "WATCHDOG=1", "WATCHDOG=1"])

    def test_sasld_adapter(self):
        self.assertEqual(self.told("sasld-adapter", f"""
[server]
addresses = ["unix:{self.folder}/sasl.sock"]
[[listen]]
protocol = "dovecot-auth"
path = "{self.folder}/auth.sock"
"""), ["READY=1", "WATCHDOG=1", "WATCHDOG=1"])


if __name__ == "__main__":
    programs.main()
