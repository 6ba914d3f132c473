"""The plug-in of client/libsasl2 in who loads it: a Postfix of type cyrus, and a server that sets channel
binding data. Debian's own plug-ins, which have the same mechanisms, are beside it."""
import contextlib
import socket
import subprocess
import threading
import time

import bed
import libsasl2_ends
from clients import Scram, Smtp, b64, plain, smtp_auth
from libsasl2_ends import exchange
from outcomes import go_through

USER = "ann@example.org"
# sasl.h
UNAVAIL, BADAUTH, BADBINDING, BADPROT = "-24", "-13", "-32", "-5"


class Plugin(bed.OwnBed):
    OPTIONS = {"mechanisms": ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN")}

    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)


class Postfix(Plugin):
    def start_postfix(self):
        self.bed.use_sample("deploy/cyrus-sasl/adapter.toml", {
            "/var/spool/postfix/private/sasld": self.bed.auth_socket,
            # A test's smtpd runs as another account.
            'owner = "postfix"': 'owner = "uucp"',
            'allow_users = ["postfix", "root"]': 'allow_users = ["uucp", "root"]'})
        sample = (bed.CHECKOUT / "deploy/cyrus-sasl/smtpd.conf").read_text()
        assert "sasld_socket: private/sasld\n" in sample
        folder = self.bed.postfix_home / "etc/sasl"  # Debian's Postfix looks here
        folder.mkdir(parents=True)
        (folder / "smtpd.conf").write_text(
            sample.replace("sasld_socket: private/sasld\n", "sasld_socket: sasl/auth\n"))
        libraries = bed.postfix_package() / "usr/lib/postfix"
        self.bed.start_postfix(chroot="y", settings=(
            "smtpd_sasl_type = cyrus", "smtpd_sasl_path = smtpd",
            f"import_environment = MAIL_CONFIG TZ LANG=C {{ LD_LIBRARY_PATH = {libraries} }} "
            f"SASL_PATH={libsasl2_ends.plugins()}"))

    def mechanisms(self):
        with Smtp(self.bed.port) as session:
            session.ehlo()
            return session.mechanisms

    def scram(self, user, password):
        with Smtp(self.bed.port) as session:
            scram = Scram(user, password)
            session.ehlo()
            code, text, _ = session.send("AUTH SCRAM-SHA-256 " + scram.first())
            if code == 334:
                code, text, _ = session.send(scram.final(text))
            if code == 334:
                self.assertTrue(scram.server_is_right(text))
                code, text, _ = session.send("")
            return code

    def plain(self, user, password):
        return self.both(("PLAIN " + plain(user, password),), ("PLAIN", plain(user, password)))

    def login(self, user, password):
        name, secret = b64(user), b64(password)
        return self.both(("LOGIN", name, secret), ("LOGIN " + name, secret))

    def both(self, *ways):
        """What one login got without and with an initial response, which must be the same."""
        codes = [smtp_auth(self.bed.port, *way) for way in ways]
        return codes[0] if codes[0] == codes[1] else codes

    def codes(self, user, password):
        """What each mechanism got; one number if it is the same."""
        got = {way(user, password) for way in (self.scram, self.plain, self.login)}
        return got.pop() if len(got) == 1 else got

    def test_outcomes(self):
        self.start_postfix_with_adapter()
        self.assertEqual(self.mechanisms(), ["SCRAM-SHA-256", "PLAIN", "LOGIN"])
        for mechanism, way in ("SCRAM-SHA-256", self.scram), ("PLAIN", self.plain), ("LOGIN", self.login):
            go_through(("Postfix, cyrus plug-in", mechanism), self.bed, way, USER, self.password,
                       right=235, wrong=535, temporary=454)
        self.assertIn(f"sasl_username={USER}", self.sent_mail_log())
        # What Postfix tells, and smtpd.conf for it.
        self.assertIn("service=smtp remote_ip=127.0.0.1 secured=yes", self.bed.log("sasld"))
        self.bed.stop_adapter()
        self.assertEqual(self.codes(USER, self.password), 454)
        self.assertIn("sasld-adapter check", self.bed.log("postfix"))
        self.bed.start_adapter()
        self.assertEqual(self.codes(USER, self.password), 235)
        self.assertEqual(self.codes(USER, self.bed.secret()), 535)

    def start_postfix_with_adapter(self):
        self.start_postfix()
        self.bed.start_adapter()

    def sent_mail_log(self):
        with Smtp(self.bed.port) as session:
            self.assertEqual(session.auth("PLAIN " + plain(USER, self.password)), 235)
            for line, code in (("MAIL FROM:<ann@example.org>", 250), ("RCPT TO:<bob@example.net>", 250),
                               ("DATA", 354), ("Subject: a\r\n\r\nb\r\n.", 250)):
                self.assertEqual(session.send(line)[0], code)
        return self.bed.log("postfix")

    def test_adapter_comes_after_postfix(self):
        self.start_postfix()
        self.assertEqual(self.mechanisms(), ["SCRAM-SHA-256", "PLAIN", "LOGIN"])
        self.assertEqual(self.codes(USER, self.password), 454)
        self.bed.start_adapter()
        self.assertEqual(self.codes(USER, self.password), 235)


