"""The servers that the benchmark compares, each started in a folder of its own and ended by its id."""

import glob
import os
import pwd
import re
import signal
import socket
import sqlite3
import subprocess
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PEERS = os.path.join(ROOT, "build", "peers", "dovecot")
# Where Dovecot's auth process was built to look for its SQLite driver. It has no setting for it.
AUTH_MODULES = b"/usr/lib/dovecot/modules/auth"


class Failed(Exception):
    """Something that the person who runs the benchmark must know; ends the run."""


class Server:
    """What is measured: a socket that speaks the Dovecot protocol, and the processes behind it."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.socket = os.path.join(folder, "auth-client")
        self.processes = []
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)

    def spawn(self, command, **more):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more)
        self.processes.append(process)
        return process

    def await_socket(self, path, process, what, seconds=20):
        """Until something accepts connections at `path`; ends the server if nothing ever does."""
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(path) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise Failed(f"{what} does not listen at {path}\n{self.end_of_log()}")

    def end_of_log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return f"the end of {self.name}'s log:\n{log.read()[-2000:]}"

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, 0o644)
        return path

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class Sasld(Server):
    """sasld and sasld-adapter of a build, on a SQLite store that has the users already."""

    def start(self, binaries, store, key):
        sasl = f"unix:{self.folder}/sasl.sock"
        sasld = self.write("sasld.toml", f"""
[store]
url = "sqlite:{store}"
[keys]
file = "{key}"
[listen]
sasl = ["{sasl}"]
admin = ["unix:{self.folder}/admin.sock"]
[log]
level = "warn"
""")
        adapter = self.write("adapter.toml", f"""
[server]
addresses = ["{sasl}"]
[[listen]]
protocol = "dovecot-auth"
path = "{self.socket}"
mode = "0666"
[log]
level = "warn"
""")
        server = self.spawn([f"{binaries}/sasld", "--config", sasld])
        self.await_socket(f"{self.folder}/sasl.sock", server, "sasld")
        front = self.spawn([f"{binaries}/sasld-adapter", "--config", adapter])
        self.await_socket(self.socket, front, "sasld-adapter")
        return self

    def watch(self):
        return ["--watch", f"sasld={self.processes[0].pid}",
                "--watch", f"sasld-adapter={self.processes[1].pid}"]


def unpack_dovecot():
    """Dovecot's packages, and the libraries it wants that are not installed, unpacked beside each other."""
    root = os.path.join(PEERS, "root")
    if os.path.exists(f"{root}/.complete"):
        return root
    packages = os.path.join(PEERS, "packages")
    os.makedirs(packages, exist_ok=True)

    def fetch(names):
        done = subprocess.run(["apt-get", "download", *names], cwd=packages, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Failed(f"apt-get download {' '.join(names)}: {done.stderr.strip()}\n(apt-get update first?)")

    fetch(["dovecot-core", "dovecot-sqlite"])
    core = glob.glob(f"{packages}/dovecot-core_*.deb")[0]
    wanted = subprocess.check_output(["dpkg-deb", "-f", core, "Depends"], text=True)
    missing = []
    for name in re.findall(r"(?:^|, )(lib[^ ,]+)", wanted):
        state = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name], text=True,
                               capture_output=True, check=False)
        if state.stdout != "installed" and name != "libpam-runtime":
            missing.append(name)
    if missing:
        fetch(missing)
    for package in glob.glob(f"{packages}/*.deb"):
        subprocess.check_call(["dpkg-deb", "-x", package, root])
    open(f"{root}/.complete", "w", encoding="utf-8").close()
    return root


class Dovecot(Server):
    """Dovecot's own auth process, from its unpacked package: never installed, no mail service."""

    def start(self, root, passdb):
        libexec = self.private_programs(root)
        libraries = ":".join([f"{root}/usr/lib/dovecot", f"{root}/usr/lib/dovecot/modules/old-stats",
                              f"{root}/usr/lib/x86_64-linux-gnu", f"{root}/lib/x86_64-linux-gnu"])
        config = self.write("dovecot.conf", self.configuration(libexec, libraries, passdb))
        # What `dovecot -F` does first, but from where it is, not from where it was built to be.
        process = self.spawn([f"{root}/usr/bin/doveconf", "-f", "service=master", "-c", config, "-m", "master",
                              "-e", f"{root}/usr/sbin/dovecot", "-F", "-c", config],
                             env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": libraries})
        self.await_socket(self.socket, process, self.name)
        return self

    def private_programs(self, root):
        """A folder of links to Dovecot's programs, with an auth that finds its modules here."""
        libexec = os.path.join(self.folder, "libexec")
        os.makedirs(libexec)
        for program in os.listdir(f"{root}/usr/lib/dovecot"):
            if program != "auth":
                os.symlink(f"{root}/usr/lib/dovecot/{program}", f"{libexec}/{program}")
        modules = os.path.join(self.folder, "m").encode()
        os.symlink(f"{root}/usr/lib/dovecot/modules/auth", modules)
        with open(f"{root}/usr/lib/dovecot/auth", "rb") as original:
            program = original.read()
        if program.count(AUTH_MODULES + b"\0") != 1 or len(modules) > len(AUTH_MODULES):
            raise Failed("this Dovecot keeps the path of its modules otherwise than 2.3.19 does")
        with open(f"{libexec}/auth", "wb") as patched:
            patched.write(program.replace(AUTH_MODULES + b"\0", modules.ljust(len(AUTH_MODULES) + 1, b"\0")))
        os.chmod(f"{libexec}/auth", 0o755)
        return libexec

    def configuration(self, libexec, libraries, passdb):
        root = os.geteuid() == 0
        user = "nobody" if root else pwd.getpwuid(os.geteuid()).pw_name
        group = "nogroup" if root else str(os.getegid())
        unprivileged = "" if root else f"""
service anvil {{
  chroot =
}}
service auth-worker {{
  user = {user}
}}
"""
        return f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
libexec_dir = {libexec}
log_path = {self.folder}/log
protocols =
listen = 127.0.0.1
ssl = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
import_environment = TZ LD_LIBRARY_PATH={libraries}
auth_mechanisms = plain login scram-sha-256
disable_plaintext_auth = no
default_client_limit = 4096
default_vsz_limit = 0
passdb {{
{passdb}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  unix_listener {self.socket} {{
    mode = 0666
  }}
}}
{unprivileged}"""

    def watch(self):
        return ["--watch-tree", f"dovecot={self.processes[0].pid}"]


def start_dovecot_passwd_file(root, folder, users):
    return Dovecot("Dovecot, passwd-file", folder).start(
        root, f"  driver = passwd-file\n  args = scheme=SCRAM-SHA-256 {users}")


def start_dovecot_sqlite(root, folder, users):
    """The same users in a table with the name as its primary key."""
    server = Dovecot("Dovecot, SQLite", folder)
    path = os.path.join(folder, "users.sqlite")
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE users (username TEXT PRIMARY KEY, password TEXT NOT NULL) WITHOUT ROWID")
    with open(users, encoding="utf-8") as lines:
        database.executemany("INSERT INTO users VALUES (?, ?)",
                             (line.rstrip("\n").split(":")[:2] for line in lines))
    database.commit()
    database.close()
    os.chmod(path, 0o644)
    query = server.write("sql.conf", f"""driver = sqlite
connect = {path}
default_pass_scheme = SCRAM-SHA-256
password_query = SELECT username AS user, password FROM users WHERE username = '%u'
""")
    return server.start(root, f"  driver = sql\n  args = {query}")
