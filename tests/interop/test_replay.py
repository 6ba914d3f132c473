"""Recorded dialogues of real mail servers, played again to sasld-adapter with sasld behind it: what is
answered must be what was, byte for byte, but for what cannot be the same twice.

That is process ids, cookies, nonces and salts, and so what hangs on them: challenges and proofs are
made anew with the recording's own user and password, and the server's signatures are checked. Of the
handshake the order is checked. recordings/*.txt: `C:` and `S:` are lines of client and server; `O:` is
ours, where we say otherwise than the server before it, on purpose.
"""
import base64
import hmac
import os
import pathlib
import re
import socket

import bed
from clients import Scram

RECORDINGS = pathlib.Path(__file__).parent / "recordings"
HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
ATTRIBUTES = {"uid": "5000", "gid": "5000", "home": "SCRATCH", "quota_rule": "*:storage=100M"}
HANDSHAKE = re.compile(rb"VERSION\t1\t4\n(MECH\t[A-Z0-9-]+(\t[a-z-]+)*\n)+SPID\t[1-9]\d*\nCUID\t[1-9]\d*\n"
                       rb"COOKIE\t([0-9a-f]{32})\nDONE\n\Z")
MASTER_HANDSHAKE = re.compile(rb"VERSION\t1\t4\nSPID\t[1-9]\d*\n\Z")


def load(path):
    """(password, [(kind of socket, name, [(side, line)])])."""
    password, dialogues = None, []
    for line in path.read_text().splitlines():
        if line.startswith("# password: "):
            password = line.removeprefix("# password: ")
        elif line.startswith("== "):
            kind, name = line.removeprefix("== ").split()
            dialogues.append((kind, name, []))
        elif line and not line.startswith("#"):
            lines = dialogues[-1][2]
            if line[0] == "O":
                lines.pop()
            lines.append((line[0], line[3:].replace("\\t", "\t")))
    return password, dialogues


class RecordedScram(Scram):
    """The client of a recording: its first message is given, its password known."""

    def __init__(self, first, password, hash_name):
        super().__init__("", password, hash=hash_name)
        text = base64.b64decode(first).decode()
        self._gs2, self._bare = text[:text.index(",,") + 2], text[text.index(",,") + 2:]
        self.nonce = re.search("r=([^,]*)", self._bare)[1]


class Connection:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(bed.PATIENCE)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")
        self.mechanisms = {}  # by AUTH id
        self.scram = {}
        self.challenges = {}

    def close(self):
        self._lines.close()
        self._socket.close()

    def send(self, line):
        self._socket.sendall(line.encode() + b"\n")

    def line(self):
        return self._lines.readline().decode().removesuffix("\n")

    def handshake(self, last):
        """All up to the line that begins with `last`."""
        said = b""
        while True:
            line = self._lines.readline()
            assert line, "hung up"
            said += line
            if line.startswith(last):
                return said


