"""-PLUS and EXTERNAL: clients that nobody here wrote, over TLS, with a server that asks sasld by gRPC."""
import socket
import unittest

import bed
import clients
import mail_clients
import tls_lines
from certificates import Certificates
from contract import Contract
from mail_clients import Tls
from matrix import HASHES, Matrix
from tls_lines import END_POINT, EXPORTER, UNIQUE
from tls_peer import Intruder, TlsPeer

SCRAM = [f"SCRAM-{name}" for name in reversed(HASHES)]
PLUS = [f"{name}-PLUS" for name in SCRAM]
MECHANISMS = [*PLUS, "EXTERNAL", *SCRAM, "PLAIN"]
# Each as the client chooses it for that version of TLS; libsasl2 takes what its caller gives.
GSASL_BINDINGS = ("1.3", EXPORTER), ("1.2", UNIQUE)
LIBSASL2_BINDINGS = ("1.3", EXPORTER), ("1.2", UNIQUE), ("1.3", END_POINT), ("1.2", END_POINT)


class OverTls(bed.Scenario):
    """sasld, and what the tests start of servers before it."""

    @classmethod
    def setUpClass(cls):
        cls.bed = bed.Bed(mechanisms=MECHANISMS)
        cls.addClassCleanup(cls.bed.abandon)
        cls.bed.start_sasld()
        cls.user = "ann@example.org"
        cls.password = cls.bed.add_user(cls.user)
        cls.wrong = cls.bed.secret()
        cls.certificates = Certificates(cls.bed.folder / "certificates")
        cls.certificates.make_server("intruder")
        cls.certificates.make_client("ann", cls.user)
        cls.certificates.make_client("nobody", "nobody@example.org")
        cls.certificates.make_client("nameless")
        cls.certificates.make_client("self-signed", cls.user, self_signed=True)
        cls.contract = Contract(cls.bed.folder / "generated")
        cls.addClassCleanup(cls.contract.close)
        cls.stub = cls.contract.stub(cls.bed.sasl_socket)
        cls.gsasl = mail_clients.Gsasl()
        cls.libsasl2 = mail_clients.Libsasl2(bed.arguments.bin / "libsasl2_client")

    @classmethod
    def tearDownClass(cls):
        cls.bed.close()

    def server_context(self, version, certificate="server"):
        return tls_lines.server_context(
            self.certificates.path(certificate), self.certificates.key(certificate), version,
            self.certificates.path("ca"))

    def peer(self, version, **more):
        peer = TlsPeer(self.contract, self.stub, self.server_context(version), **more)
        self.addCleanup(peer.close)
        return peer

    def intruder(self, peer, version, **more):
        intruder = Intruder(peer.port, self.server_context(version, "intruder"), version, **more)
        self.addCleanup(intruder.close)
        return intruder

    def tls(self, version, certificate=None):
        names = [certificate and where(certificate)
                 for where in (self.certificates.path, self.certificates.key)]
        return Tls(self.certificates.path("ca"), version, *names)

    def attempt(self, peer, client, mechanism, password, tls, port=None, **more):
        """[mechanism that the server saw, code that it gave, whether the client takes it for good]"""
        says_in = client.login(port or peer.port, mechanism, self.user, password, tls, **more)
        attempts = peer.attempts.take()
        self.assertTrue(attempts, f"{client.name} did not send AUTH")
        return [*attempts[0], says_in]


