"""Logins over SMTP and IMAP with TLS, one at a time and many while something happens."""
import pathlib
import socket
import ssl
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "interop"))
import clients

SMTPS, IMAPS = 1465, 1993
TEMPORARY = "temporary"


def tls():
    """The containers' certificates are signed by themselves."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def smtp_plain(user, password):
    with clients.Smtp(SMTPS, tls()) as smtp:
        return smtp.auth("PLAIN " + clients.plain(user, password))


def smtp_scram(user, password):
    with clients.Smtp(SMTPS, tls()) as smtp:
        smtp.ehlo()
        return clients.scram_within(smtp, user, password)


def smtp_send(user, password, text):
    """Logs in and sends a message to himself: the last code."""
    with clients.Smtp(SMTPS, tls()) as smtp:
        code = smtp.auth("PLAIN " + clients.plain(user, password))
        for line in f"MAIL FROM:<{user}>", f"RCPT TO:<{user}>", "DATA", f"Subject: {text}\r\n\r\n{text}\r\n.":
            if code >= 400:
                break
            code = smtp.send(line)[0]
        return code


class Imap:
    def __init__(self):
        self._socket = tls().wrap_socket(socket.create_connection(("127.0.0.1", IMAPS), clients.PATIENCE))
        self._lines = self._socket.makefile("rb")
        self._tag = 0
        self.greeting = self._line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def _line(self):
        line = self._lines.readline().decode(errors="replace").rstrip("\r\n")
        if not line:
            raise ConnectionResetError("hung up")
        return line

    def command(self, text):
        """(what its tagged line says, the lines before it)."""
        self._tag += 1
        self._socket.sendall(f"{self._tag} {text}\r\n".encode())
        lines = []
        while True:
            line = self._line()
            if line.startswith(f"{self._tag} "):
                return line.split(" ", 1)[1], lines
            lines.append(line)

    def plain(self, user, password):
        return self.command("AUTHENTICATE PLAIN " + clients.plain(user, password))[0]


def imap_plain(user, password):
    with Imap() as imap:
        return imap.plain(user, password)


def imap_finds(user, password, text):
    """Whether his inbox has a message of that subject."""
    with Imap() as imap:
        imap.plain(user, password)
        imap.command("SELECT INBOX")
        _, found = imap.command(f'SEARCH SUBJECT "{text}"')
        return any(line.removeprefix("* SEARCH").strip() for line in found if line.startswith("* SEARCH"))


class _Client(threading.Thread):
    """Logs in until it is told to stop. `ends`: how each login ended, in words."""

    def __init__(self, login, words, user, password):
        super().__init__(daemon=True)
        self.ends = []
        self._login = lambda: words(login(user, password))
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.is_set():
            try:
                self.ends.append(self._login())
            except (OSError, ssl.SSLError) as error:  # whoever could not be reached refused nobody
                self.ends.append(f"{TEMPORARY}: {type(error).__name__}")
            except Exception as error:
                self.ends.append(f"{type(error).__name__}: {error}")
            time.sleep(0.05)

    def end(self):
        self._stopping.set()
        self.join(clients.PATIENCE)


def _smtp_words(code):
    return "in" if code == 235 else f"{TEMPORARY}: {code}" if code == 0 or 400 <= code < 500 else str(code)


def _imap_words(answer):
    return "in" if answer.startswith("OK") else f"{TEMPORARY}: {answer}" if "[UNAVAILABLE]" in answer else answer


class Load:
    """PLAIN and SCRAM over SMTP, and PLAIN over IMAP, with the right password; and somebody with a wrong one, whose
    answers are held back for so long that there is always one to come."""

    def __init__(self, user, password):
        kinds = (smtp_plain, _smtp_words), (smtp_scram, _smtp_words), (imap_plain, _imap_words)
        self._clients = [_Client(*kind, user, password) for kind in kinds]
        self._stranger = _Client(smtp_plain, _smtp_words, user, "wrong")

    def __enter__(self):
        for client in (*self._clients, self._stranger):
            client.start()
        self.go_on()
        return self

    def __exit__(self, *_):
        for client in (*self._clients, self._stranger):
            client.end()

    def go_on(self, count=5):
        """Until each has been let in so many times more, one after the other."""
        begun = [len(client.ends) for client in self._clients]

        def enough():
            return all(client.ends[begin:][-count:] == ["in"] * count for client, begin in zip(self._clients, begun))
        end = time.monotonic() + 120
        while not enough():
            assert time.monotonic() < end, f"logins do not work again: {self.others()[-20:]}"
            time.sleep(0.1)

    def others(self):
        """What was not a login."""
        return [end for client in self._clients for end in client.ends if end != "in"]

    def wrong(self):
        """Answers that nobody should have heard: a refusal of the right password, anything else for the wrong one."""
        return ([end for end in self.others() if not end.startswith(TEMPORARY)] +
                [end for end in self._stranger.ends if end != "535" and not end.startswith(TEMPORARY)])

    def total(self):
        return sum(len(client.ends) for client in self._clients)
