"""The contract from Python: lists of mechanisms by facts, and their properties."""
import unittest

import bed
from contract import PATIENCE, Contract
from matrix import HASHES

SCRAM = [f"SCRAM-{name}" for name in reversed(HASHES)]
PLUS = [f"{name}-PLUS" for name in SCRAM]
OTHERS = ["DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", "ANONYMOUS"]
ALL = [*PLUS, "EXTERNAL", *SCRAM, *OTHERS]
# What Dovecot's own server says of each in its MECH lines; EXTERNAL has none.
MECH_FLAGS = {
    **{name: "mutual-auth channel-binding" for name in PLUS},
    **{name: "mutual-auth" for name in SCRAM},
    "EXTERNAL": "", "PLAIN": "plaintext", "LOGIN": "plaintext", "ANONYMOUS": "anonymous",
    "CRAM-MD5": "dictionary active", "DIGEST-MD5": "dictionary active mutual-auth",
}
FLAGS = ("plaintext", "dictionary", "active", "mutual_auth", "forward_secrecy", "anonymous",
         "private", "channel_binding")


class Lists(bed.Scenario):
    @classmethod
    def setUpClass(cls):
        cls.bed = bed.Bed(mechanisms=ALL, realm="example.org")
        cls.addClassCleanup(cls.bed.abandon)
        cls.bed.start_sasld()
        cls.contract = Contract(cls.bed.folder / "generated")
        cls.addClassCleanup(cls.contract.close)
        cls.stub = cls.contract.stub(cls.bed.sasl_socket)

    @classmethod
    def tearDownClass(cls):
        cls.bed.close()

    def listed(self, **facts):
        """MechanismInfo of each; without facts: of a connection that is not known."""
        request = self.contract.pb2.ListMechanismsRequest()
        if facts:
            request.connection.CopyFrom(self.contract.pb2.ConnectionFacts(**facts))
        return self.stub.ListMechanisms(request, timeout=PATIENCE).mechanisms

    def names(self, **facts):
        return [mechanism.name for mechanism in self.listed(**facts)]

    def certificate(self):
        return self.contract.pb2.ClientCertificate(sha256_fingerprint=b"\1" * 32)

    def everything(self):
        return {"secured": True, "can_bind": True, "certificate": self.certificate()}

    def test_flags_are_those_of_dovecot(self):
        told = {mechanism.name: {flag.replace("_", "-") for flag in FLAGS if getattr(mechanism, flag)}
                for mechanism in self.listed(**self.everything())}
        self.assertEqual(told, {name: set(flags.split()) for name, flags in MECH_FLAGS.items()})

    def test_each_property_of_the_message_is_looked_at(self):
        fields = {field.name for field in self.contract.pb2.MechanismInfo.DESCRIPTOR.fields}
        self.assertEqual(fields, {"name", *FLAGS})

    def test_everything(self):
        self.assertEqual(self.names(**self.everything()), ALL)

    def test_unknown_connection(self):
        self.assertEqual(self.names(), [*SCRAM, *OTHERS])

    def test_without_certificate(self):
        self.assertEqual(self.names(secured=True, can_bind=True), [*PLUS, *SCRAM, *OTHERS])

    def test_without_binding(self):
        self.assertEqual(self.names(secured=True, certificate=self.certificate()),
                         ["EXTERNAL", *SCRAM, *OTHERS])

    def test_not_secured(self):
        self.assertEqual(self.names(remote_ip=b"192.0.2.1", local_ip=b"192.0.2.2"),
                         [*SCRAM, "DIGEST-MD5", "CRAM-MD5", "ANONYMOUS"])


if __name__ == "__main__":
    bed.main()
