"""Which of Debian's packages files belong to, and what a build was made from."""
import os
import pathlib
import re
import shutil
import subprocess
import sys


def _run(*command, check=True, **more):
    return subprocess.run([*map(str, command)], check=check, capture_output=True, text=True, **more).stdout


def _names(path):
    """As dpkg may know the file: packages still have files in /lib, which is a link to /usr/lib."""
    path = str(path)
    yield path
    if path.startswith("/usr/lib"):
        yield path.removeprefix("/usr")


def owners(files):
    """The names of the packages that have `files`; all of them have to be of some package."""
    asked = {name for file in files for name in _names(os.path.realpath(file))}
    found = {}
    for line in _run("dpkg", "-S", *sorted(asked), check=False).splitlines():
        packages, separator, path = line.partition(": ")
        if separator and not line.startswith("diversion "):
            found[path] = packages.split(",")[0].split(":")[0]
    strange = [file for file in files if not any(name in found for name in _names(os.path.realpath(file)))]
    if strange:
        sys.exit(f"debian_packages.py: of no package: {', '.join(map(str, strange))}")
    return set(found.values())


def fields(name):
    """Name, version, architecture, source and its version, of an installed package."""
    text = _run("dpkg-query", "-W", "-f", r"${Package}\t${Version}\t${Architecture}\t${source:Package}\t"
                r"${source:Version}\t${Homepage}\n", name)
    return dict(zip(("name", "version", "architecture", "source", "source_version", "homepage"),
                    text.splitlines()[0].split("\t")))


def record(name, root):
    """What scanners look for, and the licence, which has to come along."""
    entry = _run("dpkg-query", "-s", name)
    (root / "var/lib/dpkg/status.d" / name).write_text(entry)
    source = pathlib.Path("/usr/share/doc", name, "copyright")
    if not source.exists():
        sys.exit(f"debian_packages.py: {source} is missing: the base image must keep the licences of its packages")
    target = root / str(source).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def built_from(build, programs):
    """(packages of the archives that were linked into `programs`, packages of all headers they were compiled with)."""
    build = pathlib.Path(build)
    archives, headers = set(), set()
    for program in programs:
        commands = _run("ninja", "-C", build, "-t", "commands", f"bin/{program}")
        archives.update(re.findall(r"\s(/usr/lib\S+\.a)(?=\s)", commands.splitlines()[-1] + " "))
        objects = set(re.findall(r" -o (\S+\.o) ", commands))
        headers |= _headers(build, objects)
    return owners(archives), owners(headers)


def _headers(build, objects):
    """Of the system, that `objects` depend on, as the compiler told ninja."""
    found, wanted = set(), False
    for line in _run("ninja", "-C", build, "-t", "deps").splitlines():
        if line[:1] not in ("", " "):
            wanted = line.split(": ")[0] in objects
        elif wanted and line.strip().startswith("/usr/"):
            found.add(os.path.realpath(line.strip()))
    return found
