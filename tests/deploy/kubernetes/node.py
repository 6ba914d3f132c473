"""What a node makes of pods, as far as files, mounts, users and groups go: the programs run as the manifests say.

Everything is inside namespaces of its own for mounts, network and processes (see enter()), and gone with them.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import tools
from model import pod_of, volumes_of

INSIDE = "SASLD_TEST_INSIDE_NAMESPACES"


def enter():
    """Starts this test program again in namespaces of its own; returns in there only."""
    if os.environ.pop(INSIDE, None):
        run("ip", "link", "set", "lo", "up")
        return
    tools.node_folder()  # the network is out here
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    command = [*as_root, "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private",
               "env", f"{INSIDE}=yes", sys.executable, "-B", *sys.argv]
    os.execvp(command[0], command)


def run(*command):
    done = subprocess.run([*map(str, command)], text=True, capture_output=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


class Node:
    def __init__(self, secrets):
        """secrets: a folder with the files of each Secret in a folder of its name."""
        self.secrets = secrets
        self._folder = tempfile.TemporaryDirectory(prefix="sasld-node-")
        self.folder = pathlib.Path(self._folder.name)
        # Whatever is mounted below goes with it, also while the namespace still is.
        run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.folder)
        self._volumes = {}

    def close(self):
        run("umount", "-R", self.folder)
        self._folder.cleanup()

    def volume(self, objects, workload, name):
        """The folder of a volume: made as kubelet makes it, and the same for all containers of the pod. That of a claim is
        there for later pods too."""
        volume = volumes_of(workload)[name]
        where = (workload["metadata"]["name"], name)
        if where not in self._volumes:
            folder = self._volumes[where] = self.folder / "volumes" / "-".join(where)
            folder.mkdir(parents=True)
            group = pod_of(workload).get("securityContext", {}).get("fsGroup")
            if "emptyDir" in volume:
                folder.chmod(0o777)
            elif "configMap" in volume:
                (data,) = [one["data"] for one in objects if one["kind"] == "ConfigMap"
                           and one["metadata"]["name"] == volume["configMap"]["name"]]
                _write_files(folder, {key: text.encode() for key, text in data.items()}, 0o644, group)
            elif "secret" in volume:
                files = (self.secrets / volume["secret"]["secretName"]).iterdir()
                _write_files(folder, {file.name: file.read_bytes() for file in files},
                             volume["secret"]["defaultMode"], group)
            if group and {"emptyDir", "claim"} & volume.keys():
                os.chown(folder, -1, group)
                folder.chmod(folder.stat().st_mode & 0o777 | 0o2770)
        return self._volumes[where]

    def forget_pod(self, workload):
        """The pod is gone, and all of its volumes but those that were claimed."""
        for where in [one for one in self._volumes if one[0] == workload["metadata"]["name"]]:
            if "claim" not in volumes_of(workload)[where[1]]:
                shutil.rmtree(self._volumes.pop(where))


def _write_files(folder, files, mode, group):
    """As in volumes of Secrets and ConfigMaps: links into a folder that is swapped as a whole."""
    data = folder / "..2026"
    data.mkdir()
    (folder / "..data").symlink_to("..2026")
    for name, content in files.items():
        (data / name).write_bytes(content)
        (data / name).chmod(mode)
        if group:
            os.chown(data / name, -1, group)
        (folder / name).symlink_to(f"..data/{name}")
