"""The adapter is replaced while logins go on: with sockets that another process holds, as systemd does, and with its own."""
import errno
import os
import socket
import subprocess
import threading
import time

import bed
import clients
from clients import plain

USER = "ann@example.org"
GOOD = ["OK", f"user={USER}"]
RESTARTS = 5
# Passes listening sockets as systemd does: from 3 on, and only to the process of that number.
ACTIVATE = """
count=$1 next=3; shift
for ((i = 0; i < count; ++i)); do eval "exec $((100 + i))<&$1 $1<&-"; shift; done
for ((i = 0; i < count; ++i)); do eval "exec $((next + i))<&$((100 + i)) $((100 + i))<&-"; done
export LISTEN_PID=$$ LISTEN_FDS=$count
exec "$@"
"""


class Lost(Exception):
    """A login that a mail server would have called a failure."""


class Client(threading.Thread):
    """Logs in until it is told to stop. `answers` are what each login ended with, in the order of them."""

    def __init__(self, path):
        super().__init__()
        self.answers = []
        self.longest = 0
        self._path = path
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self.answers.append(self.login())
            except Exception as error:  # told by the test
                self.answers.append(f"{type(error).__name__}: {error}")
                time.sleep(0.05)
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)

    def connect(self):
        return clients.AuthSocket(self._path)

    def end(self):
        self._stopping.set()
        self.join(bed.PATIENCE)


