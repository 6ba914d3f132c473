#!/usr/bin/env python3
"""Makes the root folder of an image: its programs, the shared libraries they load, accounts, folders, the certificates
of public authorities, and the list of all that (SPDX). Runs in the build stage of the Dockerfile.

Usage: make_root.py IMAGE BUILD ROOT
  IMAGE  sasld, sasld-adapter or saslctl
  BUILD  the folder that the programs were built in
  ROOT   is made
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import debian_packages
import spdx

# Numbers that never change: they own what is on volumes. README.md has them too.
SASLD, ADAPTER, POSTFIX, DOVENULL, VMAIL = 10001, 10002, 10025, 10143, 10500
PROGRAMS = {"sasld": ["sasld", "saslctl"], "sasld-adapter": ["sasld-adapter"], "saslctl": ["saslctl"]}
USERS = {"sasld": [("sasld", SASLD)], "saslctl": [("sasld", SASLD)],
         "sasld-adapter": [("sasld-adapter", ADAPTER), ("postfix", POSTFIX), ("dovenull", DOVENULL),
                           ("vmail", VMAIL), ("sasld", SASLD)]}
# Path, owner, group, mode. A volume that is new takes these of the folder it is mounted at.
FOLDERS = {
    "sasld": [("var/lib/sasld", SASLD, SASLD, 0o700), ("run/sasld", SASLD, SASLD, 0o750)],
    "sasld-adapter": [("var/lib/sasld-adapter", ADAPTER, ADAPTER, 0o700),
                      ("run/sasld-adapter/postfix", ADAPTER, POSTFIX, 0o750),
                      ("run/sasld-adapter/dovecot-login", ADAPTER, DOVENULL, 0o750),
                      ("run/sasld-adapter/dovecot-mail", ADAPTER, VMAIL, 0o750)],
    "saslctl": [],
}


def main():
    image, build, root = sys.argv[1:]
    root = pathlib.Path(root)
    make_skeleton(root)
    copied = [copy_program(pathlib.Path(build) / "bin" / program, root) for program in PROGRAMS[image]]
    libraries = libraries_of(copied)
    for path, file in libraries.items():
        copy_library(path, file, root)
    for file in ("etc/debian_version", "usr/lib/os-release", "etc/ssl/certs/ca-certificates.crt"):
        copy(pathlib.Path("/", file), root / file)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    write_accounts(image, root)
    for folder, owner, group, mode in FOLDERS[image]:
        make_folder(root / folder, mode, owner, group)
    present = debian_packages.owners([*libraries.values(), "/etc/debian_version"]) | {"ca-certificates"}
    for name in sorted(present):
        debian_packages.record(name, root)
    compiled_in, used = debian_packages.built_from(build, PROGRAMS[image])
    spdx.write(root / f"usr/share/sbom/{image}.spdx.json", image, version(copied[0]),
               present, compiled_in, used - compiled_in)


def make_skeleton(root):
    """Debian's, where programs and libraries are below /usr alone."""
    for folder in ("etc", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/share/sbom", "var/lib/dpkg/status.d"):
        (root / folder).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    make_folder(root / "tmp", 0o1777)
    make_folder(root / "run", 0o755)


def make_folder(path, mode, owner=0, group=0):
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, owner, group)
    path.chmod(mode)


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def copy_program(program, root):
    """Without its symbols; where it lies then."""
    target = root / ("usr/bin" if program.name == "saslctl" else "usr/sbin") / program.name
    subprocess.run(["install", "-s", "-m", "0755", program, target], check=True)
    return target


def libraries_of(programs):
    """{path by which it is loaded: the file}, of all that `programs` load."""
    found = {}
    for program in programs:
        lines = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        if "not found" in lines:
            sys.exit(f"make_root.py: {program} lacks libraries here:\n{lines}")
        for path in re.findall(r"(/\S+) \(0x", lines):
            found[path] = os.path.realpath(path)
    return found


def copy_library(path, file, root):
    # By the name it is loaded by, which may be a link to the one with the whole version. /lib is a link to usr/lib.
    folder = os.path.realpath(os.path.dirname(path))
    copy(pathlib.Path(file), root / file.lstrip("/"))
    name = root / folder.lstrip("/") / os.path.basename(path)
    if not name.exists():
        name.parent.mkdir(parents=True, exist_ok=True)
        name.symlink_to(os.path.relpath(file, folder))


def write_accounts(image, root):
    users = [("root", 0), *USERS[image], ("nobody", 65534)]
    (root / "etc/passwd").write_text("".join(
        f"{name}:x:{number}:{number}::/:/usr/sbin/nologin\n" for name, number in users))
    (root / "etc/group").write_text("".join(f"{name}:x:{number}:\n" for name, number in users))
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def version(program):
    line = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    return line.split()[-1]


main()
