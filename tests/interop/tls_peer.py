"""An SMTP server with STARTTLS that asks sasld itself, by gRPC, and knows what Postfix does not tell:
the client's certificate, and what binds a login to its TLS connection. And one who sits between."""
import socket
import threading

import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

import tls_lines
from tap import Attempts

PATIENCE = 30
HOST = "127.0.0.1"


class _Server:
    """A thread that accepts, and one for each connection."""

    def __init__(self):
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.errors = []
        self._connections = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        # Wakes accept(); close() alone would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()
        for connection in self._connections:
            connection.join(PATIENCE)
        assert not self.errors, self.errors

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve_one, args=(accepted,), daemon=True)
            self._connections.append(thread)
            thread.start()

    def _serve_one(self, accepted):
        lines = tls_lines.Lines(accepted)
        try:
            self.serve(lines)
        except (OSError, tls_lines.SSL.Error):
            pass  # the client went, or does not like our certificate
        except Exception as error:  # told by close(), in the test's own thread
            self.errors.append(repr(error))
        finally:
            lines.close()


class TlsPeer(_Server):
    """`contract` and `stub`: see contract.py. `can_bind`: whether it says so to sasld."""

    def __init__(self, contract, stub, context, can_bind=True):
        self.attempts = Attempts()
        self.contract = contract
        self.stub = stub
        self.context = context
        self.can_bind = can_bind
        self.offered = []  # to the last client
        self.bindings_asked = []  # types that sasld asked for
        super().__init__()

    def serve(self, lines):
        _Session(self, lines).run()


class _Session:
    def __init__(self, peer, lines):
        self._peer = peer
        self._lines = lines
        self._pb2 = peer.contract.pb2
        self._authenticated = False

    def run(self):
        self._lines.write("220 mail.example.org ESMTP")
        while (line := self._lines.read()) is not None:
            verb, _, rest = line.partition(" ")
            handler = getattr(self, f"_{verb.lower()}", None)
            if verb.upper() == "QUIT":
                self._lines.write("221 2.0.0 bye")
                return
            if handler:
                handler(rest)
            else:
                self._lines.write("502 5.5.2 unknown")

    def _ehlo(self, _):
        self._peer.offered = self._mechanisms()
        more = [] if self._lines.tls else ["250-STARTTLS"]
        self._lines.write("250-mail.example.org", *more,
                          "250 AUTH " + " ".join(self._peer.offered))

    def _starttls(self, _):
        self._lines.write("220 2.0.0 go")
        self._lines.start_tls(self._peer.context, server=True)

    def _mail(self, _):
        self._lines.write("250 2.1.0 ok" if self._authenticated else "530 5.7.0 log in first")

    def _rcpt(self, _):
        self._lines.write("250 2.1.5 ok")

    def _data(self, _):
        self._lines.write("354 go on")
        while self._lines.read() not in (".", None):
            pass
        self._lines.write("250 2.0.0 taken")

    def _facts(self):
        client, server = self._lines.socket.getpeername(), self._lines.socket.getsockname()
        facts = self._pb2.ConnectionFacts(
            service=b"smtp", remote_ip=client[0].encode(), remote_port=client[1],
            local_ip=server[0].encode(), local_port=server[1], secured=bool(self._lines.tls),
            can_bind=bool(self._lines.tls) and self._peer.can_bind)
        certificate = self._lines.client_certificate()
        if certificate:
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            facts.certificate.sha256_fingerprint = certificate.fingerprint(hashes.SHA256())
            facts.certificate.common_name = names[-1].value.encode() if names else b""
            facts.certificate.emails.extend(
                email.encode() for email in tls_lines.emails_of(certificate))
        return facts

    def _mechanisms(self):
        reply = self._peer.stub.ListMechanisms(
            self._pb2.ListMechanismsRequest(connection=self._facts()), timeout=PATIENCE)
        return [mechanism.name for mechanism in reply.mechanisms if not mechanism.private]

    def _auth(self, rest):
        mechanism, _, initial = rest.partition(" ")
        code = self._exchange(mechanism, initial or None)
        self._authenticated = code == 235
        self._peer.attempts.add(mechanism, code)
        self._lines.write(f"{code} " + {235: "2.7.0 in", 501: "5.7.0 cancelled"}.get(
            code, "5.7.8 not let in"))

    def _exchange(self, mechanism, response):
        request = self._pb2.StepRequest(mechanism=mechanism.encode(), connection=self._facts())
        while True:
            if response == "=":
                request.response = b""  # RFC 4954 section 4
            elif response is not None:
                request.response_base64 = response.encode()
            try:
                reply = self._peer.stub.Step(request, timeout=PATIENCE)
            except grpc.RpcError as error:
                self._peer.errors.append(repr(error))
                return 454
            outcome = reply.WhichOneof("outcome")
            if outcome == "success":
                return self._finish(reply.success)
            if outcome != "challenge":
                return {"failure": 535, "temporary": 454}[outcome]
            response = self._ask(reply.challenge.data)
            if response == "*" or response is None:
                return 501
            request = self._next(request, reply.challenge, response)

    def _next(self, before, challenge, response):
        request = self._pb2.StepRequest(mechanism=before.mechanism, connection=before.connection,
                                        state=challenge.state)
        request.response_base64 = response.encode()
        kind = challenge.channel_binding_type
        if kind:
            self._peer.bindings_asked.append(kind)
            request.channel_bindings.add(type=kind.encode(), data=self._lines.binding(kind))
        return request

    def _finish(self, success):
        # SMTP has no place for additional data with success (RFC 4954 section 4).
        if success.HasField("data") and self._ask(success.data) != "":
            return 501
        return 235

    def _ask(self, data):
        self._lines.write("334 " + tls_lines.base64_of(data))
        return self._lines.read()


class Intruder(_Server):
    """Speaks TLS with the client under a certificate of its own, TLS with the server as a client, and
    passes on what each says. `hide`: takes these words out of what the server offers."""

    def __init__(self, server_port, context, version, hide=()):
        self._server_port = server_port
        self._context = context
        self._version = version
        self._hide = hide
        super().__init__()

    def serve(self, lines):
        server = tls_lines.Lines(socket.create_connection((HOST, self._server_port)))
        try:
            lines.write(*server.read_reply())
            while (line := lines.read()) is not None:
                server.write(line)
                reply = server.read_reply()
                lines.write(*map(self._edited, reply))
                if not reply:
                    return
                if line.upper() == "STARTTLS":
                    server.start_tls(tls_lines.client_context(None, self._version), server=False)
                    lines.start_tls(self._context, server=True)
        finally:
            server.close()

    def _edited(self, line):
        return " ".join(word for word in line.split(" ") if word not in self._hide)