class PostfixLike(Client):
    """One connection for all logins. If AUTH cannot be sent, it connects again, once, and sends again."""

    def __init__(self, path, password):
        super().__init__(path)
        self._connection = None
        self._response = plain(USER, password)

    def login(self):
        for _ in range(2):
            try:
                self._connection = self._connection or self.connect()
                answer = self._connection.auth("PLAIN", self._response)
            except (BrokenPipeError, ConnectionResetError):
                self.drop()
                continue
            if answer is None:
                self.drop()
                raise Lost("454: the connection was lost after AUTH had been sent")
            return answer
        raise Lost("454: twice, AUTH could not be sent")

    def drop(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def end(self):
        super().end()
        self.drop()


class EximLike(Client):
    """A connection for each login, of two steps and more, and no second attempt."""

    def __init__(self, path, password):
        super().__init__(path)
        self._password = password

    def login(self):
        scram = clients.Scram(USER, self._password)
        with self.connect() as connection:
            challenge = self.reply(connection.auth("SCRAM-SHA-256", scram.first()))[1]
            time.sleep(0.02)  # the way to the mail client and back
            final = self.reply(connection.cont(scram.final(challenge)))[1]
            assert scram.server_is_right(final)
            return self.reply(connection.cont(""))

    @staticmethod
    def reply(answer):
        if answer is None:
            raise Lost("435: the connection was lost")
        return answer


class SmtpClient(Client):
    """A session for each login, and every tenth login in one that began long before."""

    def __init__(self, port, password):
        super().__init__(None)
        self._port = port
        self._auth = "PLAIN " + plain(USER, password)
        self._old = None

    def login(self):
        if len(self.answers) % 10 or self._old is None:
            self._old = self._old or self.session()
            return clients.smtp_auth(self._port, self._auth)
        with self._old as session:
            self._old = None
            return session.auth(self._auth)

    def session(self):
        session = clients.Smtp(self._port)
        session.ehlo()
        return session

    def end(self):
        super().end()
        if self._old:
            self._old.close()


class Load:
    """Both kinds, several of each."""

    def __init__(self, where, password, kinds=(PostfixLike,) * 4 + (EximLike,) * 2):
        self.clients = [kind(where, password) for kind in kinds]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.end()

    def more(self, count=5):
        """Waits until each has so many more logins behind it."""
        enough = [len(client.answers) + count for client in self.clients]
        bed.wait_until("logins go on", lambda: all(
            len(client.answers) >= n for client, n in zip(self.clients, enough)))

    def failed(self, good=GOOD):
        return [answer for client in self.clients for answer in client.answers if answer != good]


class Activation(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.held = []

    def hold(self, path, mode=0o666):
        """A listening socket that stays, as one of a .socket unit."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        os.chmod(path, mode)
        listener.listen(128)
        self.held.append(listener)

    def command(self):
        numbers = [str(listener.fileno()) for listener in self.held]
        return ["bash", "-c", ACTIVATE, "activate", str(len(numbers)), *numbers,
                bed.arguments.bin / "sasld-adapter", "--config", self.bed.adapter_toml]

    def start_adapter(self):
        with open(self.bed.logs / "adapter.log", "ab") as log:
            self.bed.adapter = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=[listener.fileno() for listener in self.held])

    def test_no_login_notices_a_restart(self):
        path = self.bed.auth_socket
        self.hold(path, 0o640)
        inode = path.stat().st_ino
        with Load(path, self.password) as load:  # before there is an adapter: they wait
            self.start_adapter()
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.start_adapter()
            load.more()
        self.assertEqual(load.failed(), [])
        self.assertLess(max(client.longest for client in load.clients), 10)  # what Postfix waits
        log = self.bed.log("adapter")
        self.assertEqual(log.count(f"listening on {path} (dovecot-auth), which was passed to this "
                                   "process"), RESTARTS + 1)
        self.assertEqual(log.count("stopped"), RESTARTS)
        self.assertEqual((path.stat().st_ino, path.stat().st_mode & 0o777), (inode, 0o640))

    def test_no_login_by_postfix_notices_a_restart(self):
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        self.bed.start_postfix()
        with Load(self.bed.port, self.password, (SmtpClient,) * 3) as load:
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.start_adapter()
            load.more(11)
        self.assertEqual(load.failed(good=235), [])

    def test_who_waits_while_it_is_killed_is_served_by_the_next(self):
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        with clients.AuthSocket(self.bed.auth_socket):
            pass
        self.bed.kill_adapter()
        waiting = []
        client = PostfixLike(self.bed.auth_socket, self.password)
        self.addCleanup(client.drop)
        thread = threading.Thread(target=lambda: waiting.append(client.login()))
        thread.start()
        time.sleep(0.1)
        self.start_adapter()
        thread.join(bed.PATIENCE)
        self.assertEqual(waiting, [GOOD])

    def test_sockets_of_both_kinds(self):
        """What systemd does not pass, the adapter makes itself."""
        own = self.bed.auth_socket.parent / "own"
        with open(self.bed.adapter_toml, "a") as toml:
            toml.write(f'[[listen]]\nprotocol = "dovecot-auth"\npath = "{own}"\n')
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        bed.wait_until("its own socket is there", own.exists)
        for path in self.bed.auth_socket, own:
            client = PostfixLike(path, self.password)
            self.addCleanup(client.drop)
            self.assertEqual(client.login(), GOOD)
        self.assertIn(f"listening on {own} (dovecot-auth)\n", self.bed.log("adapter"))

    def test_socket_without_a_listen(self):
        other = self.bed.folder / "other"
        self.hold(self.bed.auth_socket)
        self.hold(other)
        self.start_adapter()
        adapter, self.bed.adapter = self.bed.adapter, None
        self.assertEqual(adapter.wait(bed.PATIENCE), 1)
        self.assertIn(f"cannot start: '{other}' was passed to listen on, and no [[listen]] has that path",
                      self.bed.log("adapter"))


class OwnSockets(bed.OwnBed):
    def test_no_login_is_lost_and_the_socket_never_away(self):
        """Between two processes who connects is refused, and may try again. Nothing else goes wrong."""
        self.bed.start_sasld()
        password = self.bed.add_user(USER)
        self.bed.start_adapter()
        with Load(self.bed.auth_socket, password) as load:
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.assertTrue(self.bed.auth_socket.is_socket())
                self.bed.start_adapter()
            load.more()
        refused = f"ConnectionRefusedError: [Errno {errno.ECONNREFUSED}] Connection refused"
        self.assertEqual([answer for answer in load.failed() if answer != refused], [])


if __name__ == "__main__":
    bed.main()
