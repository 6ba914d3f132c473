"""An unknown user and a wrong password: the same bytes, and the same time within noise."""
import base64
import random
import statistics
import time

import bed
import clients
from clients import AuthSocket, Smtp, plain

TRIES = 200
# Medians of tries that alternate in random order. On a busy machine one series may be off; a real
# difference is there in each of them.
SERIES = 3
TOLERANCE = 0.25

KNOWN = "known@example.org"
UNKNOWN = "wrong@example.org"  # as long as the other


class Indistinguishable(bed.SharedBed):
    # No delay, so that it hides nothing; an Argon2id cost near the default's.
    OPTIONS = {"failure_delay": "0s", "argon2id": (8192, 2)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bed.add_user(KNOWN)
        cls.wrong = cls.bed.secret()

    def series(self, attempt):
        """Medians of TRIES calls each of attempt(KNOWN) and attempt(UNKNOWN), interleaved."""
        users = [KNOWN, UNKNOWN] * TRIES
        random.shuffle(users)
        taken = {KNOWN: [], UNKNOWN: []}
        for user in users:
            began = time.perf_counter()
            attempt(user)
            taken[user].append(time.perf_counter() - began)
        return statistics.median(taken[KNOWN]), statistics.median(taken[UNKNOWN])

    def assert_same_time(self, attempt):
        attempt(KNOWN), attempt(UNKNOWN)  # warm
        seen = []
        for _ in range(SERIES):
            known, unknown = self.series(attempt)
            seen.append(f"{known * 1e3:.3f} ms and {unknown * 1e3:.3f} ms")
            if abs(known - unknown) <= TOLERANCE * min(known, unknown):
                print(f"(wrong password and unknown user: {seen[-1]})")
                return
        self.fail(f"wrong password and unknown user take: {'; '.join(seen)}")

    def text(self, reply, user):
        self.assertIsNotNone(reply, "hung up on: a temporary failure")
        return "\t".join(reply).replace(user, "USER")

    def plain_reply(self, connection, user):
        return self.text(connection.auth("PLAIN", plain(user, self.wrong)), user)

    def login_reply(self, connection, user):
        self.assertEqual(connection.auth("LOGIN", clients.b64(user))[0], "CONT")
        return self.text(connection.cont(clients.b64(self.wrong)), user)

    def scram_replies(self, connection, user):
        scram = clients.Scram(user, self.wrong)
        challenge = connection.auth("SCRAM-SHA-256", scram.first())
        self.assertEqual(challenge[0], "CONT")
        fields = dict(part.split("=", 1) for part in
                      base64.b64decode(challenge[1]).decode().split(","))
        shape = (sorted(fields), len(fields["r"]), len(fields["s"]), fields["i"])
        last = connection.cont(scram.final(challenge[1]))
        return str(shape) + self.text(last, user), fields["s"]

    def test_same_bytes(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            for replies in (self.plain_reply, self.login_reply,
                            lambda *args: self.scram_replies(*args)[0]):
                known, unknown = replies(connection, KNOWN), replies(connection, UNKNOWN)
                self.assertEqual(known, unknown)
                self.assertIn("FAIL", known)

    def test_same_bytes_over_smtp(self):
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            answers = {smtp.send("AUTH PLAIN " + plain(user, self.wrong))[:2]
                       for user in (KNOWN, UNKNOWN, "x@y")}
            self.assertEqual(len(answers), 1, answers)
            self.assertEqual(answers.pop()[0], 535)

    def test_scram_salt_of_an_unknown_user_stays_the_same(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            def salts(user):
                return {self.scram_replies(connection, user)[1] for _ in range(5)}
            self.assertEqual(len(salts(KNOWN)), 1)
            self.assertEqual(len(salts(UNKNOWN)), 1)
            self.assertNotEqual(salts(UNKNOWN), salts("other@example.org"))
        before = salts_of(self.bed, UNKNOWN)
        self.bed.stop_sasld()
        self.bed.start_sasld()
        self.assertEqual(salts_of(self.bed, UNKNOWN), before, "a restart tells who is unknown")

    def test_same_time_plain(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assert_same_time(lambda user: self.plain_reply(connection, user))

    def test_same_time_login(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assert_same_time(lambda user: self.login_reply(connection, user))

    def test_same_time_scram(self):
        """Both steps: the challenge and the answer to a wrong proof."""
        with AuthSocket(self.bed.auth_socket) as connection:
            def first(user):
                scram = clients.Scram(user, self.wrong)
                self.assertEqual(connection.auth("SCRAM-SHA-256", scram.first())[0], "CONT")
            self.assert_same_time(first)

            def whole(user):
                scram = clients.Scram(user, self.wrong)
                challenge = connection.auth("SCRAM-SHA-256", scram.first())[1]
                text = base64.b64decode(challenge).decode()
                nonce = text.split(",")[0][2:]
                # A proof without its costly arithmetic, which would hide the server's time.
                final = clients.b64(f"c=biws,r={nonce},p={clients.b64(bytes(32))}")
                self.assertEqual(connection.cont(final)[0], "FAIL")
            self.assert_same_time(whole)


def salts_of(running, user):
    def challenge():
        with AuthSocket(running.auth_socket) as connection:
            return connection.auth("SCRAM-SHA-256", clients.Scram(user, "x").first())
    reply = bed.wait_until("a challenge", lambda: (challenge() or [None, None])[1])
    return base64.b64decode(reply).decode().split(",")[1]


if __name__ == "__main__":
    bed.main()
