"""Logins that go on while something happens to sasld or the adapter."""
import threading
import time

import bed
import clients
from clients import plain

USER = "ann@example.org"
GOOD = ["OK", f"user={USER}"]


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
