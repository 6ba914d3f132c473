"""A container as a node makes it of a manifest: its filesystem, its user, its processes."""
import ctypes
import os
import pathlib
import shutil
import subprocess
import time

import tools
from model import context, pod_of
from node import run

PR_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None)


class Container:
    def __init__(self, node, objects, workload, spec):
        self.workload, self.spec, self.root = workload, spec, node.folder / "roots" / spec["name"]
        self.process = None
        self.root.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.root)
        self._make_image()
        for mount in sorted(spec.get("volumeMounts", []), key=lambda one: one["mountPath"]):
            source = node.volume(objects, workload, mount["name"]) / mount.get("subPath", "")
            self._bind(source.resolve(), mount["mountPath"], mount.get("readOnly", False))
        if spec["securityContext"].get("readOnlyRootFilesystem"):
            run("mount", "-o", "remount,ro", self.root)

    def close(self):
        self.stop()
        run("umount", "-R", self.root)
        self.root.rmdir()

    def _make_image(self):
        """What the programs need of an image: libraries, themselves, the special files that every container has."""
        for folder in ("usr/lib", "usr/sbin", "usr/bin", "etc", "dev", "proc", "run", "var/lib"):
            (self.root / folder).mkdir(parents=True)
        for folder in ("lib", "lib64"):
            (self.root / folder).symlink_to(f"usr/{folder}")
            if pathlib.Path("/usr", folder).is_dir():
                self._bind(pathlib.Path("/usr", folder), f"/usr/{folder}", True)
        for name, folder in (("sasld", "sbin"), ("sasld-adapter", "sbin"), ("saslctl", "bin")):
            shutil.copy(tools.programs / name, self.root / "usr" / folder)
        # In the place of the cluster's DNS: the Service's address.
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.0.1 sasld\n")
        for device in ("null", "urandom"):
            self._bind(pathlib.Path("/dev", device), f"/dev/{device}", False)
        run("mount", "-t", "proc", "proc", self.root / "proc")

    def _bind(self, source, at, read_only):
        target = self.root / at.lstrip("/")
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        run("mount", "--bind", source, target)
        if read_only:
            run("mount", "-o", "remount,bind,ro", target)

    def enter(self, user=None, group=None):
        """Makes the calling process one of the container, for good. Without a user: the manifest's own, with the groups
        that it has then."""
        groups = []
        if user is None:
            user, group = (context(self.workload, self.spec, key) for key in ("runAsUser", "runAsGroup"))
            fs_group = pod_of(self.workload).get("securityContext", {}).get("fsGroup")
            groups = [fs_group] if fs_group else []
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups(groups)
        os.setgid(group)
        os.setuid(user)
        assert _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0

    def _environment(self):
        return {"PATH": "/usr/sbin:/usr/bin", **{one["name"]: one["value"] for one in self.spec.get("env", [])}}

    def start(self):
        self.process = subprocess.Popen([*self.spec["command"], *self.spec["args"]], env=self._environment(),
                                        preexec_fn=self.enter, stdin=subprocess.DEVNULL)
        self.wait_until_started()

    def wait_until_started(self):
        """As long and as often as the startup probe says."""
        probe = self.spec["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            assert self.process.poll() is None, f"{self.spec['name']} ended with {self.process.returncode}"
            done = self.exec(*probe["exec"]["command"], timeout=probe["timeoutSeconds"])
            if done.returncode == 0:
                return
            time.sleep(probe["periodSeconds"])
        raise AssertionError(f"{self.spec['name']}: startupProbe: {done.stdout}{done.stderr}")

    def probe(self, kind):
        probe = self.spec[kind]
        return self.exec(*probe["exec"]["command"], timeout=probe["timeoutSeconds"])

    def exec(self, *command, given="", timeout=tools.PATIENCE):
        """As kubectl exec."""
        return subprocess.run(command, env=self._environment(), preexec_fn=self.enter, input=given, text=True,
                              capture_output=True, timeout=timeout)

    def stop(self):
        """As at the end of a pod: SIGTERM, and the time of grace. The exit status."""
        if self.process is None:
            return None
        self.process.terminate()
        status = self.process.wait(pod_of(self.workload).get("terminationGracePeriodSeconds", 30))
        self.process = None
        return status