class TheMatrix(OverTls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.matrix = Matrix(bed.arguments.bin.parent / "interop", "tls")

    def try_out(self, client, via, mechanism, expected, attempts):
        if mechanism not in client.mechanisms():
            self.matrix.unsupported(client, via, mechanism)
            return
        got = self.matrix.supported(client, via, mechanism, expected)
        results = [attempt() for attempt in attempts]
        got(results)
        self.assertEqual(results, expected)

    def try_binding(self, client, version, kind, mechanism, **more):
        peer = self.peer(version)
        self.try_out(client, f"TLS {version}, {kind}", mechanism,
                     [[mechanism, 235, True], [mechanism, 535, False]],
                     [lambda password=password: self.attempt(peer, client, mechanism, password,
                                                             self.tls(version), **more)
                      for password in (self.password, self.wrong)])
        if mechanism in client.mechanisms():
            self.assertEqual(set(peer.bindings_asked), {kind})

    def test_gsasl_binds(self):
        for version, binding in GSASL_BINDINGS:
            for mechanism in PLUS:
                with self.subTest(version=version, mechanism=mechanism):
                    self.try_binding(self.gsasl, version, binding, mechanism)

    def test_libsasl2_binds(self):
        for version, binding in LIBSASL2_BINDINGS:
            for mechanism in PLUS:
                with self.subTest(version=version, binding=binding, mechanism=mechanism):
                    self.try_binding(self.libsasl2, version, binding, mechanism, binding=binding)

    def test_external(self):
        for client in mail_clients.all_clients(bed.arguments.bin / "libsasl2_client"):
            for version in "1.2", "1.3":
                with self.subTest(client=client.name, version=version):
                    self.try_external(client, version)

    def try_external(self, client, version):
        peer = self.peer(version)
        self.try_out(client, f"TLS {version}, certificate", "EXTERNAL",
                     [["EXTERNAL", 235, True], ["EXTERNAL", 535, False]],
                     [lambda name=name: self.attempt(peer, client, "EXTERNAL", "",
                                                     self.tls(version, name))
                      for name in ("ann", "nobody")])


class WhatIsOffered(OverTls):
    """As clients see it: lists by facts."""

    def offered(self, version="1.3", certificate=None, **more):
        peer = self.peer(version, **more)
        self.attempt(peer, self.libsasl2, "PLAIN", self.password, self.tls(version, certificate))
        return peer.offered

    def test_all_with_binding_and_certificate(self):
        self.assertEqual(self.offered(certificate="ann"), MECHANISMS)

    def test_external_not_without_a_certificate(self):
        self.assertEqual(self.offered(), [*PLUS, *SCRAM, "PLAIN"])

    def test_external_not_with_a_certificate_that_is_not_verified(self):
        self.assertEqual(self.offered(certificate="self-signed"), [*PLUS, *SCRAM, "PLAIN"])

    def test_plus_not_where_the_server_cannot_bind(self):
        self.assertEqual(self.offered(can_bind=False), [*SCRAM, "PLAIN"])


class WhoIsRefused(OverTls):
    def test_intruder_with_tls_sessions_of_his_own(self):
        for version, binding in LIBSASL2_BINDINGS:
            with self.subTest(version=version, binding=binding):
                peer = self.peer(version)
                intruder = self.intruder(peer, version)
                mechanism = "SCRAM-SHA-256-PLUS"
                self.assertEqual(
                    self.attempt(peer, self.libsasl2, mechanism, self.password, self.tls(version),
                                 intruder.port, binding=binding), [mechanism, 535, False])
                # He could have had a login that is not bound.
                self.assertEqual(
                    self.attempt(peer, self.libsasl2, "SCRAM-SHA-256", self.password,
                                 self.tls(version), intruder.port), ["SCRAM-SHA-256", 235, True])
                self.assertIn("SCRAM c=", self.bed.log("sasld"))

    def test_intruder_before_gsasl(self):
        for version, _ in GSASL_BINDINGS:
            for mechanism in "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS":
                with self.subTest(version=version, mechanism=mechanism):
                    peer = self.peer(version)
                    intruder = self.intruder(peer, version)
                    self.assertEqual(
                        self.attempt(peer, self.gsasl, mechanism, self.password, self.tls(version),
                                     intruder.port), [mechanism, 535, False])

    def code_for_y(self, port):
        """What a client gets that could bind, and says so: it saw no -PLUS."""
        lines = tls_lines.Lines(socket.create_connection(("127.0.0.1", port)))
        self.addCleanup(lines.close)
        lines.read_reply()
        for command in "EHLO client.example.org", "STARTTLS":
            lines.write(command)
            lines.read_reply()
        lines.start_tls(tls_lines.client_context(self.certificates.path("ca")), server=False)
        scram = clients.Scram(self.user, self.password, flag="y")
        lines.write("AUTH SCRAM-SHA-256 " + scram.first())
        reply = lines.read_reply()[-1]
        if reply.startswith("334"):
            lines.write(scram.final(reply[4:]))
            reply = lines.read_reply()[-1]
        if reply.startswith("334"):
            lines.write("")
            reply = lines.read_reply()[-1]
        return int(reply[:3])

    def test_intruder_who_hides_plus(self):
        # The client says that it could bind, and that alone gives him away.
        peer = self.peer("1.3")
        intruder = self.intruder(peer, "1.3", hide=PLUS)
        self.assertEqual(self.code_for_y(intruder.port), 535)
        self.assertIn("did not see that we offer -PLUS", self.bed.log("sasld"))
        self.assertEqual(peer.attempts.take(), [("SCRAM-SHA-256", 535)])

    def test_saying_y_is_no_fault_where_plus_is_not_offered(self):
        self.assertEqual(self.code_for_y(self.peer("1.3", can_bind=False).port), 235)

    def test_plus_where_the_server_cannot_bind(self):
        peer = self.peer("1.3", can_bind=False)
        self.assertEqual(
            self.attempt(peer, self.libsasl2, "SCRAM-SHA-256-PLUS", self.password, self.tls("1.3"),
                         binding=EXPORTER), ["SCRAM-SHA-256-PLUS", 535, False])

    def test_external_with_a_certificate_of_nobody(self):
        for certificate in "nobody", "nameless", "self-signed", None:
            with self.subTest(certificate=certificate):
                peer = self.peer("1.3")
                self.assertEqual(
                    self.attempt(peer, self.libsasl2, "EXTERNAL", "",
                                 self.tls("1.3", certificate)), ["EXTERNAL", 535, False])


if __name__ == "__main__":
    bed.main()
