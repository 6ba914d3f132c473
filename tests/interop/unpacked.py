"""Peers from Debian's packages that cannot be installed, as a mail server would start with them."""
import fcntl
import pathlib
import shutil
import subprocess
import tempfile


def unpack(peers, name, packages):
    """The folder below `peers` with what is in the packages, which test programs running beside each
    other share. Nothing is installed, no maintainer script runs."""
    peers = pathlib.Path(peers)
    peers.mkdir(parents=True, exist_ok=True)
    with open(peers / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree, unpacked = peers / name, peers / f"{name}.packages"
        if tree.exists() and unpacked.exists() and unpacked.read_text().split() == list(packages):
            return tree
        shutil.rmtree(tree, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=peers) as draft:
            _download(draft, packages)
            for package in pathlib.Path(draft).glob("*.deb"):
                subprocess.run(["dpkg", "-x", package, f"{draft}/tree"], check=True)
            shutil.move(f"{draft}/tree", tree)
        unpacked.write_text("\n".join(packages) + "\n")
        return tree


def _download(folder, packages):
    def run(*command):
        return subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", *command],
                              cwd=folder, capture_output=True, text=True)
    done = run("download", *packages)
    if done.returncode != 0:  # old lists name versions that the mirror no longer has
        run("update")
        done = run("download", *packages)
    assert done.returncode == 0, f"apt-get download {packages}:\n{done.stderr}"
