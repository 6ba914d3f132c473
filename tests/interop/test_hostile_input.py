"""What must not hurt the adapter: floods of connections, endless lines, half lines, junk."""
import pathlib
import random
import resource
import socket

import bed
from clients import AuthSocket, Smtp, plain, smtp_auth, smtp_scram

USER = "ann@example.org"


def raise_open_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class HostileInput(bed.SharedBed):
    @classmethod
    def setUpClass(cls):
        raise_open_files()
        super().setUpClass()
        cls.password = cls.bed.add_user(USER)

    def tearDown(self):
        """Whatever was done: everybody else logs in as before, and nothing was left open."""
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 235)
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assertEqual(connection.auth("PLAIN", plain(USER, self.password))[0], "OK")
        bed.wait_until("the adapter has closed what its clients closed",
                       lambda: self.open_files() < 60)
        self.assertIsNone(self.bed.adapter.poll())
        self.assertIsNone(self.bed.sasld.poll())

    def open_files(self):
        return len(list(pathlib.Path(f"/proc/{self.bed.adapter.pid}/fd").iterdir()))

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        # Before there is a time limit, as then connect(2) does not wait where the queue is full.
        connection.connect(str(self.bed.auth_socket))
        connection.settimeout(bed.PATIENCE)
        return connection

    def test_10000_connections_opened_and_dropped(self):
        for number in range(10_000):
            connection = self.connect()
            if number % 3 == 1:
                connection.sendall(b"VERSION\t1\t0\nCPID\t1\n")
            elif number % 3 == 2:
                connection.sendall(b"VERSION\t1")
            connection.close()

    def test_10000_connections_dropped_in_the_middle_of_an_exchange(self):
        for number in range(10_000):
            connection = self.connect()
            connection.sendall(b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\t" +
                               (b"LOGIN", b"SCRAM-SHA-256")[number % 2] + b"\tservice=smtp\n")
            connection.close()

    def test_1000_connections_at_once(self):
        connections = [AuthSocket(self.bed.auth_socket) for _ in range(1000)]
        self.assertEqual(connections[-1].auth("PLAIN", plain(USER, self.password))[0], "OK")
        self.assertEqual(connections[0].auth("PLAIN", plain(USER, self.password))[0], "OK")
        for connection in connections:
            connection.close()

    def ends(self, data):
        """Sends `data`; whatever is answered, the adapter hangs up. Returns the answer."""
        with self.connect() as connection:
            answer = b""
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            try:
                while chunk := connection.recv(65536):
                    answer += chunk
            except ConnectionResetError:
                pass
            return answer

    def test_line_over_the_limit(self):
        self.ends(b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=" + b"A" * 1_000_000 + b"\n")

    def test_endless_line(self):
        self.ends(b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tresp=" + b"A" * 4_000_000)

    def test_half_lines(self):
        whole = (b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=" +
                 plain(USER, self.password).encode() + b"\n")
        for end in range(0, len(whole), 7):
            connection = self.connect()
            connection.sendall(whole[:end])
            connection.close()

    def test_line_in_single_bytes(self):
        with AuthSocket(self.bed.auth_socket, hello=b"") as connection:
            for byte in (b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=" +
                         plain(USER, self.password).encode() + b"\n"):
                connection.socket.sendall(bytes([byte]))
            self.assertEqual(connection.line().split("\t")[:2], ["OK", "1"])

    def test_binary_junk(self):
        chance = random.Random(4954)
        for size in 1, 10, 100, 1000, 10_000, 100_000:
            for _ in range(20):
                with self.connect() as connection:
                    try:
                        connection.sendall(chance.randbytes(size) + b"\n")
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except (BrokenPipeError, ConnectionResetError):
                        pass

    def test_broken_lines(self):
        hello = b"VERSION\t1\t0\nCPID\t1\n"
        for line in (b"AUTH", b"AUTH\t", b"AUTH\tx\tPLAIN", b"AUTH\t1", b"AUTH\t1\t", b"AUTH\t-1\tPLAIN",
                     b"AUTH\t99999999999999999999\tPLAIN", b"CONT\t1\t", b"CONT", b"CONT\t7\tYQ==",
                     b"AUTH\t1\tNO-SUCH-MECHANISM", b"AUTH\t1\tPLAIN\tresp=\xff\xfe", b"\t\t\t", b"",
                     b"AUTH\t1\tPLAIN\tservice=smtp\tresp=YQ==\tmore=x", b"VERSION\t2\t0", b"FROBNICATE\t1"):
            with self.subTest(line=line), AuthSocket(self.bed.auth_socket, hello) as connection:
                connection.socket.sendall(line + b"\n")
                connection.socket.shutdown(socket.SHUT_WR)
                answers = []
                while (answer := connection.line()) is not None:
                    answers.append(answer)
                self.assertFalse([a for a in answers if a.startswith("OK")])
                self.assertLess(len(answers), 3)

    def test_client_that_never_reads(self):
        with self.connect() as connection:
            connection.setblocking(False)
            request = b"VERSION\t1\t0\nCPID\t1\n" + b"".join(
                b"AUTH\t%d\tLOGIN\tservice=smtp\n" % number for number in range(1, 100_000))
            try:
                while request:
                    request = request[connection.send(request):]
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                pass  # not read any more, or hung up: both are right

    def test_smtp_line_over_postfixs_limit(self):
        # Postfix passes on the first 2048 bytes; never may that become a login.
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            self.assertIn(smtp.send("AUTH PLAIN " + "A" * 5000)[0], (500, 501, 535))


if __name__ == "__main__":
    bed.main()
