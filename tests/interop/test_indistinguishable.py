"""An unknown user and a wrong password: the same bytes, and the same time within noise."""
import random
import re
import statistics
import time

import bed
import clients
import dialogues
from clients import AuthSocket, Smtp, plain
from dialogues import DIALOGUES, SCRAM_HASHES

TRIES = 200
# Tries alternate in random order. What else runs on the machine only adds time, so the fastest
# quarter says most; if one series is off all the same, a real difference is there in each of them,
# and always to the same side.
SERIES = 3
TOLERANCE = 0.25

KNOWN = "known@example.org"
UNKNOWN = "wrong@example.org"  # as long as the other

MESSAGE_ID = re.compile("<.*@")  # in CRAM-MD5


def shape(challenge):
    """A challenge with what differs from one to the next taken out, but for its length."""
    fields = []
    for field in MESSAGE_ID.sub(lambda found: f"{len(found[0])} characters", challenge).split(","):
        name, _, value = field.partition("=")
        same = name in ("i", "realm", "qop", "charset", "algorithm") or not value
        fields.append(field if same else f"{name}={len(value)} characters")
    return fields


class Indistinguishable(bed.SharedBed):
    # No delay, so that it hides nothing; an Argon2id cost near the default's.
    OPTIONS = {"failure_delay": "0s", "argon2id": (8192, 2), "realm": dialogues.REALM,
               "mechanisms": tuple(DIALOGUES)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.password = cls.bed.add_user(KNOWN)
        cls.wrong = cls.bed.secret()

    def series(self, attempt):
        """Lower quartiles of TRIES calls each of attempt(KNOWN) and attempt(UNKNOWN)."""
        users = [KNOWN, UNKNOWN] * TRIES
        random.shuffle(users)
        taken = {KNOWN: [], UNKNOWN: []}
        for user in users:
            began = time.perf_counter()
            attempt(user)
            taken[user].append(time.perf_counter() - began)
        return tuple(statistics.quantiles(taken[user], n=4)[0] for user in (KNOWN, UNKNOWN))

    def assert_same_time(self, what, attempt):
        attempt(KNOWN), attempt(UNKNOWN)  # warm
        seen, sides = [], set()
        for _ in range(SERIES):
            known, unknown = self.series(attempt)
            seen.append(f"{known * 1e3:.3f} ms and {unknown * 1e3:.3f} ms")
            sides.add(known > unknown)
            if abs(known - unknown) <= TOLERANCE * min(known, unknown) or len(sides) > 1:
                print(f"({what}, wrong password and unknown user: {seen[-1]})")
                return
        self.fail(f"{what}: wrong password and unknown user take: {'; '.join(seen)}")

    def refused(self, connection, dialogue, user):
        challenge, last = dialogue(connection, user, None)
        self.assertIsNotNone(last, "hung up on: a temporary failure")
        self.assertEqual(last[0], "FAIL")
        return challenge, "\t".join(last).replace(user, "USER")

    def test_known_is_known(self):
        """Else the rest would compare two who are not there."""
        for name, dialogue in DIALOGUES.items():
            with self.subTest(name), AuthSocket(self.bed.auth_socket) as connection:
                last = dialogue(connection, KNOWN, self.password)[1]
                self.assertIn(last[0], ("OK", "CONT"), last)  # CONT: the server's proof

    def test_same_bytes(self):
        for name, dialogue in DIALOGUES.items():
            with self.subTest(name), AuthSocket(self.bed.auth_socket) as connection:
                known = self.refused(connection, dialogue, KNOWN)
                unknown = self.refused(connection, dialogue, UNKNOWN)
                self.assertEqual(shape(known[0]), shape(unknown[0]))
                self.assertEqual(known[1], unknown[1])

    def test_same_bytes_over_smtp(self):
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            answers = {smtp.send("AUTH PLAIN " + plain(user, self.wrong))[:2]
                       for user in (KNOWN, UNKNOWN, "x@y")}
            self.assertEqual(len(answers), 1, answers)
            self.assertEqual(answers.pop()[0], 535)

    def test_same_time(self):
        """From the first line to the refusal."""
        for name, dialogue in DIALOGUES.items():
            with self.subTest(name), AuthSocket(self.bed.auth_socket) as connection:
                self.assert_same_time(name, lambda user: dialogue(connection, user, None))

    def test_same_time_to_the_challenge(self):
        for name in SCRAM_HASHES:
            with self.subTest(name), AuthSocket(self.bed.auth_socket) as connection:
                self.assert_same_time(name + "'s challenge", lambda user: dialogues.text_of(
                    connection.auth(name, clients.Scram(user, "").first())))

    def test_scram_salt_of_an_unknown_user_stays_the_same(self):
        before = {name: self.salt(name, UNKNOWN) for name in SCRAM_HASHES}
        for name, salt in before.items():
            self.assertEqual({self.salt(name, UNKNOWN) for _ in range(5)}, {salt})
            self.assertNotEqual(self.salt(name, "other@example.org"), salt)
        self.bed.stop_sasld()
        self.bed.start_sasld()
        for name, salt in before.items():
            self.assertEqual(self.salt(name, UNKNOWN), salt, "a restart tells who is unknown")

    def salt(self, mechanism, user):
        def challenge():
            with AuthSocket(self.bed.auth_socket) as connection:
                return connection.auth(mechanism, clients.Scram(user, "").first())
        reply = bed.wait_until("a challenge", challenge)  # none while sasld comes back
        return dialogues.text_of(reply).split(",")[1]


if __name__ == "__main__":
    bed.main()