class Replay(bed.OwnBed):
    OPTIONS = {"mechanisms": ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"),
               "extra_policy": "account_lookups = true"}

    def setUp(self):
        super().setUp()
        # Recorded without TLS.
        self.bed.sasld_toml.write_text(self.bed.sasld_toml.read_text().replace(
            "[mechanisms]\n", '[mechanisms]\nplaintext = "always"\n'))
        self.sockets = {"connection": self.bed.auth_socket}
        with open(self.bed.adapter_toml, "a") as toml:
            for kind in "login", "master", "userdb":
                self.sockets[kind] = self.bed.folder / f"{kind}.sock"
                toml.write(f'[[listen]]\nprotocol = "dovecot-{kind}"\npath = "{self.sockets[kind]}"\n')
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.cookies = {}  # by CPID

    def open(self, kind):
        connection = Connection(self.sockets[kind])
        self.addCleanup(connection.close)
        return connection

    # What the client sends now, for what it sent then.

    def now(self, connection, line, password):
        fields = line.split("\t")
        if fields[0] == "REQUEST":
            fields[4] = self.cookies[fields[2]]
            return "\t".join(re.sub("session_pid=.*", f"session_pid={os.getpid()}", field) for field in fields)
        if fields[0] == "AUTH":
            connection.mechanisms[fields[1]] = fields[2]
            initial = next((field[5:] for field in fields if field.startswith("resp=")), "")
            self.begin_scram(connection, fields[1], initial, password)
        elif fields[0] == "CONT" and fields[2]:
            fields[2] = self.response(connection, fields[1], fields[2], password)
        return "\t".join(fields)

    @staticmethod
    def begin_scram(connection, number, first, password):
        mechanism = connection.mechanisms[number]
        if mechanism in HASHES and first:
            connection.scram[number] = RecordedScram(first, password, HASHES[mechanism])

    def response(self, connection, number, recorded, password):
        mechanism = connection.mechanisms[number]
        if mechanism == "CRAM-MD5":
            challenge = base64.b64decode(connection.challenges[number])
            user = base64.b64decode(recorded).decode().split()[0]
            digest = hmac.digest(password.encode(), challenge, "md5").hex()
            return base64.b64encode(f"{user} {digest}".encode()).decode()
        if mechanism not in HASHES:
            return recorded
        if number not in connection.scram:
            self.begin_scram(connection, number, recorded, password)
            return recorded
        return connection.scram[number].final(connection.challenges[number])

    # Whether what the server says now is what it said then.

    def same(self, connection, then, now):
        fields_then, fields_now = then.split("\t"), now.split("\t")
        if fields_then[0] == "USER":  # attributes come in no order of their own
            return fields_then[:3] == fields_now[:3] and sorted(fields_then) == sorted(fields_now)
        if fields_then[0] != "CONT" or then == now:
            return then == now
        number = fields_then[1]
        if fields_now[:2] != fields_then[:2] or len(fields_now) != 3:
            return False
        connection.challenges[number] = fields_now[2]
        old, new = (base64.b64decode(fields[2]).decode() for fields in (fields_then, fields_now))
        if connection.mechanisms[number] == "CRAM-MD5":
            return all(re.fullmatch("<[^@]+@[^>]+>", one) for one in (old, new))
        client = connection.scram[number]
        if old.startswith("v="):
            return client.server_is_right(fields_now[2])
        return all(re.fullmatch(rf"r={re.escape(client.nonce)}[^,]+,s=[^,]+,i=\d+", one) for one in (old, new))

    def play(self, kind, name, lines, password):
        connection = self.open(kind)
        # A client may write before it reads; who waits for the greeting gets it at once.
        if kind == "connection":
            self.assertRegex(connection.handshake(b"DONE"), HANDSHAKE)
        elif kind != "login":
            self.assertRegex(connection.handshake(b"SPID"), MASTER_HANDSHAKE)
        for side, line in lines:
            if side == "C":
                connection.send(self.now(connection, line, password))
                if kind == "login" and line.startswith("VERSION"):
                    said = connection.handshake(b"DONE")
                    self.assertRegex(said, HANDSHAKE)
                    cookie = HANDSHAKE.search(said)[3].decode()
                elif kind == "login" and line.startswith("CPID"):
                    self.cookies[line.split("\t")[1]] = cookie
            else:
                now = connection.line()
                self.assertTrue(self.same(connection, line, now), f"{name}: {now!r} was {line!r}")

    def replay(self, recording):
        password, dialogues = load(RECORDINGS / recording)
        self.bed.must("user", "add", "alice", "--password-stdin", password=password)
        options = [part for name, value in ATTRIBUTES.items() for part in ("--attribute", f"{name}={value}")]
        self.bed.must("user", "set", "alice", *options)
        self.assertTrue(dialogues)
        for kind, name, lines in dialogues:
            with self.subTest(dialogue=name):
                self.play(kind, name, lines, password)

    def test_postfix(self):
        self.replay("postfix-3.7.11.txt")

    def test_exim(self):
        self.replay("exim-4.96.txt")

    def test_dovecot(self):
        self.replay("dovecot-2.3.19.txt")

    def test_each_recording_is_played(self):
        self.assertEqual({path.name for path in RECORDINGS.glob("*.txt")},
                         {"postfix-3.7.11.txt", "exim-4.96.txt", "dovecot-2.3.19.txt"})


if __name__ == "__main__":
    bed.main()
