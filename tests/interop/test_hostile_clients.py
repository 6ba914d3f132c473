"""Clients that mean harm, or are broken: what they cost the adapter, and whether others notice.

Memory is what the process has for itself (Anonymous of smaps_rollup), per connection. Programs that are built
with sanitizers have other figures, so there only the behaviour counts.
"""
import multiprocessing
import pathlib
import re
import resource
import select
import socket
import statistics
import time

import bed
from clients import AuthSocket, Scram, plain

USER = "ann@example.org"
HELLO = b"VERSION\t1\t0\nCPID\t1\n"
FLOOD_LINES = 100_000
IDLE = 10_000
MOST_CONNECTIONS = 12_000
KIB = 1024


def sanitized():
    return b"__asan_init" in (bed.arguments.bin / "sasld-adapter").read_bytes()


def raise_open_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert most >= MOST_CONNECTIONS + 100, f"raise the hard limit of open files ({most})"
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


def send_all(connection, data):
    """As far as it goes; drops what comes back. False: hung up on."""
    connection.setblocking(False)
    data = memoryview(data)
    while data:
        readable, writable, _ = select.select([connection], [connection], [], bed.PATIENCE)
        try:
            if readable and not connection.recv(1 << 16):
                return False
            if writable:
                data = data[connection.send(data):]
        except BlockingIOError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            return False
    return True


def auth_lines(count):
    """Half of them begin an exchange and leave it; some are guesses, which cost sasld a hash."""
    scram = Scram(USER, "no password").first().encode()
    guess = plain(USER, "no password").encode()
    kinds = [b"LOGIN\tservice=smtp\tsecured\trip=192.0.2.66"] * 5 + [
        b"SCRAM-SHA-256\tservice=smtp\tsecured\trip=192.0.2.66\tresp=" + scram] * 4 + [
        b"PLAIN\tservice=smtp\tsecured\trip=192.0.2.66\tresp=" + guess]
    return b"".join(b"AUTH\t%d\t%s\n" % (number, kinds[number % len(kinds)])
                    for number in range(1, count + 1))


# What each does until it is ended, in a process of its own.

def stay_silent(path):
    connections = [connect(path) for _ in range(200)]
    time.sleep(3600)
    del connections


def dribble(path):
    connections = [connect(path) for _ in range(200)]
    while True:
        for byte in HELLO + b"AUTH\t1\tPLAIN\tservice=smtp\tresp=" + b"A" * 3600:
            for connection in connections:
                connection.sendall(bytes([byte]))
            time.sleep(1)


def never_read(path, count=1):
    """As much as the adapter takes; then it waits for room that does not come."""
    connections = []
    lines = HELLO + auth_lines(FLOOD_LINES)
    while len(connections) < count:
        connection = connect(path)
        connection.setblocking(False)
        connections.append(connection)
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[connection.send(rest[:4096]):]
                time.sleep(0.0005)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
    time.sleep(3600)


def never_read_50_times(path):
    never_read(path, 50)


def flood(path):
    """As fast as it is read, and the answers dropped."""
    lines = HELLO + auth_lines(FLOOD_LINES)
    while True:
        with connect(path) as connection:
            send_all(connection, lines)


def flood_and_hang_up(path):
    """Without waiting for any answer, again and again."""
    lines = HELLO + auth_lines(1000)
    while True:
        with connect(path) as connection:
            connection.settimeout(1)
            try:
                connection.sendall(lines)
            except (BrokenPipeError, ConnectionResetError, socket.timeout):
                pass


def send_endless_lines(path):
    while True:
        with connect(path) as connection:
            send_all(connection, HELLO + b"AUTH\t1\tPLAIN\tresp=" + b"A" * 1_000_000 + b"\n")


class Hostile:
    """Some of the above, while this lasts."""

    def __init__(self, path, *what):
        context = multiprocessing.get_context("fork")
        self._processes = [context.Process(target=one, args=(path,), daemon=True) for one in what]

    def __enter__(self):
        for process in self._processes:
            process.start()

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.join()


