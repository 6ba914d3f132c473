"""Certificates for one test, made for it: an authority, a server, and clients."""
import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = [x509.DNSName("mail.example.org"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


class Certificates:
    """PEM files in `folder`: path(name) and key(name) of each that was made."""

    def __init__(self, folder):
        self._folder = folder
        folder.mkdir()
        self._authority = None
        self._authority = self._make("ca", [], authority=True)
        self.make_server("server")

    def path(self, name):
        return str(self._folder / f"{name}.pem")

    def key(self, name):
        return str(self._folder / f"{name}.key")

    def make_server(self, name):
        self._make(name, HOST)

    def make_client(self, name, *emails, self_signed=False):
        self._make(name, [x509.RFC822Name(email) for email in emails], self_signed=self_signed)

    def client_context(self, name=None):
        """For a client that trusts the authority, and shows the certificate `name` if there is one."""
        context = ssl.create_default_context(cafile=self.path("ca"))
        if name:
            context.load_cert_chain(self.path(name), self.key(name))
        return context

    def _make(self, name, alternatives, authority=False, self_signed=False):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer, signing_key = (subject, key) if self_signed or not self._authority else self._authority
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2))
                   .add_extension(x509.BasicConstraints(authority, None), critical=True))
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        certificate = builder.sign(signing_key, hashes.SHA256())
        with open(self.path(name), "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(self.key(name), "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM,
                                         serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
        return subject, key
