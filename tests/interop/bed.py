"""A test bed: sasld, sasld-adapter and a private Postfix in a temporary folder.

Each scenario file is a ctest test of its own: `python3 test_x.py --bin FOLDER [--peers FOLDER]`. Wants
root (or sudo that asks nothing), because Postfix starts as root only. Nothing is skipped: what is
missing is a failure.
"""
import argparse
import ctypes
import fcntl
import os
import pathlib
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import leaks

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30  # seconds; under sanitizers everything is slow

arguments = None  # set by main()


def absolute(path):
    """Postfix stands in another folder when it looks for its libraries."""
    return pathlib.Path(path).absolute()


def main():
    """Runs the scenarios of the calling file."""
    global arguments
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--bin", type=absolute, default=CHECKOUT / "build/release/bin",
                        help="where sasld, sasld-adapter and saslctl are")
    parser.add_argument("--peers", type=absolute, default=CHECKOUT / "build/peers",
                        help="where Postfix is unpacked, now or before")
    arguments, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0]] + rest, verbosity=2)


def as_root(command):
    return command if os.geteuid() == 0 else ["sudo", "-n"] + command


def deploy_function(*call):
    """The command that runs a function of deploy/lib/postfix.sh."""
    script = 'for part in common packages postfix; do . "$1/$part.sh"; done; shift; "$@"'
    return ["bash", "-c", script, "interop", str(CHECKOUT / "deploy/lib"), *map(str, call)]


