"""The four containers of deploy/docker/compose.yaml, and what can be seen of them from outside."""
import os
import pathlib
import signal
import stat

from checks import wait_until

DOCKER = pathlib.Path(__file__).parents[2] / "deploy/docker"
SERVICES = ("sasld", "adapter", "postfix", "dovecot")


class Stack:
    def __init__(self, engine, version, *files):
        self.engine = engine
        self.environment = {"SASLD_VERSION": version, "SASLD_BASE": "sasld-base:test"}
        self._files = [option for file in ("compose.yaml", *files) for option in ("-f", str(DOCKER / file))]

    def compose(self, *command, **more):
        return self.engine.run("docker-compose", "--project-directory", DOCKER, *self._files, *command,
                               environment=self.environment, **more).stdout

    def up(self):
        self.compose("up", "-d", "--no-build")
        for service in SERVICES:
            self.becomes(service, "healthy")

    def script(self, name, *arguments):
        return self.engine.run(DOCKER / name, *arguments, environment=self.environment).stdout

    def saslctl(self, *command, given=None):
        return self.compose("exec", "-T", "sasld", "saslctl", *command, given=given if given is not None else "")

    def container(self, service):
        found = self.engine.docker("ps", "-aq", "--no-trunc", "--filter", f"label=com.docker.compose.service={service}")
        assert found and "\n" not in found, f"containers of {service}: {found!r}"
        return found

    def inspect(self, service):
        return self.engine.inspect(self.container(service))

    def health(self, service):
        return self.inspect(service)["State"].get("Health", {}).get("Status")

    def becomes(self, service, wanted):
        try:
            wait_until(f"{service} is {wanted}", lambda: self.health(service) == wanted, 90)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(service)[-2000:]}\n"
                                 f"{self.inspect(service)['State'].get('Health')}") from error

    def pid(self, service):
        pid = self.inspect(service)["State"]["Pid"]
        assert pid, f"{service} does not run"
        return pid

    def kill(self, service):
        """As a crash, or the kernel out of memory, would: nobody asked the engine to."""
        os.kill(self.pid(service), signal.SIGKILL)

    def started(self, service):
        return self.container(service), self.inspect(service)["State"]["StartedAt"]

    def log(self, service):
        done = self.engine.run("docker", "logs", self.container(service))
        return done.stdout + done.stderr

    def logs(self):
        """The ends of all."""
        return self.compose("logs", "--no-color", "--tail", "40")

    def status(self, service):
        """{name: value} of what the kernel says of its first process."""
        lines = pathlib.Path(f"/proc/{self.pid(service)}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def file(self, service, path):
        """Kind, owner, group and mode, as numbers."""
        found = os.lstat(f"/proc/{self.pid(service)}/root{path}")
        return stat.filemode(found.st_mode)[0], found.st_uid, found.st_gid, f"{stat.S_IMODE(found.st_mode):04o}"
