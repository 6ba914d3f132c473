"""sasld's pod and a Postfix's with the adapter, run as a node would run them, without a cluster: what the manifests say of
mounts, users, groups and configuration lets the programs do their work, and nobody else."""
import base64
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

import checks
import node
import tools
from container import Container
from model import of_kind, pod_of

SMTPD = 5001  # a user; its group is what the manifests say that Postfix's is
QUEUE = "/var/spool/postfix"
PASSWORD = "correct horse battery"


def auth(password, path="sasld/auth"):
    """One login by PLAIN at the adapter's socket, as smtpd does from its queue directory: the answer's line."""
    os.chdir(QUEUE)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(tools.PATIENCE)
        connection.connect(path)
        lines = connection.makefile("rwb")
        while not lines.readline().startswith(b"DONE"):
            pass
        message = base64.b64encode(f"\0ann@example.org\0{password}".encode()).decode()
        lines.write(f"VERSION\t1\t1\nCPID\t{os.getpid()}\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp={message}\n".encode())
        lines.flush()
        return lines.readline().decode() or "hung up on"


def in_container(container, user, group, what):
    """What a function returns that runs there as that user, or the name of the error that it raised."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            container.enter(user, group)
            result = str(what())
        except OSError as error:
            result = type(error).__name__ + f" {error.errno}"
        os.write(write, result.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        result = answer.read()
    os.waitpid(child, 0)
    return result


class InPods(unittest.TestCase):
    def setUp(self):
        self.node = node.Node(self.secrets())
        self.addCleanup(self.node.close)
        self.objects = self.renderings()
        (self.server,) = of_kind(self.objects, "StatefulSet")
        (self.postfix,) = of_kind(self.objects, "Deployment")
        self.sasld = self.container(self.server, "containers")
        self.adapter = self.container(self.postfix, "initContainers")
        self.smtpd = self.container(self.postfix, "containers")
        self.group = self.adapter.spec["securityContext"]["runAsGroup"]

    def renderings(self):
        return tools.kustomize("overlays/postfix")

    def secrets(self):
        return checks.certificates()

    def container(self, workload, which):
        made = Container(self.node, self.objects, workload, pod_of(workload)[which][0])
        self.addCleanup(lambda: made.root.exists() and made.close())
        return made

    def start_with_a_user(self):
        self.sasld.start()
        self.adapter.start()
        done = self.sasld.exec("/usr/bin/saslctl", "user", "add", "--password-stdin", "ann@example.org",
                               given=PASSWORD + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def login(self, password=PASSWORD, user=SMTPD, group=None):
        return in_container(self.smtpd, user, group or self.group, lambda: auth(password))


class Pods(InPods):
    def test_logins_go_through(self):
        self.start_with_a_user()
        self.assertTrue(self.login().startswith("OK\t1\tuser=ann@example.org"), self.login())
        self.assertTrue(self.login("wrong").startswith("FAIL\t1"))

    def test_socket_is_for_postfix_s_group_only(self):
        self.start_with_a_user()
        path = self.smtpd.root / QUEUE.lstrip("/") / "sasld/auth"
        facts = path.stat()
        self.assertEqual((stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid), (0o660, 10002, self.group))
        self.assertEqual(self.login(group=self.group + 1), "PermissionError 13")
        # Not even Postfix's root can put another socket there.
        self.assertEqual(in_container(self.smtpd, 0, 0, lambda: os.unlink(f"{QUEUE}/sasld/auth")), "OSError 30")

    def test_programs_write_to_their_volumes_only(self):
        self.start_with_a_user()
        for container in (self.sasld, self.adapter):
            for path in ("/etc/sasld/x", "/x", "/usr/x"):
                self.assertEqual(in_container(container, 0, 0, lambda path=path: open(path, "w")), "OSError 30")
        data = self.node.volume(self.objects, self.server, "data")
        for name in ("sasld.key", "sasld.db"):
            facts = (data / name).stat()
            self.assertEqual((stat.S_IMODE(facts.st_mode), facts.st_uid), (0o600, 10001))

    def test_probes(self):
        self.start_with_a_user()
        for container in (self.sasld, self.adapter):
            for kind in ("livenessProbe", "readinessProbe"):
                done = container.probe(kind)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.sasld.stop(), 0)
        # Without sasld the adapter does its work, and no probe ends it or takes Postfix's pod out of its Service.
        for kind in ("livenessProbe", "readinessProbe"):
            done = self.adapter.probe(kind)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        ready = self.adapter.exec(*self.adapter.spec["readinessProbe"]["exec"]["command"], "--ready")
        self.assertEqual(ready.returncode, 1, ready.stdout + ready.stderr)

    def test_accounts_and_key_survive_the_pod(self):
        self.start_with_a_user()
        self.assertEqual(self.sasld.stop(), 0)
        self.sasld.close()
        self.node.forget_pod(self.server)
        self.sasld = self.container(self.server, "containers")
        self.sasld.start()
        self.assertTrue(self.login().startswith("OK\t1\tuser=ann@example.org"), "after another pod has taken over")

    def test_adapter_starts_without_sasld(self):
        self.adapter.start()
        self.assertEqual(self.login(), "hung up on")  # a temporary failure, for Postfix
        self.assertEqual(self.adapter.stop(), 0)


class PodsOfTheChart(Pods):
    """The same with what helm makes."""

    def renderings(self):
        example = tools.Example()
        self.addCleanup(example.close)
        return tools.helm(example.chart, values={"sasld": {"adapter": {"postfixGid": 5000}}})


class KeyFromASecret(InPods):
    """A key file made as the README says."""

    def renderings(self):
        return tools.component("key-from-secret", base="overlays/postfix")

    def secrets(self):
        folder = tempfile.TemporaryDirectory(prefix="sasld-kubernetes-")
        self.addCleanup(folder.cleanup)
        shutil.copytree(checks.certificates(), folder.name, dirs_exist_ok=True)
        key = pathlib.Path(folder.name, "sasld-key")
        key.mkdir()
        (command,) = re.findall(r"^ +(printf 'sasld-keys-2.*)$", (tools.KUSTOMIZE / "README.md").read_text(), re.M)
        subprocess.run(["sh", "-c", command], cwd=key, check=True)
        return pathlib.Path(folder.name)

    def test_logins_go_through(self):
        self.start_with_a_user()
        self.assertTrue(self.login().startswith("OK\t1\tuser=ann@example.org"))
        self.assertEqual(os.listdir(self.node.volume(self.objects, self.server, "data")).count("sasld.key"), 0)

    def test_keys_cannot_be_changed(self):
        self.start_with_a_user()
        done = self.sasld.exec("/usr/bin/saslctl", "key", "rotate")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("/etc/sasld/key", done.stderr)
        self.assertTrue(self.login().startswith("OK\t1\tuser=ann@example.org"))


if __name__ == "__main__":
    tools.main(before=node.enter)
