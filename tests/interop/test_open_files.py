"""More connections than the adapter or sasld may open files. They live, and lose no one."""
import os
import pathlib
import resource
import select
import signal
import socket

import bed
from clients import AuthSocket, plain

USER = "ann@example.org"
LIMIT = 100
OWN = 64  # what the adapter keeps for itself: kOwnDescriptors in client/adapter/adapter.cc
ROOM = LIMIT - OWN

# Read by programs built with AddressSanitizer.
SUPPRESSIONS = pathlib.Path(__file__).resolve().parent / "out_of_descriptors.lsan"
os.environ["LSAN_OPTIONS"] = f"suppressions={SUPPRESSIONS}:print_suppressions=0"


class OpenFiles(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.clients = []
        self.addCleanup(lambda: [client.close() for client in self.clients])

    def start_adapter(self, **more):
        self.bed.start_adapter(**more)
        bed.wait_until("the adapter found sasld", lambda: "connected to sasld" in self.bed.log("adapter"))

    def connect(self):
        """A mail server: served at once."""
        self.clients.append(AuthSocket(self.bed.auth_socket))
        return self.clients[-1]

    def queue(self):
        """One that has connected and not yet been greeted."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.bed.auth_socket))
        self.clients.append(client)
        return client

    def login(self, connection):
        return connection.auth("PLAIN", plain(USER, self.password))

    def logged(self, text):
        bed.wait_until(f"the adapter logs: {text}", lambda: text in self.bed.log("adapter"))

    def is_alive(self):
        self.assertIsNone(self.bed.adapter.poll(), self.bed.log("adapter")[-2000:])

    def greeted(self, waiting):
        return select.select(waiting, [], [], 0)[0]

    def test_connections_over_the_limit_wait_for_others_to_close(self):
        self.start_adapter(open_files=(LIMIT, LIMIT))
        served = [self.connect() for _ in range(ROOM)]
        waiting = [self.queue() for _ in range(2 * LIMIT)]
        self.logged(f"{ROOM} connections are open, more have to wait: the limit of open files is "
                    "reached; raise this process's limit of open files (LimitNOFILE=")
        for connection in served:
            self.assertEqual(self.login(connection), ["OK", f"user={USER}"])
        self.assertEqual(self.greeted(waiting), [])
        for connection in served[:10]:
            connection.close()
        bed.wait_until("ten more are greeted", lambda: len(self.greeted(waiting)) == 10)
        for connection in served[10:]:
            self.assertEqual(self.login(connection), ["OK", f"user={USER}"])
        for client in self.clients:
            client.close()
        self.assertEqual(self.login(self.connect()), ["OK", f"user={USER}"])
        self.is_alive()

    def test_sasld_is_reached_again_while_connections_wait(self):
        self.start_adapter(open_files=(LIMIT, LIMIT))
        served = [self.connect() for _ in range(ROOM)]
        waiting = [self.queue() for _ in range(2 * LIMIT)]
        self.logged("the limit of open files is reached")
        self.bed.kill_sasld()
        self.logged("no connection to sasld")
        self.bed.start_sasld()
        # The step waits for sasld as long as a restart takes; who was hung up on is followed by the next.
        answers = [self.login(connection) for connection in served]
        self.assertIn(["OK", f"user={USER}"], answers)
        self.assertFalse([a for a in answers if a not in (None, ["OK", f"user={USER}"])])
        bed.wait_until("they are greeted",
                       lambda: len(self.greeted(waiting)) == answers.count(None))
        self.is_alive()

    def test_limit_lowered_under_the_running_adapter(self):
        with self.bed.adapter_toml.open("a") as config:
            config.write(f'\n[mechanisms]\nstate_file = "{self.bed.data}/mechanisms"\n')
        self.start_adapter()
        served = [self.connect() for _ in range(10)]
        self.logins_go_on(served)
        pid = self.bed.adapter.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        in_use = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use, before[1]))
        waiting = [self.queue() for _ in range(20)]
        self.logged("more have to wait: Too many open files; raise this process's limit")
        self.logins_go_on(served)

        # Whatever needs a descriptor now goes without.
        self.bed.adapter.send_signal(signal.SIGHUP)
        self.logged("configuration not reloaded, the old one stays")
        config = self.bed.sasld_toml.read_text()
        self.bed.sasld_toml.write_text(config.replace('"SCRAM-SHA-256", "PLAIN", "LOGIN"', '"PLAIN"'))
        self.bed.sasld.send_signal(signal.SIGHUP)
        self.logged(f"cannot write {self.bed.data}/mechanisms.new: Too many open files")
        self.logins_go_on(served)
        self.bed.kill_sasld()
        self.logged("no connection to sasld")
        self.assertIn(self.login(served.pop()), (None, ["OK", f"user={USER}"]))
        self.is_alive()

        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.bed.start_sasld()
        bed.wait_until("all are greeted", lambda: len(self.greeted(waiting)) == len(waiting))
        bed.wait_until("logins work", lambda: self.login(self.connect()) == ["OK", f"user={USER}"])
        self.assertIn("MECH\tPLAIN\tplaintext", self.connect().greeting)
        self.assertNotIn("MECH\tLOGIN\tplaintext", self.connect().greeting)
        self.logins_go_on(served)

    def logins_go_on(self, served):
        for connection in served:
            self.assertEqual(self.login(connection), ["OK", f"user={USER}"])

    def test_no_start_without_descriptors_for_connections(self):
        done = self.bed.run_program("sasld-adapter", "--config", self.bed.adapter_toml,
                                    preexec_fn=lambda: resource.setrlimit(
                                        resource.RLIMIT_NOFILE, (OWN, OWN)))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the limit of open files is {OWN}, and {OWN} are needed beside one for each "
                      "connection; raise it", done.stderr)


class ManyCallersOfSasld(bed.OwnBed):
    def test_soft_limit_is_raised(self):
        """gRPC stops to listen at the first accept(2) that fails, so sasld takes what it may have."""
        self.bed.start_sasld(open_files=(LIMIT, 4096))
        callers = [socket.socket(socket.AF_UNIX) for _ in range(3 * LIMIT)]
        for caller in callers:
            self.addCleanup(caller.close)
            caller.connect(str(self.bed.sasl_socket))
        password = self.bed.add_user(USER)
        self.bed.start_adapter()
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assertEqual(connection.auth("PLAIN", plain(USER, password)), ["OK", f"user={USER}"])
        # They have not said a word of HTTP/2.
        for caller in callers:
            caller.settimeout(bed.PATIENCE)
            while caller.recv(1000):
                pass


if __name__ == "__main__":
    bed.main()
