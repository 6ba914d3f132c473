"""Clients: SMTP by hand, SCRAM step by step, the adapter's socket, swaks and gsasl."""
import base64
import hashlib
import hmac
import re
import secrets
import socket
import subprocess

PATIENCE = 30


def b64(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def plain(user, password, authzid=""):
    return b64(f"{authzid}\0{user}\0{password}")


class Smtp:
    """A session that sends exactly what it is told to."""

    def __init__(self, port, tls=None):
        """`tls`: the ssl.SSLContext of a port that has TLS from the first byte on."""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname="mail.example.org")
        self._lines = self._socket.makefile("rb")
        self.greeting = self.answer()
        self.mechanisms = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._lines.close()
        self._socket.close()

    def answer(self):
        """(code, text of the last line, all lines). Code 0: the server hung up."""
        lines = []
        while True:
            line = self._lines.readline()
            if not line:
                return 0, "", lines
            text = line.decode(errors="replace").rstrip("\r\n")
            lines.append(text[4:])
            if text[3:4] != "-":
                return int(text[:3]), text[4:], lines

    def send(self, line):
        self._socket.sendall(line.encode() + b"\r\n")
        return self.answer()

    def ehlo(self):
        code, _, lines = self.send("EHLO client.example.org")
        for line in lines:
            if line.startswith("AUTH "):
                self.mechanisms = line.split()[1:]
        return code

    def starttls(self, tls):
        assert self.send("STARTTLS")[0] == 220
        self._lines.close()
        self._socket = tls.wrap_socket(self._socket, server_hostname="mail.example.org")
        self._lines = self._socket.makefile("rb")
        self.mechanisms = []
        return self.ehlo()

    def auth(self, *lines):
        """EHLO if there was none, `AUTH lines[0]`, and each further line after a 334. The last code."""
        if not self.mechanisms:
            self.ehlo()
        code = self.send("AUTH " + lines[0])[0]
        for line in lines[1:]:
            if code != 334:
                break
            code = self.send(line)[0]
        return code


def smtp_auth(port, *lines):
    """The code of one AUTH in a session of its own."""
    with Smtp(port) as smtp:
        return smtp.auth(*lines)


class Scram:
    """The client of RFC 5802 and 7677, a step at a time. Messages are in base64.

    `hash`: as hashlib names it."""

    def __init__(self, user, password, authzid="", flag="n", hash="sha256"):
        self._hash = hash
        self._password = password.encode()
        self._gs2 = f"{flag},{'a=' + authzid if authzid else ''},"
        name = user.replace("=", "=3D").replace(",", "=2C")
        self.nonce = secrets.token_hex(12)
        self._bare = f"n={name},r={self.nonce}"

    def first(self):
        return b64(self._gs2 + self._bare)

    def final(self, server_first):
        text = base64.b64decode(server_first).decode()
        fields = dict(part.split("=", 1) for part in text.split(","))
        assert fields["r"].startswith(self.nonce) and len(fields["r"]) > len(self.nonce) + 17
        assert int(fields["i"]) >= 4096
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        without_proof = f"c={b64(self._gs2)},r={fields['r']}"
        message = ",".join((self._bare, text, without_proof)).encode()
        client_key = hmac.digest(salted, b"Client Key", self._hash)
        stored_key = hashlib.new(self._hash, client_key).digest()
        signature = hmac.digest(stored_key, message, self._hash)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        server_key = hmac.digest(salted, b"Server Key", self._hash)
        self._server_signature = hmac.digest(server_key, message, self._hash)
        return b64(f"{without_proof},p={b64(proof)}")

    def server_is_right(self, server_final):
        return base64.b64decode(server_final).decode() == "v=" + b64(self._server_signature)


def smtp_scram(port, user, password, authzid="", initial_response=False):
    """The code of a whole SCRAM-SHA-256 login in a session of its own."""
    with Smtp(port) as smtp:
        smtp.ehlo()
        return scram_within(smtp, user, password, authzid, initial_response)


