"""A Docker engine of our own: its data, socket and processes are ours, and end with us."""
import json
import os
import pathlib
import signal
import subprocess
import sys

from checks import wait_until


class Engine:
    """`folder` keeps images from one engine to the next. `tools` has the unpacked programs."""

    def __init__(self, folder, tools, *options):
        self.folder = pathlib.Path(folder)
        self.socket = self.folder / "engine.sock"
        self.log = self.folder / "engine.log"
        self._options = options
        self.environment = {
            **os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.folder / "client"),
            "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1",
            # No other client that may be on this machine.
            "PATH": f"{tools}/usr/sbin:{tools}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self._tools = pathlib.Path(tools)

    def __enter__(self):
        settings = self.folder / "engine.json"
        settings.write_text("{}")  # not those of a Docker on this machine
        command = [self._tools / "usr/sbin/dockerd", "--data-root", self.folder / "data",
                   "--exec-root", self.folder / "exec", "--pidfile", self.folder / "engine.pid",
                   "--host", f"unix://{self.socket}", "--cgroup-parent", f"/{self.folder.name}",
                   "--config-file", settings, *self._options]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=self.environment)
        try:
            wait_until("the engine answers", self._answers, 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def _answers(self):
        assert self._process.poll() is None, (
            f"dockerd ended with {self._process.returncode}:\n{self.log.read_text(errors='replace')[-3000:]}")
        return self.run("docker", "version", check=False).returncode == 0

    def run(self, *command, check=True, given=None, environment=None, timeout=600):
        done = subprocess.run(
            [*map(str, command)], input=given, stdin=subprocess.DEVNULL if given is None else None, text=True,
            capture_output=True, env={**self.environment, **(environment or {})}, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}")
        return done

    def docker(self, *command, **more):
        """What it prints."""
        return self.run("docker", *command, **more).stdout.strip()

    def inspect(self, what):
        return json.loads(self.docker("inspect", what))[0]

    def logged(self, *command, **more):
        """For long ones: what it prints goes to this process's standard error as it comes."""
        subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True,
                       env=self.environment, **more)