class HostileClients(bed.OwnBed):
    def setUp(self):
        raise_open_files()
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        text = self.bed.adapter_toml.read_text().replace("debug", "info")
        self.bed.adapter_toml.write_text(text.replace(
            'mode = "0666"', f'mode = "0666"\nmax_connections = {MOST_CONNECTIONS}'))
        self.bed.start_adapter()
        bed.wait_until("the adapter is connected",
                       lambda: "connected to sasld" in self.bed.log("adapter"))
        for _ in range(200):  # its memory is as it will be
            self.login()

    def login(self):
        """Its time. Two steps, as most do."""
        scram = Scram(USER, self.password)
        with AuthSocket(self.bed.auth_socket) as connection:
            began = time.monotonic()
            challenge = connection.auth("SCRAM-SHA-256", scram.first())[1]
            middle = time.monotonic()
            answer = scram.final(challenge)  # our own work does not count
            after = time.monotonic()
            connection.cont(answer)
            self.assertEqual(connection.cont(""), ["OK", f"user={USER}"])
            return middle - began + time.monotonic() - after

    def memory(self):
        text = pathlib.Path(f"/proc/{self.bed.adapter.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Anonymous: +(\d+) kB", text, re.M)[1]) * KIB

    def costs_at_most(self, what, before, connections, most):
        each = (self.memory() - before) / connections
        print(f"memory of the adapter: {each / KIB:.2f} KiB for each of {connections} {what}", flush=True)
        if not sanitized():
            self.assertLessEqual(each, most)

    def closes_all(self):
        """Nothing is left of them in the adapter."""
        files = pathlib.Path(f"/proc/{self.bed.adapter.pid}/fd")
        bed.wait_until("their connections are closed", lambda: len(list(files.iterdir())) < 60)
        self.login()

    def test_10000_idle_connections(self):
        before = self.memory()
        connections = [AuthSocket(self.bed.auth_socket) for _ in range(IDLE)]
        self.login()
        self.costs_at_most("idle connections", before, IDLE, 4 * KIB)
        for connection in connections[::5]:
            self.assertEqual(connection.auth("PLAIN", plain(USER, self.password))[0], "OK")
        self.costs_at_most("idle connections, a fifth of which has logged in", before, IDLE, 4 * KIB)
        for connection in connections:
            connection.close()
        self.closes_all()

    def test_unfinished_lines(self):
        """All that can be kept of a line: 16384 bytes."""
        before = self.memory()
        connections = [connect(self.bed.auth_socket) for _ in range(1000)]
        for connection in connections:
            self.assertTrue(send_all(connection, HELLO + b"AUTH\t1\tPLAIN\tresp=" + b"A" * 16_350))
        self.login()
        self.costs_at_most("unfinished lines", before, len(connections), 40 * KIB)
        for connection in connections:
            connection.close()
        self.closes_all()

    def test_lines_of_a_megabyte(self):
        before = self.memory()
        for _ in range(200):
            with connect(self.bed.auth_socket) as connection:
                connection.sendall(HELLO)
                self.assertFalse(send_all(connection, b"A" * 1_000_000 + b"\n") and
                                 send_all(connection, b"A" * 1_000_000))
        self.costs_at_most("that were hung up on", before, 200, 16 * KIB)
        self.closes_all()

    def test_clients_that_never_read(self):
        before = self.memory()
        with Hostile(self.bed.auth_socket, never_read_50_times):
            time.sleep(3)
            self.login()
            self.costs_at_most("that never read", before, 50, 2048 * KIB)
        self.closes_all()

    def test_floods(self):
        before, peak = self.memory(), 0
        with Hostile(self.bed.auth_socket, flood, flood_and_hang_up, send_endless_lines):
            until = time.monotonic() + 5
            while time.monotonic() < until:
                self.login()
                peak = max(peak, self.memory())
        print(f"memory of the adapter: {(peak - before) / KIB:.0f} KiB more at the most while two clients flooded "
              "and one sent endless lines", flush=True)
        if not sanitized():
            self.assertLess(peak - before, 64 * KIB * KIB)
        self.closes_all()

    def p99(self, seconds):
        times = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            times.append(self.login())
        return sorted(times)[len(times) * 99 // 100]

    def test_others_hardly_notice(self):
        """Rounds with and without, in turn; what one round suffers from another program counts little."""
        before, during = [], []
        for _ in range(5):
            before.append(self.p99(1.5))
            with Hostile(self.bed.auth_socket, stay_silent, dribble, never_read, flood, send_endless_lines):
                time.sleep(0.5)
                during.append(self.p99(1.5))
        quiet, noisy = statistics.median(before), statistics.median(during)
        print(f"p99 of a login: {quiet * 1000:.1f} ms without them, {noisy * 1000:.1f} ms beside them; rounds: "
              f"{[round(1000 * one, 1) for one in before]}, {[round(1000 * one, 1) for one in during]}", flush=True)
        if not sanitized():
            # They take the processor too: the kernel's slices of a few milliseconds come on top, where cores are few.
            self.assertLess(noisy, 2 * quiet + 0.01)
        self.closes_all()


if __name__ == "__main__":
    bed.main()
