"""Dovecot without its auth process: all that asks who a user is asks sasld."""
import json
import os
import poplib
import signal
import threading
import time

import bed
from activation import HeldSockets
from clients import AuthSocket, Scram, b64, plain
from dovecot_peer import GROUP, MAIL_ID, Dovecot, Lines
from load import Client, Load
from outcomes import go_through

USER = "ann@example.org"
PORTS = {"imapd": "imap", "pop3d": "pop3", "submissiond": "submission", "managesieved": "sieve"}


def imap(port, *dialogue):
    """The last answer to `a AUTHENTICATE …`: the lines after the first answer continuations."""
    with Lines(port) as lines:
        assert lines.line().startswith("* OK")
        lines.send("a " + dialogue[0])
        answer = lines.line()
        for line in dialogue[1:]:
            if not answer.startswith("+"):
                break
            lines.send(line)
            answer = lines.line()
        while answer.startswith("* "):
            answer = lines.line()
        return answer


def imap_plain(port, user, password):
    return imap(port, "AUTHENTICATE PLAIN", plain(user, password))


def scram(lines, first, prefix, user, password):
    """A whole SCRAM-SHA-256 on `lines`, after what has begun it; the last line. `prefix` stands before the
    server's data."""
    client = Scram(user, password)
    challenge = first(client.first())
    if not challenge.startswith(prefix):
        return challenge
    lines.send(client.final(challenge[len(prefix):]))
    answer = lines.line()
    if not answer.startswith(prefix):
        return answer
    assert client.server_is_right(answer[len(prefix):])
    lines.send("")
    return lines.line()


def asked(lines, command, message):
    """The answer to `message`, once `command` was answered with an empty challenge; else that answer."""
    lines.send(command)
    answer = lines.line()
    if not answer.startswith("+ ") and answer != "+":
        return answer
    lines.send(message)
    return lines.line()


def imap_scram(port, user, password):
    with Lines(port) as lines:
        lines.line()

        def first(message):
            return asked(lines, "a AUTHENTICATE SCRAM-SHA-256", message)
        answer = scram(lines, first, "+ ", user, password)
        while answer.startswith("* "):
            answer = lines.line()
        return answer


def pop3_scram(port, user, password):
    with Lines(port) as lines:
        lines.line()

        def first(message):
            return asked(lines, "AUTH SCRAM-SHA-256", message)
        return scram(lines, first, "+ ", user, password)


def sieve(port, user, password):
    with Lines(port) as lines:
        while not lines.line().startswith("OK"):
            pass
        lines.send(f'AUTHENTICATE "PLAIN" "{plain(user, password)}"')
        return lines.line()


def submission(port, user, password, mechanism="PLAIN"):
    with Lines(port) as lines:
        lines.line()
        lines.send("EHLO client.example.org")
        while lines.line().startswith("250-"):
            pass
        if mechanism == "PLAIN":
            lines.send("AUTH PLAIN " + plain(user, password))
            return int(lines.line()[:3])
        code = 334
        for line in "AUTH LOGIN", b64(user), b64(password):
            if code == 334:
                lines.send(line)
                code = int(lines.line()[:3])
        return code


def pop3(port, user, password):
    client = poplib.POP3("127.0.0.1", port, timeout=bed.PATIENCE)
    try:
        client.user(user)
        client.pass_(password)
        return "+OK"
    except poplib.error_proto as refusal:
        return refusal.args[0].decode()
    finally:
        client.close()


def deliver(port, *recipients):
    """The code for each of them, by LMTP; what was accepted must be saved."""
    with Lines(port) as lmtp:
        def send(line):
            lmtp.send(line)
            answer = lmtp.line()
            while answer[3:4] == "-":
                answer = lmtp.line()
            return int(answer[:3])
        lmtp.line()
        send("LHLO client.example.org")
        send("MAIL FROM:<sender@example.org>")
        codes = [send(f"RCPT TO:<{recipient}>") for recipient in recipients]
        if 250 in codes:
            send("DATA")
            saved = [send("Subject: hello\r\n\r\nHello.\r\n.")]
            saved += [int(lmtp.line()[:3]) for _ in range(codes.count(250) - 1)]
            assert saved == [250] * codes.count(250), saved
        return codes


class ImapClient(Client):
    """A session for each login, and with it a login process and an imap process."""

    def __init__(self, port, password):
        super().__init__(None)
        self._port, self._password = port, password

    def login(self):
        return imap_plain(self._port, USER, self._password)[:4]


