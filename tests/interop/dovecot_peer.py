"""Debian's Dovecot with deploy/dovecot's samples, in the folder of a bed: IMAP, POP3, submission,
ManageSieve and LMTP, and no auth process of its own.

Its programs and libraries stand where they were built to stand, in a mount namespace of their own that
ends with them: the unpacked packages over the system's /usr, to read.
"""
import os
import shutil
import socket
import socketserver
import subprocess
import threading

import bed
from unpacked import unpack

PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-submissiond", "dovecot-lmtpd",
            "dovecot-managesieved", "dovecot-sieve", "libexttextcat-2.0-0", "liblua5.3-0", "libsodium23", "libunwind8")
# Accounts that every system has; no process of Dovecot's logs in, and mail belongs to a number.
LOGIN_USER, INTERNAL_USER, MAIL_ID = "nobody", "daemon", 5000
GROUP = "nogroup"  # of who may connect to sasld
PROTOCOLS = ("imap", "pop3", "submission", "sieve", "lmtp")


class _RelayHandler(socketserver.StreamRequestHandler):
    """The server that submitted mail goes on to, as far as a login wants it."""

    def handle(self):
        self.wfile.write(b"220 relay.example.org ESMTP\r\n")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 relay.example.org\r\n")
            if word == b"QUIT":
                return


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Dovecot:
    """With sasld-adapter as its child; or, with `own_sockets`, beside the bed's adapter, which is to be
    started after this was made and before start(). `settings` are more lines of dovecot.conf."""

    def __init__(self, the_bed, own_sockets=False, settings=""):
        self._bed = the_bed
        self._tree = unpack(bed.arguments.peers, "dovecot-mail", PACKAGES)
        self.folder = the_bed.folder / "dovecot"
        self.mail = self.folder / "mail"
        self.mail.mkdir(parents=True)
        os.chown(self.mail, MAIL_ID, MAIL_ID)
        self.ports = {protocol: bed.free_port() for protocol in PROTOCOLS}
        self.run_folder = self.folder / "run"
        self.postfix_socket = self.run_folder / "auth-smtp"
        self._relay = _Relay(("127.0.0.1", 0), _RelayHandler)
        threading.Thread(target=self._relay.serve_forever, daemon=True).start()
        self._configure((self._own_sockets() if own_sockets else self._child()) + settings)

    def _changed(self, sample, changes):
        text = (bed.CHECKOUT / "deploy/dovecot" / sample).read_text()
        for old, new in changes.items():
            assert old in text, f"{sample} has no {old}"
            text = text.replace(old, str(new))
        return text

    def _own_sockets(self):
        """What README.md says has to be there, and the sockets for the bed's adapter."""
        login = self.run_folder / "login"
        (login / "ext").mkdir(parents=True)
        for folder, mode in (self.run_folder, 0o755), (login, 0o755), (login / "ext", 0o755):
            folder.chmod(mode)
        master = self.folder / "dovecot-master"
        self.adapter_sockets = [login / "ext/auth-login", master, self.folder / "dovecot-userdb"]
        (self.run_folder / "auth-master").symlink_to(master)
        toml = self._changed("adapter-own-sockets.toml", {
            "/run/dovecot/": f"{self.run_folder}/", "/run/sasld-adapter/": f"{self.folder}/",
            'group = "dovenull"': 'group = "nogroup"'})
        with open(self._bed.adapter_toml, "a") as adapter_toml:
            adapter_toml.write(toml[toml.index("[[listen]]"):])
        return self._changed("sasld-own-sockets.conf", {"/run/sasld-adapter/": f"{self.folder}/"})

    def _child(self):
        # A copy: the account it runs as may not be let into the checkout, nor at what was built with a strict umask.
        adapter = shutil.copy(bed.arguments.bin / "sasld-adapter", self.folder)
        os.chmod(adapter, 0o755)
        adapter_toml = self.folder / "adapter.toml"
        adapter_toml.write_text(self._changed("adapter.toml", {
            "unix:/run/sasld/sasl.sock": f"unix:{self._bed.sasl_socket}"}) + '[log]\nlevel = "debug"\n')
        # AddressSanitizer reserves a shadow of all addresses there could be.
        sanitized = b"__asan_init" in (bed.arguments.bin / "sasld-adapter").read_bytes()
        return self._changed("sasld-child.conf", {
            "vsz_limit = 4G": "vsz_limit = 0" if sanitized else "vsz_limit = 4G",
            "/usr/sbin/sasld-adapter": adapter,
            "/etc/sasld/dovecot-adapter.toml": adapter_toml,
            "user = sasld-adapter": f"user = {LOGIN_USER}", "group = sasld\n": f"group = {GROUP}\n"}) + """
service auth {
  unix_listener auth-smtp {
    mode = 0666
  }
}
"""

    def _configure(self, sample):
        self._file = self.folder / "dovecot.conf"
        self._file.write_text(f"""\
base_dir = {self.run_folder}
state_dir = {self.folder}/state
log_path = {self._bed.logs}/dovecot.log
login_trusted_networks =
listen = 127.0.0.1
protocols = {" ".join(PROTOCOLS)}
ssl = no
disable_plaintext_auth = no
default_login_user = {LOGIN_USER}
default_internal_user = {INTERNAL_USER}
default_internal_group = {INTERNAL_USER}
first_valid_uid = 1
mail_location = maildir:~/Maildir
hostname = mail.example.org
postmaster_address = postmaster@example.org
submission_relay_host = 127.0.0.1
submission_relay_port = {self._relay.server_address[1]}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.ports["imap"]}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.ports["pop3"]}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {self.ports["submission"]}
  }}
}}
service managesieve-login {{
  inet_listener sieve {{
    port = {self.ports["sieve"]}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.ports["lmtp"]}
  }}
}}
protocol lmtp {{
  mail_plugins =
}}
{sample}""")

    def _command(self, *command):
        """A command for a shell that stands among Dovecot's programs."""
        mount = (f"mount -t overlay overlay -o lowerdir={self._tree}/usr:/usr /usr || exit 70; "
                 'export LD_LIBRARY_PATH=/usr/lib/dovecot; exec "$@"')
        return bed.as_root(["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh",
                            *map(str, command)])

    def start(self):
        # Its log has what stands before it is opened.
        self._bed.start_peer("dovecot-start", self._command("/usr/sbin/dovecot", "-F", "-c", self._file),
                             lambda: all(bed.listens(port) for port in self.ports.values()))

    def stop(self):
        self._bed.stop_peer("dovecot-start")

    def close(self):
        self._relay.shutdown()
        self._relay.server_close()

    def reload(self):
        done = self.tool("/usr/sbin/dovecot", "-c", self._file, "reload")
        assert done.returncode == 0, done.stderr

    def doveadm(self, *arguments):
        return self.tool("/usr/bin/doveadm", "-c", self._file, *arguments)

    def tool(self, *command):
        return subprocess.run(self._command(*command), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=bed.PATIENCE)

    def processes(self):
        """The command lines of all processes of this Dovecot."""
        master = int((self.run_folder / "master.pid").read_text())
        found = {}
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                with open(f"/proc/{entry}/cmdline") as line:
                    if parent == master:
                        found[int(entry)] = line.read().replace("\0", " ").strip()
            except (OSError, ValueError, IndexError):
                continue
        return found

    def adapter_pid(self):
        return next((pid for pid, line in self.processes().items() if "sasld-adapter" in line), None)


class Lines:
    """A dialogue of lines over TCP."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), bed.PATIENCE)
        self._lines = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lines.close()
        self._socket.close()

    def line(self):
        """Without its end; empty once the server has hung up."""
        try:
            return self._lines.readline().decode(errors="replace").rstrip("\r\n")
        except ConnectionResetError:
            return ""

    def send(self, line):
        self._socket.sendall(line.encode() + b"\r\n")
