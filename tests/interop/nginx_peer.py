"""Debian's nginx as a mail proxy, with deploy/nginx/mail.conf, and a mail server behind it that takes
any login and remembers what nginx said."""
import re
import socket
import socketserver
import threading

import bed
from unpacked import unpack

PACKAGES = ("nginx", "libnginx-mod-mail")
# As mail.conf has them.
PORTS = {993: "imaps", 143: "imap", 995: "pop3s", 465: "smtps", 587: "submission"}


def _replaced(text, old, new):
    assert old in text, f"mail.conf has no {old}"
    return text.replace(old, new)


def sample(auth_socket, certificates):
    """deploy/nginx/mail.conf with ports, socket and certificate of a test, and the ports by name."""
    text = (bed.CHECKOUT / "deploy/nginx/mail.conf").read_text()
    ports = {}
    for number, name in PORTS.items():
        ports[name] = bed.free_port()
        text, count = re.subn(rf"\blisten {number}\b", f"listen 127.0.0.1:{ports[name]}", text)
        assert count == 1, f"mail.conf listens on {number} {count} times"
    text = _replaced(text, "/run/sasld-adapter/nginx.sock", str(auth_socket))
    text = _replaced(text, "/etc/ssl/certs/mail.example.org.pem", certificates.path("server"))
    return _replaced(text, "/etc/ssl/private/mail.example.org.key", certificates.key("server")), ports


def start(the_bed, mail_conf, ports):
    tree = unpack(bed.arguments.peers, "nginx", PACKAGES)
    folder = the_bed.folder / "nginx"
    folder.mkdir(exist_ok=True)
    log = the_bed.logs / "nginx.log"
    (folder / "nginx.conf").write_text(f"""\
load_module {tree}/usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
user nobody nogroup;
worker_processes 1;
pid {folder}/pid;
error_log {log} info;
events {{}}
{mail_conf}""")
    the_bed.start_peer(
        "nginx",
        [tree / "usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", log],
        lambda: all(bed.listens(port) for port in ports.values()))


class _Handler(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def line(self):
        return self.rfile.readline().decode(errors="replace").rstrip("\r\n")

    def handle(self):
        self.server.protocol(self)


def _imap(session):
    session.say("* OK ready")
    tag, verb, size = session.line().split()
    assert verb == "LOGIN", verb
    session.say("+ go on")
    name = session.rfile.read(int(size.strip("{}")) + 1).decode().rstrip()
    rest = session.line()
    session.say("+ go on")
    password = session.rfile.read(int(rest.strip(" {}"))).decode()
    session.line()
    session.server.seen.append(("imap", name, password))
    session.say(f"{tag} OK logged in behind nginx")
    session.line()


def _pop3(session):
    session.say("+OK ready")
    name = session.line().removeprefix("USER ")
    session.say("+OK")
    password = session.line().removeprefix("PASS ")
    session.server.seen.append(("pop3", name, password))
    session.say("+OK logged in behind nginx")
    session.line()


def _smtp(session):
    session.say("220 ready")
    while (line := session.line()) != "":
        if line.startswith("XCLIENT "):
            session.server.seen.append(("smtp", *re.findall(r"\b(?:LOGIN|ADDR)=(\S+)", line)))
            session.say("220 ready")
        else:
            session.say("250 fine")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class MailServer:
    """IMAP, POP3 and SMTP, as far as nginx goes with them before it only passes bytes on."""

    def __init__(self):
        self.seen = []
        self._servers = {}
        for name, protocol, kind, address in (("imap", _imap, _Server6, "::1"),
                                              ("pop3", _pop3, _Server, "127.0.0.1"),
                                              ("smtp", _smtp, _Server, "127.0.0.1")):
            server = kind((address, 0), _Handler)
            server.protocol = protocol
            server.seen = self.seen
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self._servers[name] = server

    def address(self, name):
        """As [listen.backends] has it."""
        host, port = self._servers[name].server_address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self):
        for server in self._servers.values():
            server.shutdown()
            server.server_close()