class Bindings(Plugin):
    DATA = ("tls-exporter", b"\0\1\2 of this connection")
    OTHER = ("tls-exporter", b"of another connection")

    def setUp(self):
        super().setUp()
        self.bed.start_adapter()

    def exchange(self, mechanism, password=None, **bindings):
        return exchange(self.bed.auth_socket, mechanism, USER, password or self.password, **bindings)

    def refused(self, got, result):
        self.assertEqual((got[0], got[1].split(" ")[0]), ("error", result), got)

    def test_mechanisms(self):
        with libsasl2_ends.server(self.bed.auth_socket, "--mechanisms") as there:
            self.assertEqual(" ".join(there.said()), "SCRAM-SHA-256 PLAIN LOGIN")
        with libsasl2_ends.server(self.bed.auth_socket, "--mechanisms", self.DATA) as there:
            self.assertEqual(" ".join(there.said()),
                             "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN")

    def test_without(self):
        for mechanism in "SCRAM-SHA-256", "PLAIN", "LOGIN":
            self.assertEqual(self.exchange(mechanism), ("done", f"{USER} {USER}"))
            self.refused(self.exchange(mechanism, self.bed.secret()), BADAUTH)
        # Without TLS, from another machine.
        self.refused(self.exchange("PLAIN", strength=0), BADAUTH)
        self.assertEqual(self.exchange("SCRAM-SHA-256", strength=0), ("done", f"{USER} {USER}"))

    def test_plus(self):
        plus = "SCRAM-SHA-256-PLUS"
        done = ("done", f"{USER} {USER}")
        self.assertEqual(self.exchange(plus, of_client=self.DATA, of_server=self.DATA), done)
        self.assertIn(f'result=success mechanism={plus} user="{USER}"', self.bed.log("sasld"))
        self.refused(self.exchange(plus, of_client=self.OTHER, of_server=self.DATA), BADAUTH)
        self.refused(self.exchange(plus, self.bed.secret(), of_client=self.DATA, of_server=self.DATA),
                     BADAUTH)
        # The server's application has data of another type, or none.
        unique = ("tls-unique", self.DATA[1])
        self.refused(self.exchange(plus, of_client=self.DATA, of_server=unique), BADBINDING)
        self.refused(self.exchange(plus, of_client=self.DATA), BADAUTH)

    def test_downgrade(self):
        """A client that was not offered -PLUS though the server does: someone is between them."""
        for flag, outcome in ("y", "error"), ("n", "done"):
            scram = Scram(USER, self.password, flag=flag)
            with libsasl2_ends.server(self.bed.auth_socket, "SCRAM-SHA-256", self.DATA) as there:
                word, rest = there.ask(scram.first())
                if word == "more":
                    word, rest = there.ask(scram.final(rest))
                if word == "more":
                    word, rest = there.ask("")
                self.assertEqual(word, outcome, rest)

    def test_facts(self):
        self.exchange("PLAIN")
        self.assertIn("service=imap remote_ip=192.0.2.7 secured=yes", self.bed.log("sasld"))

    def test_client_nonsense(self):
        for message in b64("\0"), b64("a" * 12000), "":
            with libsasl2_ends.server(self.bed.auth_socket, "PLAIN") as there:
                self.refused(there.ask(message), BADAUTH)
        with libsasl2_ends.server(self.bed.auth_socket, "PLAIN") as there:
            self.refused(there.ask(b64("a" * 20000)), BADPROT)


