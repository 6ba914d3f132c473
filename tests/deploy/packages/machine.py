"""A root that systemd runs in as process 1, in a container of systemd-nspawn: without network, in cgroups of its own."""
import os
import pathlib
import re
import signal
import subprocess
import time

import packages
from roots import Failed, Root, overlay, run

PATIENCE = 60


def wait_until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"not within {PATIENCE} s: {what}")
        time.sleep(0.1)
    return value


class Cgroups:
    """A group of our own in each hierarchy that systemd may use, where there is only version 2, only 1, or both."""

    def __init__(self, name):
        """`name` begins as the one by which ./run finds what is left of them."""
        places = [pathlib.Path("/sys/fs/cgroup", name) for name in ("", "systemd", "unified")]
        # One name for all: where there are both versions, systemd makes the group of one in the other too.
        self._own = [place / name for place in places if (place / "cgroup.procs").exists()]
        if not self._own:
            raise Failed("there are no cgroups below /sys/fs/cgroup, and systemd does not start without")
        for folder in self._own:
            folder.mkdir()

    def enter(self):
        """Called in the process that shall be in them."""
        for folder in self._own:
            (folder / "cgroup.procs").write_text("0")

    def close(self):
        for folder in self._own:
            for path, _, _ in os.walk(folder, topdown=False):
                wait_until(f"{path} is empty", lambda: self._removed(path))

    @staticmethod
    def _removed(path):
        try:
            os.rmdir(path)
        except OSError:
            return False
        return True


class Machine(Root):
    """Boots a fresh root. run() and what is built on it are inside."""

    def __init__(self, work):
        self.folder = overlay("booted", work, packages.libraries())
        self._mounted, self._started = [], []
        (self.folder / "packages").mkdir()
        self._cgroups = Cgroups(f"{work.name}-{time.monotonic_ns()}")
        self._console = open(work / "console", "w+b")
        self._nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.folder}", "--machine=sasld-test", "--register=no",
             "--keep-unit", "--private-network", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe"],
            stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console, preexec_fn=self._cgroups.enter)
        try:
            self._init = wait_until("systemd-nspawn starts process 1", self._first_child)
            wait_until("systemd has booted", self._booted)
        except Failed as failure:
            self._console.seek(0)
            said = self._console.read().decode(errors="replace")
            self.close()
            raise Failed(f"{failure}; the console:\n{said}") from None

    def _first_child(self):
        if self._nspawn.poll() is not None:
            raise Failed(f"systemd-nspawn ended with {self._nspawn.returncode}")
        children = pathlib.Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        return next((int(child) for child in children if self._is_init(child)), None)

    @staticmethod
    def _is_init(child):
        return re.search(r"(?m)^NSpid:.*\t1$", pathlib.Path(f"/proc/{child}/status").read_text())

    def _booted(self):
        try:
            return self.run("systemctl", "is-system-running").strip() == "running"
        except Failed as failure:
            if re.search(r"(?m)^degraded$", str(failure)):
                raise Failed("units of the base failed: " + self.run("systemctl", "--failed")) from None
            return False

    def close(self):
        # What systemd takes for the wish to power off.
        if self._nspawn.poll() is None:
            os.kill(self._nspawn.pid, signal.SIGTERM)
            try:
                self._nspawn.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
        self._console.close()
        self._cgroups.close()

    def inside(self, *command, only=()):
        """The command that runs another in the container; `only`: of its namespaces, these."""
        which = only or ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        return ["nsenter", f"--target={self._init}", *which, *map(str, command)]

    def command(self, *command):
        return self.inside("env", "-i", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                           "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command)

    # What systemd says of a unit.

    def state(self, unit):
        done = subprocess.run(self.command("systemctl", "is-active", unit), capture_output=True, text=True)
        return done.stdout.strip()

    def enabled(self, unit):
        done = subprocess.run(self.command("systemctl", "is-enabled", unit), capture_output=True, text=True)
        return done.stdout.strip()

    def property(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def failed_units(self):
        return self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)
