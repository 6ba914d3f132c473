"""Clients that nobody here wrote, through Postfix: each mechanism, right and wrong password."""
import unittest

import bed
import mail_clients
from clients import Smtp
from matrix import HASHES, PASSWORDS, Matrix
from tap import Tap

MECHANISMS = [*(f"SCRAM-{name}" for name in reversed(HASHES)), *reversed(PASSWORDS), "ANONYMOUS"]
VIA = "Postfix"


class ThroughPostfix(bed.SharedBed):
    OPTIONS = {"mechanisms": MECHANISMS, "realm": "example.org"}
    # Also those that Postfix holds back by itself. And mail from here is taken from anybody, as clients
    # say that all is well only then, and who is ANONYMOUS may not relay.
    POSTFIX = {"settings": ("smtpd_sasl_security_options =",
                            "smtpd_relay_restrictions = permit_mynetworks, reject")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        programs = bed.arguments.bin
        cls.matrix = Matrix(programs.parent / "interop", "postfix")
        cls.clients = mail_clients.all_clients(programs / "libsasl2_client")
        cls.user = "ann@example.org"
        cls.password = cls.bed.add_user(cls.user)
        cls.wrong = cls.bed.secret()
        cls.tap = Tap(cls.bed.port)
        cls.addClassCleanup(cls.tap.close)

    def test_all_are_offered_best_first(self):
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.mechanisms, MECHANISMS)

    def test_clients(self):
        for client in self.clients:
            for mechanism in MECHANISMS:
                with self.subTest(client=client.name, mechanism=mechanism):
                    self.try_out(client, mechanism)

    def try_out(self, client, mechanism):
        if mechanism not in client.mechanisms():
            self.matrix.unsupported(client, VIA, mechanism)
            return
        # ANONYMOUS has no password to be wrong.
        passwords = [self.password] if mechanism == "ANONYMOUS" else [self.password, self.wrong]
        expected = [[mechanism, 235, True], [mechanism, 535, False]][:len(passwords)]
        got = self.matrix.supported(client, VIA, mechanism, expected)
        results = [self.attempt(client, mechanism, password) for password in passwords]
        got(results)
        self.assertEqual(results, expected)

    def attempt(self, client, mechanism, password):
        says_in = client.login(self.tap.port, mechanism, self.user, password)
        attempts = self.tap.attempts.take()
        self.assertTrue(attempts, f"{client.name} did not send AUTH")
        return [*attempts[0], says_in]

    def test_lists_of_clients_are_read_right(self):
        for client in self.clients:
            self.assertIn("PLAIN", client.mechanisms(), client.name)

    def test_every_column_but_one_has_a_client(self):
        # Nothing in Debian 12 speaks SCRAM-SHA3-512.
        without = [mechanism for mechanism in MECHANISMS
                   if not any(mechanism in client.mechanisms() for client in self.clients)]
        self.assertEqual(without, ["SCRAM-SHA3-512"])


if __name__ == "__main__":
    bed.main()
