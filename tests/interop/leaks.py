"""Looks for passwords where none may be: files, arguments, environments.

Each is looked for as it is and in base64 at every alignment, as it would stand inside an AUTH line.
"""
import base64
import os
import pathlib
import stat


class Secrets:
    def __init__(self):
        self.plain = []

    def add(self, password):
        self.plain.append(password)

    def needles(self):
        for password in self.plain:
            for raw in {password.encode(), password.encode("utf-16-le")}:
                yield raw
            for offset in range(3):
                # Without the characters that depend on what stands before and after.
                encoded = base64.b64encode(b"\0" * offset + password.encode())
                first = (0, 2, 3)[offset]
                whole = (offset + len(password.encode())) // 3 * 4
                yield encoded[first:whole]

    def found_in(self, data):
        return any(needle in data for needle in self.needles())


def search_files(secrets, folder):
    """Every file below `folder`: configuration, logs, database, write-ahead log, mail queue."""
    searched = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(root, name)
            if stat.S_ISREG(path.lstat().st_mode):
                assert not secrets.found_in(path.read_bytes()), f"a password is in {path}"
                searched.append(path)
    assert not secrets.plain or searched, "nothing to search in"
    return searched


def search_processes(secrets, pids):
    """What the process list shows of each."""
    for pid in pids:
        for part in "cmdline", "environ":
            try:
                shown = pathlib.Path(f"/proc/{pid}/{part}").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
            assert not secrets.found_in(shown), f"a password is in /proc/{pid}/{part}"


def session_of(leader):
    """The ids of `leader` and of all its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(text.rsplit(")", 1)[1].split()[1])
    family, size = {leader}, 0
    while len(family) != size:
        size = len(family)
        family |= {pid for pid, parent in parents.items() if parent in family}
    return sorted(family)
