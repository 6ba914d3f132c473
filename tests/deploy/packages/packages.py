"""The packages as ./run built them, and those of the next version, which have the same in them."""
import re

from roots import CHECKOUT, PACKAGES, run


def _version(folder):
    """Without Debian's revision."""
    package, = (CHECKOUT / folder).glob("sasld_*.deb")
    return package.name.split("_")[1].rpartition("-")[0]


NOW, NEXT = _version("build/packages"), _version("build/deploy/next")
FOLDERS = {NOW: CHECKOUT / "build/packages", NEXT: CHECKOUT / "build/deploy/next"}


def file(name, version=NOW):
    found = list(FOLDERS[version].glob(f"{name}_{version}-*.deb"))
    assert len(found) == 1, f"{FOLDERS[version]}: {found} of {name} {version}"
    return found[0]


def files(names=PACKAGES, version=NOW):
    return [file(name, version) for name in names]


def field(package, name):
    return run("dpkg-deb", "-f", package, name).strip()


def libraries():
    """The names of what our packages depend on."""
    depends = ", ".join(field(package, "Depends") for package in files())
    return sorted({re.split(r"[ :]", alternative)[0] for alternative in depends.split(", ")})


def contents(package):
    """path: (mode, owner) as in the package."""
    found = {}
    for line in run("dpkg-deb", "-c", package).splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        found[path.removeprefix(".").rstrip("/") or "/"] = (mode, owner)
    return found


def with_failing_script(package, script, work):
    """A copy of a package one of whose maintainer scripts fails."""
    tree, copy = work / "failing", work / f"failing_{script}.deb"
    run("dpkg-deb", "-R", package, tree)
    path = tree / "DEBIAN" / script
    path.write_text(path.read_text().replace("set -e\n", "set -e\nexit 3\n", 1))
    run("dpkg-deb", "-Znone", "-b", tree, copy)
    run("rm", "-r", tree)
    return copy