class FakeAdapter:
    """Greets, takes AUTH, and says what it is told to; then it is silent."""
    GREETING = b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"

    def __init__(self, path, answer, greeting=GREETING, hang_up=True):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._path, self._answer, self._greeting, self._hang_up = path, answer, greeting, hang_up
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            while True:
                peer = held.enter_context(self._listener.accept()[0])
                peer.sendall(self._greeting)
                if b"AUTH" in self._read(peer):
                    peer.sendall(self._answer)
                    if self._hang_up:
                        peer.close()

    @staticmethod
    def _read(peer):
        got = b""
        while b"CPID" not in got or not got.endswith(b"\n"):
            got += peer.recv(65536) or b"CPID\n"
        return got

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self._path.unlink()


class Hostile(bed.Scenario):
    """Whatever is behind the socket, no login succeeds by it, and no password is called wrong."""
    def setUp(self):
        self.bed = bed.Bed()
        self.addCleanup(self.bed.close)

    def plain(self, answer, **more):
        fake = FakeAdapter(self.bed.folder / "fake", answer, **more)
        try:
            with libsasl2_ends.server(self.bed.folder / "fake", "PLAIN") as there:
                return there.ask(plain(USER, "x"))
        finally:
            fake.close()

    def test_answers(self):
        self.assertEqual(self.plain(b"OK\t1\tuser=ann\n"), ("done", "ann ann"))
        for answer in (b"", b"OK\t1\tuser=ann", b"OK\t1\n", b"OK\t1\tuser=\n", b"OK\t2\tuser=ann\n",
                       b"OK\t1\tuser=a\x01n\n", b"OK\t1\tuser=a\0b\n", b"OK\t1\tuser=" + b"a" * 600 + b"\n",
                       b"OK\t1\tuser=ann\tresp=!\n", b"CONT\t1\t!\n", b"CONT\t1\t" + b"A" * 9000 + b"\n",
                       b"A" * 9000, b"X\n" * 2000, b"FAIL\t1\ttemp\tcode=temp_fail\n"):
            with self.subTest(answer[:40]):
                self.assertEqual(self.plain(answer)[1].split(" ")[0], UNAVAIL)
        self.assertEqual(self.plain(b"FAIL\t1\treason=%s%n\n")[1].split(" ")[0], BADAUTH)
        # The list of before is offered then.
        for greeting in b"220 mail.example.org ESMTP\r\n", b"VERSION\t2\t0\nDONE\n":
            self.assertEqual(self.plain(b"OK\t1\tuser=ann\n", greeting=greeting)[1].split(" ")[0], UNAVAIL)

    def test_silence(self):
        begun = time.monotonic()
        self.assertEqual(self.plain(b"", hang_up=False)[1].split(" ")[0], UNAVAIL)
        self.assertLess(time.monotonic() - begun, 10)  # Postfix's patience


class Library(bed.Scenario):
    def run(self, result=None):
        bed.unittest.TestCase.run(self, result)

    def test_wants_libc_and_shows_one_name(self):
        library = bed.arguments.bin.parent / "sasl2/libsasldrelay.so"

        def told(*command):
            return subprocess.run([*command, library], capture_output=True, text=True,
                                  check=True).stdout.splitlines()
        needed = {line.split("[")[1].rstrip("]") for line in told("readelf", "-dW")
                  if "(NEEDED)" in line}
        self.assertLessEqual(needed, {"libc.so.6", "ld-linux-x86-64.so.2"})
        names = [line.split()[-1] for line in told("nm", "-D", "--defined-only")]
        self.assertEqual(names, ["sasl_server_plug_init"])


if __name__ == "__main__":
    bed.main()