class DovecotBed(bed.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.bed = bed.Bed(extra_policy="account_lookups = true", sasl_group=GROUP)
        try:
            cls.bed.start_sasld()
            cls.dovecot = Dovecot(cls.bed)
            cls.password = cls.bed.add_user(USER)
            cls.bed.must("domain", "set", "example.org", "--attribute", f"uid={MAIL_ID}", "--attribute",
                         f"gid={MAIL_ID}", "--attribute", f"home={cls.dovecot.mail}/%u")
            cls.bed.must("user", "set", USER, "--alias", "boss@example.org")
            cls.dovecot.start()
        except BaseException:
            cls.print_logs()
            cls.bed.abandon()
            raise

    @classmethod
    def print_logs(cls):
        print(cls.bed.ends_of_logs())

    @classmethod
    def tearDownClass(cls):
        cls.dovecot.close()
        cls.dovecot.stop()
        cls.bed.close()


class Logins(DovecotBed):
    def test_imap(self):
        port = self.dovecot.ports["imap"]
        self.assertTrue(imap_plain(port, USER, self.password).startswith("a OK"))
        self.assertTrue(imap_plain(port, "boss@example.org", self.password).startswith("a OK"))
        self.assertTrue(imap_scram(port, USER, self.password).startswith("a OK"))
        self.assertTrue(imap(port, f'LOGIN {USER} "{self.password}"').startswith("a OK"))
        for user, password in ((USER, self.bed.secret()), ("nobody@example.org", self.password)):
            self.assertIn("[AUTHENTICATIONFAILED]", imap_plain(port, user, password))
            self.assertIn("[AUTHENTICATIONFAILED]", imap_scram(port, user, password))

    def test_an_aborted_login_leaves_room_for_the_next(self):
        with Lines(self.dovecot.ports["imap"]) as lines:
            lines.line()
            lines.send("a AUTHENTICATE LOGIN")
            self.assertTrue(lines.line().startswith("+"))
            lines.send("*")
            self.assertTrue(lines.line().startswith("a BAD"))
            lines.send("b AUTHENTICATE PLAIN")
            self.assertTrue(lines.line().startswith("+"))
            lines.send(plain(USER, self.password))
            self.assertIn("b OK", lines.line())

    def test_pop3(self):
        port = self.dovecot.ports["pop3"]
        self.assertEqual(pop3(port, USER, self.password), "+OK")
        self.assertIn("[AUTH]", pop3(port, USER, self.bed.secret()))
        self.assertTrue(pop3_scram(port, USER, self.password).startswith("+OK"))

    def test_managesieve(self):
        port = self.dovecot.ports["sieve"]
        self.assertTrue(sieve(port, USER, self.password).startswith("OK"))
        self.assertTrue(sieve(port, USER, self.bed.secret()).startswith("NO"))

    def test_submission(self):
        port = self.dovecot.ports["submission"]
        self.assertEqual(submission(port, USER, self.password), 235)
        self.assertEqual(submission(port, USER, self.password, "LOGIN"), 235)
        self.assertEqual(submission(port, USER, self.bed.secret()), 535)

    def test_app_passwords_and_services(self):
        port = self.dovecot.ports["imap"]
        made = json.loads(self.bed.must("-o", "json", "app-password", "add", USER, "--label", "phone",
                                        "--service", "imap"))
        password = made["password"]
        self.bed.secrets.add(password)
        self.assertTrue(imap_plain(port, USER, password).startswith("a OK"))
        self.assertTrue(imap_scram(port, USER, password).startswith("a OK"))
        self.assertIn("[AUTH]", pop3(self.dovecot.ports["pop3"], USER, password))

    def test_a_changed_password_ends_the_old_one_at_once(self):
        user = "change@example.org"
        old = self.bed.add_user(user)
        port = self.dovecot.ports["imap"]
        self.assertTrue(imap_plain(port, user, old).startswith("a OK"))
        new = self.bed.secret()
        self.bed.must("user", "passwd", user, "--password-stdin", password=new)
        self.assertIn("[AUTHENTICATIONFAILED]", imap_plain(port, user, old))
        self.assertTrue(imap_plain(port, user, new).startswith("a OK"))

    def test_no_process_of_dovecots_does_it(self):
        imap_plain(self.dovecot.ports["imap"], USER, self.password)
        lines = self.dovecot.processes().values()
        self.assertFalse([line for line in lines if "dovecot/auth" in line])
        self.assertTrue([line for line in lines if "sasld-adapter" in line])

    def test_a_mail_server_beside_it(self):
        with AuthSocket(self.dovecot.postfix_socket) as connection:
            self.assertEqual(connection.auth("PLAIN", plain(USER, self.password))[0], "OK")

    def test_log_lines_have_their_level(self):
        log = self.bed.log("dovecot")
        self.assertIn("auth: Info: listening on", log)
        self.assertNotIn("auth: Error: ", log.replace("auth: Error: no connection to sasld", ""))


class Deliveries(DovecotBed):
    def deliver(self, *recipients):
        return deliver(self.dovecot.ports["lmtp"], *recipients)

    def test_lmtp(self):
        self.assertEqual(self.deliver(USER, "ann+folder@example.org", "nobody@example.org"), [250, 250, 550])
        with Lines(self.dovecot.ports["imap"]) as lines:
            lines.line()
            lines.send("a AUTHENTICATE PLAIN " + plain(USER, self.password))
            while not lines.line().startswith("a OK"):
                pass
            lines.send("b STATUS INBOX (MESSAGES)")
            self.assertRegex(lines.line(), r"MESSAGES [1-9]")

    def test_mail_for_who_may_not_log_in_is_kept(self):
        user = "away@example.org"
        self.bed.add_user(user)
        self.bed.must("user", "disable", user)
        self.assertEqual(self.deliver(user), [250])

    def test_trouble_is_not_no_such_user(self):
        self.bed.stop_sasld()
        try:
            self.assertEqual(self.deliver(USER), [451])
            self.assertIn("[UNAVAILABLE]", imap_plain(self.dovecot.ports["imap"], USER, self.password))
        finally:
            self.bed.start_sasld()
        bed.wait_until("mail is delivered again", lambda: self.deliver(USER) == [250])
        bed.wait_until("logins work again", lambda: imap_plain(
            self.dovecot.ports["imap"], USER, self.password).startswith("a OK"))

    def test_doveadm(self):
        shown = self.dovecot.doveadm("user", USER)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(f"home\t{self.dovecot.mail}/{USER}", shown.stdout)
        self.assertIn(f"uid\t{MAIL_ID}", shown.stdout)
        self.assertNotEqual(self.dovecot.doveadm("user", "nobody@example.org").returncode, 0)
        listed = self.dovecot.doveadm("user", "*@example.org").stdout.split()
        self.assertIn(USER, listed)
        tested = self.dovecot.doveadm("auth", "test", USER, self.password)
        self.assertEqual(tested.returncode, 0, tested.stderr)
        looked_up = self.dovecot.doveadm("auth", "lookup", "boss@example.org")
        self.assertIn(f"user={USER}", looked_up.stdout.replace(" ", "").replace(":", "="))
        flushed = self.dovecot.doveadm("auth", "cache", "flush")
        self.assertEqual(flushed.returncode, 0, flushed.stderr)


class EveryAnswer(DovecotBed):
    """Each answer of sasld, as each protocol says it."""

    def goes_through(self, server, mechanism, answer, right, wrong, temporary):
        def word(user, password):
            said = str(answer(self.dovecot.ports[PORTS[server]], user, password))
            return next((one for one in (right, wrong, temporary) if one in said), said)
        go_through((f"Dovecot {server}", mechanism), self.bed, word, USER, self.password, right, wrong,
                   temporary)

    def test_imapd(self):
        words = "a OK", "[AUTHENTICATIONFAILED]", "[UNAVAILABLE]"
        self.goes_through("imapd", "PLAIN", imap_plain, *words)
        self.goes_through("imapd", "SCRAM-SHA-256", imap_scram, *words)

    def test_pop3d(self):
        words = "+OK", "[AUTH]", "[SYS/TEMP]"
        self.goes_through("pop3d", "PLAIN", pop3, *words)
        self.goes_through("pop3d", "SCRAM-SHA-256", pop3_scram, *words)

    def test_submissiond(self):
        for mechanism in "PLAIN", "LOGIN":
            self.goes_through("submissiond", mechanism, lambda port, user, password, which=mechanism:
                              submission(port, user, password, which), "235", "535", "454")

    def test_managesieved(self):
        self.goes_through("managesieved", "PLAIN", sieve, "OK", 'NO "Authentication failed',
                          "NO (TRYLATER)")


class OwnSocketsBed(bed.OwnBed):
    """Dovecot beside an adapter that is a service of its own."""
    OPTIONS = {"extra_policy": "account_lookups = true"}
    SETTINGS = ""

    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.dovecot = Dovecot(self.bed, own_sockets=True, settings=self.SETTINGS)
        self.addCleanup(self.dovecot.close)
        self.password = self.bed.add_user(USER)
        self.bed.must("user", "set", USER, "--attribute", f"uid={MAIL_ID}", "--attribute", f"gid={MAIL_ID}",
                      "--attribute", f"home={self.dovecot.mail}/ann")
        self.bed.start_adapter()
        self.dovecot.start()

    def load(self):
        return Load(self.dovecot.ports["imap"], self.password, (ImapClient,) * 4)


class OwnSockets(OwnSocketsBed):
    def test_everything_goes_to_sasld(self):
        ports = self.dovecot.ports
        self.assertTrue(imap_plain(ports["imap"], USER, self.password).startswith("a OK"))
        self.assertTrue(imap_scram(ports["imap"], USER, self.password).startswith("a OK"))
        self.assertIn("[AUTHENTICATIONFAILED]", imap_plain(ports["imap"], USER, self.bed.secret()))
        self.assertEqual(pop3(ports["pop3"], USER, self.password), "+OK")
        self.assertTrue(sieve(ports["sieve"], USER, self.password).startswith("OK"))
        self.assertEqual(submission(ports["submission"], USER, self.password), 235)
        self.assertEqual(deliver(ports["lmtp"], USER, "nobody@example.org"), [250, 550])
        self.assertIn(f"uid\t{MAIL_ID}", self.dovecot.doveadm("user", USER).stdout)
        self.assertFalse([line for line in self.dovecot.processes().values() if "dovecot/auth" in line])
        # A new adapter, and the next user.
        self.bed.stop_adapter()
        self.bed.start_adapter()
        self.assertTrue(imap_plain(ports["imap"], USER, self.password).startswith("a OK"))

    def test_no_login_notices_a_successor(self):
        """What one adapter has granted is claimed from the next, which has the sockets by then."""
        with self.load() as load:
            for _ in range(5):
                load.more()
                predecessor = self.bed.start_successor()
                load.more()
                self.bed.stop_predecessor(predecessor)
            load.more()
        self.assertEqual(load.failed(good="a OK"), [])

    def test_no_login_notices_a_restart(self):
        """With sockets that stay. What an adapter has granted is claimed before it goes."""
        sockets = HeldSockets(self.bed)
        self.addCleanup(sockets.close)
        self.bed.stop_adapter()
        for path in self.dovecot.adapter_sockets:
            sockets.hold(path)
        sockets.start_adapter()
        with self.load() as load:
            for _ in range(5):
                load.more()
                self.bed.stop_adapter()
                sockets.start_adapter()
            load.more()
        self.assertEqual(load.failed(good="a OK"), [])


class LastingProcesses(OwnSocketsBed):
    """Processes that serve one login after the other stay with the adapter that they have connected to."""
    SETTINGS = """
service imap {
  service_count = 1000
}
"""

    def test_two_adapters_answer_for_each_other(self):
        with self.load() as load:
            load.more()
            predecessor = self.bed.start_successor()
            load.more(25)
        self.assertEqual(load.failed(good="a OK"), [])
        self.bed.stop_predecessor(predecessor)
        self.assertTrue(imap_plain(self.dovecot.ports["imap"], USER, self.password).startswith("a OK"))


class Restarts(DovecotBed):
    def logs_in(self):
        return imap_plain(self.dovecot.ports["imap"], USER, self.password).startswith("a OK")

    def test_a_killed_adapter_is_back_at_once(self):
        self.assertTrue(self.logs_in())
        for _ in range(3):
            before = self.dovecot.adapter_pid()
            os.kill(before, signal.SIGKILL)
            self.assertTrue(self.logs_in())
            self.assertNotEqual(self.dovecot.adapter_pid(), before)

    def test_a_reload_takes_nobody_his_login(self):
        failures, done = [], threading.Event()

        def log_in_again_and_again():
            while not done.is_set():
                answer = imap_plain(self.dovecot.ports["imap"], USER, self.password)
                # Whose login the old auth process answered and the new one is asked for is told to try
                # again, or hung up on, whatever the auth process is.
                if answer and not answer.startswith("a OK") and "[UNAVAILABLE]" not in answer:
                    failures.append(answer)
        thread = threading.Thread(target=log_in_again_and_again)
        thread.start()
        before = self.dovecot.adapter_pid()
        time.sleep(0.3)
        self.dovecot.reload()
        bed.wait_until("the adapter is another one",
                       lambda: self.dovecot.adapter_pid() not in (None, before))
        time.sleep(0.5)
        done.set()
        thread.join()
        self.assertEqual(failures, [])
        self.assertTrue(self.logs_in())
        bed.wait_until("the old adapter has gone", lambda: not os.path.exists(f"/proc/{before}"))


class Forbidden(bed.OwnBed):
    def test_is_told_to_the_administrator(self):
        # Logins alone, as account_lookups is off unless set.
        self.bed = bed.Bed(sasl_group=GROUP)
        self.bed.start_sasld()
        dovecot = Dovecot(self.bed)
        self.addCleanup(dovecot.close)
        password = self.bed.add_user(USER)
        dovecot.start()
        self.assertFalse(imap_plain(dovecot.ports["imap"], USER, password).startswith("a OK"))
        bed.wait_until("the log says what to do", lambda: "set account_lookups = true in [policy]" in
                       self.bed.log("dovecot"))
        dovecot.stop()


if __name__ == "__main__":
    bed.main()
