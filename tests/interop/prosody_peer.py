"""Debian's Prosody with mod_auth_dovecot and deploy/prosody/sasld.cfg.lua, in the folder of a bed, and a
client that logs in to it."""
import os
import re
import socket

import bed
from clients import Scram, plain
from unpacked import unpack

PACKAGES = ("prosody", "prosody-modules", "lua5.4", "lua-bitop", "lua-expat", "lua-filesystem", "lua-sec",
            "lua-socket", "libexpat1", "libicu72")
SOCKET = "/run/sasld-adapter/prosody.sock"


def start(the_bed, certificates):
    """Returns the port for clients. Its host is example.org."""
    tree = unpack(bed.arguments.peers, "prosody", PACKAGES)
    folder = the_bed.folder / "prosody"
    (folder / "data").mkdir(parents=True)
    program = (tree / "usr/bin/prosody").read_text()
    for old, new in (("'/usr/lib/prosody", f"'{tree}/usr/lib/prosody"), ("'/etc/prosody'", f"'{folder}'"),
                     ("'/var/lib/prosody'", f"'{folder}/data'")):
        assert old in program
        program = program.replace(old, new)
    (folder / "prosody").write_text(program)
    sample = (bed.CHECKOUT / "deploy/prosody/sasld.cfg.lua").read_text()
    assert SOCKET in sample
    port = bed.free_port()
    (folder / "prosody.cfg.lua").write_text(f"""\
modules_enabled = {{ "saslauth", "tls" }}
modules_disabled = {{ "s2s" }}
run_as_root = true
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
pidfile = "{folder}/pid"
log = {{ debug = "*console" }}
VirtualHost "example.org"
ssl = {{ certificate = "{certificates.path("server")}", key = "{certificates.key("server")}" }}
{sample.replace(SOCKET, str(the_bed.auth_socket))}""")
    libraries = tree / "usr/lib/x86_64-linux-gnu"
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{tree}/lib/x86_64-linux-gnu",
                   "LUA_PATH": f"{tree}/usr/share/lua/5.4/?.lua;;",
                   "LUA_CPATH": f"{libraries}/lua/5.4/?.so;;"}
    the_bed.start_peer("prosody", [tree / "usr/bin/lua5.4", folder / "prosody", "-F", "--config",
                                   folder / "prosody.cfg.lua"], lambda: bed.listens(port), environment)
    return port


class Xmpp:
    """RFC 6120 as far as a login goes. Each answer is one element, in text."""

    HELLO = ("<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xml:lang='en' "
             "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")

    def __init__(self, port, tls):
        self._socket = socket.create_connection(("127.0.0.1", port), bed.PATIENCE)
        self._read = ""
        self.features = self._open()
        self._send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self._until(r"<proceed [^>]*/>")
        self._socket = tls.wrap_socket(self._socket, server_hostname="mail.example.org")
        self.features = self._open()
        self.mechanisms = re.findall(r"<mechanism>([^<]*)</mechanism>", self.features)

    def close(self):
        self._socket.close()

    def _send(self, text):
        self._socket.sendall(text.encode())

    def _until(self, pattern):
        while not (found := re.search(pattern, self._read)):
            data = self._socket.recv(65536)
            assert data, f"hung up on: {self._read}"
            self._read += data.decode()
        self._read = self._read[found.end():]
        return found[0]

    def _open(self):
        self._send(self.HELLO)
        return self._until(r"<stream:features.*</stream:features>|<stream:features/>")

    def _say(self, element, text, **attributes):
        given = "".join(f" {name}='{value}'" for name, value in attributes.items())
        end = f">{text}</{element}>" if text else "/>"
        self._send(f"<{element} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{given}{end}")
        return self._until(r"<(challenge|success|failure)\b[^>]*(/>|>.*?</\1>)")

    @staticmethod
    def _outcome(answer):
        """"success", or the condition of the failure (RFC 6120 section 6.5)."""
        if answer.startswith("<success"):
            return "success"
        return re.match(r"<failure[^>]*><([a-z-]+)/>", answer)[1]

    @staticmethod
    def _data(answer):
        return re.search(r">([^<]*)<", answer)[1]

    def plain(self, user, password):
        return self._outcome(self._say("auth", plain(user, password), mechanism="PLAIN"))

    def scram(self, user, password):
        client = Scram(user, password)
        answer = self._say("auth", client.first(), mechanism="SCRAM-SHA-256")
        if not answer.startswith("<challenge"):
            return self._outcome(answer)
        answer = self._say("response", client.final(self._data(answer)))
        if answer.startswith("<challenge"):
            assert client.server_is_right(self._data(answer)), "the server does not know the password"
            answer = self._say("response", "")
        return self._outcome(answer)

    def bind(self):
        """The address that the server gives who has logged in."""
        self._open()
        self._send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        return re.search(r"<jid>([^/<]*)", self._until(r"<iq .*?</iq>"))[1]