def postfix_package():
    """The unpacked package, which test programs running beside each other share."""
    arguments.peers.mkdir(parents=True, exist_ok=True)
    tree = arguments.peers / "postfix"
    log = arguments.peers / "unpack.log"
    with open(arguments.peers / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(deploy_function("postfix_unpack", arguments.peers, tree, log),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"Postfix cannot be unpacked:\n{done.stdout}{done.stderr}"
    return tree


def wait_until(what, condition, seconds=PATIENCE):
    """Polls `condition` until it holds. Returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def free_port():
    """One that the kernel gives to no client: whoever is to listen there does so later."""
    first_of_clients = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = 10000 + secrets.randbelow(max(first_of_clients - 10000, 1000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Bed:
    """Starts nothing by itself. close() ends everything and looks for leaked passwords."""

    def __init__(self, failure_delay="0s", mechanisms=("SCRAM-SHA-256", "PLAIN", "LOGIN"),
                 argon2id=(1024, 1), realm="", extra_server="", extra_adapter="",
                 throttle="peer_failures = 0\naccount_failures = 0", extra_policy="",
                 sasl_group=""):
        """`throttle` is off unless given: scenarios fail more often than people do."""
        # Short, because sockets are in it.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sasld-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.secrets = leaks.Secrets()
        self.sasld = self.adapter = self.postfix = None
        self.peers = {}  # other mail servers, by name
        self.port = None
        self.logs = self.folder / "logs"
        self.data = self.folder / "data"
        self.postfix_home = self.folder / "postfix"
        self.auth_socket = self.postfix_home / "queue/sasl/auth"
        for folder in self.logs, self.data, self.auth_socket.parent:
            folder.mkdir(parents=True)
        self.sasl_socket = self.folder / "sasl.sock"
        self.admin_socket = self.folder / "admin.sock"
        self.sasld_toml = self.folder / "sasld.toml"
        self.adapter_toml = self.folder / "adapter.toml"
        names = ", ".join(f'"{name}"' for name in mechanisms)
        listen = sasl_group and f'sasl_group = "{sasl_group}"\n'
        policy = extra_policy and f"{extra_policy}\n"
        self.sasld_toml.write_text(f"""\
[store]
url = "sqlite:{self.data}/sasld.db"
[keys]
file = "{self.data}/sasld.key"
[listen]
sasl = ["unix:{self.sasl_socket}"]
admin = ["unix:{self.admin_socket}"]
{listen}[mechanisms]
enabled = [{names}]
realm = "{realm}"
[passwords.argon2id]
memory_kib = {argon2id[0]}
iterations = {argon2id[1]}
parallelism = 1
[policy]
failure_delay = "{failure_delay}"
{policy}[policy.throttle]
{throttle}
[log]
level = "debug"
successes = true
{extra_server}""")
        self.adapter_toml.write_text(f"""\
[server]
addresses = ["unix:{self.sasl_socket}"]
[[listen]]
protocol = "dovecot-auth"
path = "{self.auth_socket}"
mode = "0666"
[log]
level = "debug"
{extra_adapter}""")

    def use_sample(self, path, changes):
        """Takes an adapter.toml of deploy/, with this bed's sasld, state and log; `changes` name what
        else is other than there, its socket first. Each must be in it."""
        text = (CHECKOUT / path).read_text()
        places = {"unix:/run/sasld/sasl.sock": f"unix:{self.sasl_socket}",
                  "/var/lib/sasld-adapter/mechanisms": self.folder / "mechanisms", **changes}
        for old, new in places.items():
            assert old in text, f"{path} has no {old}"
            text = text.replace(old, str(new))
        self.auth_socket = pathlib.Path(next(iter(changes.values())))
        self.adapter_toml.write_text(text + '[log]\nlevel = "debug"\n')

    # Programs.

    def _spawn(self, name, command, open_files=None, environment=None):
        def prepare():
            _die_with_parent()
            if open_files:
                resource.setrlimit(resource.RLIMIT_NOFILE, open_files)
        with open(self.logs / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, preexec_fn=prepare, env=environment)

    def start_peer(self, name, command, ready, environment=None):
        """Another mail server, in the foreground, until `ready` holds. It ends with the bed."""
        self.peers[name] = self._spawn(name, command, environment=environment)
        wait_until(f"{name} is ready", lambda: self._alive(name, self.peers[name]) and ready())

    def stop_peer(self, name):
        process = self.peers.pop(name)
        process.terminate()
        process.wait(PATIENCE)

    # `open_files`: the soft and the hard limit of them.

    def start_sasld(self, wait=True, open_files=None):
        self.sasld = self._spawn(
            "sasld", [arguments.bin / "sasld", "--config", self.sasld_toml], open_files)
        if wait:
            wait_until("sasld answers", lambda: self._alive("sasld", self.sasld) and
                       self.ctl("status").returncode == 0)

    def start_adapter(self, *options, open_files=None):
        self.adapter = self._spawn(
            "adapter", [arguments.bin / "sasld-adapter", "--config", self.adapter_toml, *options], open_files)
        wait_until("the adapter listens", lambda: self._alive("adapter", self.adapter) and
                   self._connects(self.auth_socket))

    def start_successor(self):
        """An adapter that takes the sockets over from the one that runs, which is returned."""
        inode = self.auth_socket.stat().st_ino
        predecessor = self.adapter
        self.start_adapter("--take-over")
        wait_until("it has the path", lambda: self.auth_socket.stat().st_ino != inode)
        return predecessor

    def start_postfix(self, chroot="n", settings=()):
        tree = postfix_package()
        self.port = free_port()
        subprocess.run(
            as_root(deploy_function("postfix_configure", tree, self.postfix_home, self.port,
                                    "sasl/auth", chroot, "smtpd_error_sleep_time = 0",
                                    "service_throttle_time = 1s",
                                    "smtpd_hard_error_limit = 1000", *settings)), check=True)
        with open(self.logs / "postfix.log", "ab") as log:
            self.postfix = subprocess.Popen(
                as_root(deploy_function("postfix_run", tree, self.postfix_home)),
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        wait_until("Postfix greets", lambda: self._alive("postfix", self.postfix) and
                   self._greets())

    def start(self, **postfix):
        """Everything, and the adapter with a server behind it."""
        self.start_sasld()
        self.start_adapter()
        self.start_postfix(**postfix)

    def _alive(self, name, process):
        assert process.poll() is None, (
            f"{name} ended with {process.returncode}:\n{self.log(name)[-2000:]}")
        return True

    @staticmethod
    def _connects(path):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(path)) == 0

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                return probe.recv(100).startswith(b"220")
        except OSError:
            return False

    def stop_sasld(self):
        self._end("sasld", self.sasld)
        self.sasld = None

    def stop_adapter(self):
        self._end("adapter", self.adapter)
        self.adapter = None

    def stop_predecessor(self, adapter):
        """What start_successor() has returned."""
        self._end("adapter", adapter)

    def kill_sasld(self):
        self._kill(self.sasld)
        self.sasld = None

    def kill_adapter(self):
        self._kill(self.adapter)
        self.adapter = None

    @staticmethod
    def _kill(process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def _end(self, name, process):
        process.terminate()
        status = process.wait(PATIENCE)
        assert status == 0, f"{name} ended with {status}:\n{self.log(name)[-2000:]}"

    def log(self, name):
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def ends_of_logs(self):
        return "\n".join(f"--- the end of {log.name}\n{log.read_text(errors='replace')[-3000:]}"
                         for log in sorted(self.logs.glob("*.log")))

    def run_program(self, name, *command, **more):
        """One run of a program to its end, which must come by itself."""
        return subprocess.run([arguments.bin / name, *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE, **more)

    # Users.

    def ctl(self, *command, password=None, timeout=PATIENCE):
        given = None if password is None else password + "\n"
        return subprocess.run(
            [arguments.bin / "saslctl", "--server", f"unix:{self.admin_socket}", *command],
            input=given, stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, text=True, timeout=timeout)

    def must(self, *command, password=None):
        done = self.ctl(*command, password=password)
        assert done.returncode == 0, f"saslctl {command}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def secret(self):
        """A password that nothing else looks like, remembered for the search in close()."""
        password = "Pw-" + secrets.token_hex(12)
        self.secrets.add(password)
        return password

    def add_user(self, name):
        password = self.secret()
        self.must("user", "add", name, "--password-stdin", password=password)
        return password

    # The end.

    def processes(self):
        started = [p for p in (self.sasld, self.adapter, self.postfix, *self.peers.values())
                   if p and p.poll() is None]
        return [pid for process in started for pid in leaks.session_of(process.pid)]

    def close(self):
        """Ends all in good order, and looks for passwords in all that was made meanwhile."""
        try:
            leaks.search_processes(self.secrets, self.processes())
            self._stop_mail_servers()
            for name in "adapter", "sasld":
                process = getattr(self, name)
                if process:
                    self._alive(name, process)
                    self._end(name, process)
            leaks.search_files(self.secrets, self.folder)
        finally:
            self.abandon()

    def abandon(self):
        """Ends all in any order. May be called more than once."""
        self._stop_mail_servers()
        for process in self.sasld, self.adapter:
            if process and process.poll() is None:
                self._kill(process)
        self.sasld = self.adapter = None
        subprocess.run(as_root(["rm", "-rf", str(self.folder)]), check=True)

    def _stop_mail_servers(self):
        for name in list(self.peers):
            self.stop_peer(name)
        if self.postfix:
            self.postfix.stdin.close()
            self.postfix.wait(PATIENCE)
            self.postfix = None


class Scenario(unittest.TestCase):
    OPTIONS = {}  # of Bed
    POSTFIX = {}  # of Bed.start_postfix

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        self.last_logs = ""
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(self.last_logs or self.bed.ends_of_logs(), file=sys.stderr)


class SharedBed(Scenario):
    """One running bed for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.bed = Bed(**cls.OPTIONS)
        try:
            cls.bed.start(**cls.POSTFIX)
        except BaseException:
            print(cls.bed.ends_of_logs(), file=sys.stderr)
            cls.bed.abandon()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.bed.close()


class OwnBed(Scenario):
    """A bed for each test, which starts in it what it needs."""

    def setUp(self):
        self.bed = Bed(**self.OPTIONS)
        self.addCleanup(self._finish)

    def _finish(self):
        self.last_logs = self.bed.ends_of_logs()
        self.bed.close()