def scram_within(smtp, user, password, authzid="", initial_response=False):
    """The code of a whole SCRAM-SHA-256 login; the server's signature is checked."""
    scram = Scram(user, password, authzid)
    if initial_response:
        code, challenge, _ = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())
    else:
        code, challenge, _ = smtp.send("AUTH SCRAM-SHA-256")
        if code != 334:
            return code
        assert challenge == "", challenge
        code, challenge, _ = smtp.send(scram.first())
    if code != 334:
        return code
    code, challenge, _ = smtp.send(scram.final(challenge))
    if code != 334:
        return code
    assert scram.server_is_right(challenge), "the server does not know the password"
    return smtp.send("")[0]


class AuthSocket:
    """A mail server's connection to sasld-adapter (Dovecot auth-client protocol)."""

    def __init__(self, path, hello=b"VERSION\t1\t0\nCPID\t4711\n"):
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self._greet(path, hello)
        except BaseException:
            self.socket.close()
            raise

    def _greet(self, path, hello):
        # Before there is a time limit, as then connect(2) does not wait where the queue is full.
        self.socket.connect(str(path))
        self.socket.settimeout(PATIENCE)
        self._lines = self.socket.makefile("rb")
        self._id = 0
        self.greeting = []
        while not self.greeting or self.greeting[-1] != "DONE":
            line = self.line()
            assert line is not None, "hung up while greeting"
            self.greeting.append(line)
        self.socket.sendall(hello)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._lines.close()
        self.socket.close()

    def line(self):
        """The next line without its LF; None: hung up."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return line.decode(errors="replace").rstrip("\n") if line else None

    def auth(self, mechanism, response=None, facts="rip=127.0.0.1"):
        """One AUTH, with an initial response if there is one; the reply's line without the id."""
        self._id += 1
        initial = "" if response is None else f"\tresp={response}"
        self.socket.sendall(f"AUTH\t{self._id}\t{mechanism}\tservice=smtp\tnologin\tlip=127.0.0.1\t"
                            f"{facts}{initial}\n".encode())
        return self._reply()

    def cont(self, response):
        self.socket.sendall(f"CONT\t{self._id}\t{response}\n".encode())
        return self._reply()

    def _reply(self):
        line = self.line()
        if line is None:
            return None
        verb, number, *rest = line.split("\t")
        assert int(number) == self._id, line
        return [verb, *rest]


def swaks(port, mechanism, user, password, *more):
    """The code that swaks got for AUTH, and for a message if it sent one. Password on stdin."""
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(port), "--auth", mechanism,
         "--auth-user", user, "--auth-hide-password", "--from", "ann@example.org", "--to",
         "bob@example.net", *more],
        input=password + "\n", capture_output=True, text=True, timeout=PATIENCE)
    after = re.split(r"^ -> AUTH.*$", done.stdout, maxsplit=1, flags=re.M)
    assert len(after) == 2, done.stdout + done.stderr
    codes = [int(code) for code in re.findall(r"^<(?:-|\*\*) +([245]\d\d) ", after[1], flags=re.M)]
    queued = re.search(r"^<- +250 2\.0\.0 Ok: queued", after[1], flags=re.M) is not None
    return codes[0], queued


def gsasl(port, mechanism, user, password, *more):
    """The code that gsasl got for AUTH. In a session without a terminal it asks on stdin."""
    done = subprocess.run(
        ["gsasl", "--smtp", "--no-starttls", "--connect", f"127.0.0.1:{port}", "--mechanism",
         mechanism, "--authentication-id", user, "--authorization-id", "", *more],
        input=password + "\n", capture_output=True, text=True, timeout=PATIENCE,
        start_new_session=True)
    after = re.split(r"^AUTH .*$", done.stdout, maxsplit=1, flags=re.M)
    assert len(after) == 2, done.stdout + done.stderr
    codes = [int(code) for code in re.findall(r"^([245]\d\d) ", after[1], flags=re.M)]
    assert (done.returncode == 0) == (codes[0] == 235), done.stdout + done.stderr
    return codes[0]
