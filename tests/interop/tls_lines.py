"""Lines over a socket that may become a TLS connection, and what binds a login to that connection.

pyOpenSSL, because Python's own ssl module has no tls-exporter.
"""
import base64
import socket
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL import SSL

PATIENCE = 30
VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
EXPORTER, UNIQUE, END_POINT = "tls-exporter", "tls-unique", "tls-server-end-point"


def _context(method, version):
    context = SSL.Context(method)
    context.set_min_proto_version(VERSIONS[version])
    context.set_max_proto_version(VERSIONS[version])
    return context


def client_context(ca, version="1.3", certificate=None, key=None):
    """`ca` None: any server will do."""
    context = _context(SSL.TLS_CLIENT_METHOD, version)
    if ca:
        context.load_verify_locations(ca)
        context.set_verify(SSL.VERIFY_PEER)
    if certificate:
        context.use_certificate_file(certificate)
        context.use_privatekey_file(key)
    return context


def server_context(certificate, key, version, client_ca=None):
    """With `client_ca` clients are asked for a certificate, and let in whatever it is."""
    context = _context(SSL.TLS_SERVER_METHOD, version)
    context.use_certificate_file(certificate)
    context.use_privatekey_file(key)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"tests")
    if client_ca:
        context.load_verify_locations(client_ca)
        context.load_client_ca(client_ca.encode())
        context.set_verify(SSL.VERIFY_PEER, _note_verdict)
    return context


def _note_verdict(connection, _certificate, _error, _depth, good):
    """Called for each certificate of the chain. Lets any in, and remembers a bad one."""
    if not good:
        connection.set_app_data("not verified")
    return True


class Lines:
    """One side of an SMTP connection."""

    def __init__(self, connection):
        # No settimeout(), which makes a socket that pyOpenSSL cannot wait for.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
        self.socket = connection
        self.tls = None
        self._server = False
        self._unread = b""

    def start_tls(self, context, server):
        assert not self._unread, "something came before the handshake"
        self.tls = SSL.Connection(context, self.socket)
        self._server = server
        self.tls.set_accept_state() if server else self.tls.set_connect_state()
        self.tls.do_handshake()

    def close(self):
        self.socket.close()

    def read(self):
        """The next line without its end, or None: that was all."""
        while b"\n" not in self._unread:
            try:
                more = (self.tls or self.socket).recv(16384)
            except (SSL.ZeroReturnError, SSL.SysCallError, ConnectionError):
                return None
            if not more:
                return None
            self._unread += more
        line, self._unread = self._unread.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def read_reply(self):
        """All lines of an SMTP reply; none: the server hung up."""
        lines = []
        while not lines or lines[-1][3:4] == "-":
            line = self.read()
            if line is None:
                return []
            lines.append(line)
        return lines

    def write(self, *lines):
        (self.tls or self.socket).sendall("".join(line + "\r\n" for line in lines).encode())

    def binding(self, kind):
        """Channel binding data (RFC 5929, RFC 9266) of this connection, or nothing."""
        if kind == EXPORTER:
            return self.tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        if kind == UNIQUE and self.tls.get_protocol_version() == SSL.TLS1_2_VERSION:
            # The first Finished message, which without resumption is the client's.
            return self.tls.get_peer_finished() if self._server else self.tls.get_finished()
        if kind == END_POINT:
            mine = self.tls.get_certificate() if self._server else self.tls.get_peer_certificate()
            return _end_point(mine.to_cryptography())
        return b""

    def client_certificate(self):
        """The client's certificate if its chain was verified, else None."""
        shown = self.tls.get_peer_certificate() if self.tls else None
        return shown.to_cryptography() if shown and not self.tls.get_app_data() else None


def _end_point(certificate):
    # RFC 5929 section 4.1: MD5 and SHA-1 give way to SHA-256.
    algorithm = certificate.signature_hash_algorithm
    if isinstance(algorithm, (hashes.MD5, hashes.SHA1)):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate.public_bytes(serialization.Encoding.DER))
    return digest.finalize()


def base64_of(data):
    return base64.b64encode(data).decode()


def emails_of(certificate):
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.RFC822Name)
