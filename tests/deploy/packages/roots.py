"""Fresh Debian 12 systems in folders, made by debootstrap from the mirror that this machine's own apt uses.

Everything is mounted in the mount namespace that ./run made, so nothing of it is seen outside or stays. A base is made
once and kept as a tarball in build/deploy; each root is an overlay on one, so that it starts as fresh and is thrown away.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import zlib

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
KEPT = CHECKOUT / "build/deploy"
PACKAGES = ("sasld", "sasld-adapter", "saslctl", "libsasl2-modules-sasld")
# What is installed in each beside the smallest Debian there is. The booted ones have no network, so "booted" also gets
# what our packages depend on.
BASES = {"bare": [], "booted": ["systemd", "dbus", "postfix"]}


class Failed(Exception):
    pass


def run(*command, given=None, **more):
    """What it prints. Whatever ends otherwise than with 0 is seen."""
    done = subprocess.run([str(word) for word in command], input=given, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL if given is None else None, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")
    return done.stdout


def debian_sources():
    """What apt here has of Debian itself, as lines of a sources.list."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN) $(COMPONENT)",
                  "Created-By: Packages")
    found = re.findall(r"^(\S+) (bookworm\S*) Debian (main)$", targets, re.M)
    if not any(release == "bookworm" for _, release, _ in found):
        raise Failed("apt here has no lists of Debian 12's packages, from whose mirror a root could be made: apt-get update")
    return sorted({f"deb {uri} {release} {component}\n" for uri, release, component in found})


def _make_base(content, folder):
    mirror = next(line.split()[1] for line in debian_sources() if line.split()[2] == "bookworm")
    cache = KEPT / "archives"
    cache.mkdir(exist_ok=True)
    run("debootstrap", "--variant=minbase", f"--cache-dir={cache}", "bookworm", folder, mirror)
    (folder / "etc/apt/sources.list").write_text("".join(debian_sources()))
    proxies = [line for line in run("apt-config", "dump").splitlines() if re.match(r"Acquire::\w+::Proxy", line)]
    (folder / "etc/apt/apt.conf.d/90test").write_text("\n".join(
        [*proxies, 'Acquire::Languages "none";', 'APT::Sandbox::User "root";', 'APT::Keep-Downloaded-Packages "true";',
         'Dpkg::Use-Pty "0";', ""]))
    if pathlib.Path("/etc/resolv.conf").exists():
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    root = Root(folder)
    try:
        root.apt("update")
        if content:
            root.install(*content)
    finally:
        root.close()


def base(name, work, extra=()):
    """The folder of a base, unpacked below `work`. `extra`: packages that it has too."""
    content = sorted({*BASES[name], *extra})
    folder, tarball = work / name, KEPT / f"{name}-{zlib.crc32(' '.join(content).encode()):08x}.tar"
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        if not tarball.exists():
            _make_base(content, folder)
            draft = tarball.with_suffix(".part")
            run("tar", "-C", folder, "--numeric-owner", "--xattrs", "-cf", draft, ".")
            draft.rename(tarball)
        else:
            run("tar", "-C", folder, "--numeric-owner", "--xattrs", "-xf", tarball)
    return folder


class Root:
    """A root that commands run in by chroot. No systemd runs there."""

    def __init__(self, folder):
        self.folder = folder
        self._mounted = []
        self._started = []
        self.mount("-t", "proc", "proc", folder / "proc")
        self.mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder / "dev")
        run("bash", "-c", "cd \"$0\" && for d in null zero full random urandom tty; do touch $d && "
            "mount --bind /dev/$d $d; done && ln -s /proc/self/fd fd && mkdir shm", folder / "dev")
        cache = KEPT / "archives"
        cache.mkdir(parents=True, exist_ok=True)
        self.mount("--bind", cache, folder / "var/cache/apt/archives")

    @classmethod
    def fresh(cls, name, work):
        """An overlay on a base."""
        return cls(overlay(name, work))

    def mount(self, *arguments):
        run("mount", *arguments)
        self._mounted.append(arguments[-1])

    def close(self):
        for process in self._started:
            process.kill()
            process.wait()
        for place in reversed(self._mounted):
            run("umount", "--recursive", place)
        self._mounted, self._started = [], []

    def command(self, *command):
        return ["chroot", str(self.folder), "env", "-i", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *map(str, command)]

    def run(self, *command, given=None):
        return run(*self.command(*command), given=given)

    def start(self, *command):
        """A program that runs until close()."""
        log = open(self.folder / "tmp/log", "ab")
        process = subprocess.Popen(self.command(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self._started.append(process)
        return process

    def end(self, process):
        process.terminate()
        if process.wait(30) != 0:
            raise Failed(f"ended with {process.returncode}:\n{(self.folder / 'tmp/log').read_text()}")

    def apt(self, *arguments):
        return self.run("apt-get", "-q", "-y", *arguments)

    def install(self, *names, options=()):
        """Packages of Debian's, or files in the root. Old lists may name versions that the mirror no longer has."""
        command = ("--no-install-recommends", *options, "install", *names)
        try:
            return self.apt(*command)
        except Failed as failure:
            if "Failed to fetch" not in str(failure):
                raise
            self.apt("update")
            return self.apt(*command)

    def give(self, *files):
        """Copies files to /packages in the root. Returns the paths there."""
        (self.folder / "packages").mkdir(exist_ok=True)
        return [f"/packages/{pathlib.Path(shutil.copy(file, self.folder / 'packages')).name}" for file in map(pathlib.Path, files)]

    def path(self, inside):
        return self.folder / inside.lstrip("/")

    def listing(self):
        """All paths, but those that apt, dpkg, ldconfig and adduser keep for themselves."""
        own = re.compile(r"/(proc|dev|sys|tmp|packages)/|/var/(cache|log|lib/(apt|dpkg))/|/run/adduser$|"
                         r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$")
        found = set()
        for folder, folders, files in os.walk(self.folder):
            for name in folders + files:
                path = "/" + str((pathlib.Path(folder) / name).relative_to(self.folder))
                if not own.match(path) and not own.match(path + "/"):
                    found.add(path)
        return found

    def facts(self, inside):
        """owner:group mode, by the root's own names."""
        return self.run("stat", "-c", "%U:%G %a", inside).strip()


def overlay(name, work, extra=()):
    lower = base(name, work, extra)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work))
    for part in "upper", "work", "root":
        (folder / part).mkdir()
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work", folder / "root")
    return folder / "root"
