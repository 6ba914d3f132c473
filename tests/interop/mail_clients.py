"""Mail clients that nobody here wrote, each driven the same way.

login() is true if the client itself takes the login for good. What the server made of it is for the
caller to ask. Passwords go by standard input or by files of mode 0600, never by arguments.
"""
import functools
import json
import os
import pathlib
import re
import smtplib
import socketserver
import subprocess
import tempfile
import threading
from typing import NamedTuple, Optional

import libsasl2

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60
REALM = "example.org"  # of the server, for the client that asks its user for it
MESSAGE = "From: ann@example.org\nTo: bob@example.net\nSubject: a\n\nb\n"
ASKED = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "EXTERNAL", "ANONYMOUS", "SCRAM-SHA-1",
         "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512", "SCRAM-SHA3-512")


class Tls(NamedTuple):
    """What a client needs for STARTTLS. Paths of PEM files; version: "1.2" or "1.3"."""
    ca: str
    version: str
    certificate: Optional[str] = None
    key: Optional[str] = None


def run(command, text="", **more):
    return subprocess.run([str(word) for word in command], input=text, capture_output=True,
                          text=True, timeout=PATIENCE, start_new_session=True, **more)


def printed(*command, **more):
    done = run(command, **more)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def with_file(text, use):
    """use(path of a private file that holds `text`), in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sasld-client-") as folder:
        path = pathlib.Path(folder, "rc")
        path.touch(0o600)
        path.write_text(text)
        return use(path)


class Gsasl:
    name = "gsasl"
    known_from = "gsasl --client-mechanisms"

    @functools.lru_cache(None)
    def mechanisms(self):
        return set(printed("gsasl", "--client-mechanisms").split())

    def login(self, port, mechanism, user, password, tls=None):
        command = ["gsasl", "--smtp", "--connect", f"127.0.0.1:{port}", "--mechanism", mechanism,
                   "--authentication-id", user, "--authorization-id", ""]
        if mechanism == "ANONYMOUS":
            command += ["--anonymous-token", user]
        if mechanism == "DIGEST-MD5":
            # Else it asks for them, on the standard input that the password is for.
            command += ["--realm", REALM, "--quality-of-protection", "qop-auth"]
        if tls:
            command += ["--starttls", "--x509-ca-file", tls.ca, "--priority",
                        f"NORMAL:-VERS-ALL:+VERS-TLS{tls.version}"]
            if tls.certificate:
                command += ["--x509-cert-file", tls.certificate, "--x509-key-file", tls.key]
        else:
            command += ["--no-starttls"]
        return run(command, password + "\n").returncode == 0


class Libsasl2:
    name = "libsasl2"
    known_from = "sasl_client_plugin_info()"

    def __init__(self, program):
        self._program = program

    @functools.lru_cache(None)
    def mechanisms(self):
        return set(printed(self._program, "--mechanisms").split())

    def login(self, port, mechanism, user, password, tls=None, binding=None):
        return libsasl2.login(self._program, port, mechanism, user, password, tls, binding)


class Smtplib:
    name = "Python smtplib"
    known_from = "methods smtplib.SMTP.auth_*"

    def mechanisms(self):
        return {name for name in ASKED if hasattr(smtplib.SMTP, self._method(name))}

    @staticmethod
    def _method(mechanism):
        return "auth_" + mechanism.lower().replace("-", "_")

    def login(self, port, mechanism, user, password, tls=None):
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = user, password
            try:
                return smtp.auth(mechanism, getattr(smtp, self._method(mechanism)))[0] == 235
            except smtplib.SMTPAuthenticationError:
                return False


class Swaks:
    name = "swaks"
    known_from = "swaks --support"

    @functools.lru_cache(None)
    def mechanisms(self):
        text = printed("swaks", "--support")
        found = set(re.findall(r"^=== AUTH (\S+) supported", text, flags=re.M))
        return found | ({"PLAIN", "LOGIN"} if "=== Basic AUTH supported" in text else set())

    def login(self, port, mechanism, user, password, tls=None):
        done = run(["swaks", "--server", "127.0.0.1", "--port", port, "--auth", mechanism,
                    "--auth-user", user, "--from", "ann@example.org", "--to", "bob@example.net"],
                   password + "\n")
        return done.returncode == 0


class _Unwilling(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"554 not now\r\n")


class Curl:
    name = "curl"
    known_from = "what --login-options AUTH= takes; SCRAM: whether its features have gsasl"

    @functools.lru_cache(None)
    def mechanisms(self):
        # It looks at the name as soon as it is connected. Exit status 3: that makes no sense.
        with socketserver.TCPServer(("127.0.0.1", 0), _Unwilling) as unwilling:
            threading.Thread(target=unwilling.serve_forever, daemon=True).start()
            port = unwilling.server_address[1]
            taken = {name for name in ASKED if run(self._command(port, name)).returncode != 3}
            unwilling.shutdown()
        if "gsasl" not in printed("curl", "--version"):
            taken = {name for name in taken if not name.startswith("SCRAM-")}
        return taken

    @staticmethod
    def _command(port, mechanism):
        return ["curl", "--silent", "--show-error", "--max-time", PATIENCE, "--login-options",
                f"AUTH={mechanism}", f"smtp://127.0.0.1:{port}/client.example.org"]

    def login(self, port, mechanism, user, password, tls=None):
        command = self._command(port, mechanism)
        if tls:
            command += ["--ssl-reqd", "--cacert", tls.ca, "--tls-max", tls.version,
                        f"--tlsv{tls.version}"]
            if tls.certificate:
                command += ["--cert", tls.certificate, "--key", tls.key]
        credentials = f'user = "{user}:{password}"\n'
        return with_file(MESSAGE, lambda message: run(
            command + ["--config", "-", "--mail-from", "ann@example.org", "--mail-rcpt",
                       "bob@example.net", "--upload-file", message], credentials)).returncode == 0


class Msmtp:
    name = "msmtp"
    known_from = "msmtp --version"

    @functools.lru_cache(None)
    def mechanisms(self):
        text = printed("msmtp", "--version")
        line = re.search(r"^Supported authentication methods:\n(.*)$", text, flags=re.M)[1]
        return set(line.upper().split())

    def login(self, port, mechanism, user, password, tls=None):
        lines = ["account default", "host 127.0.0.1", f"port {port}", "from ann@example.org",
                 f"auth {mechanism.lower()}", f"user {user}", f"password {password}"]
        if tls:
            lines += ["tls on", "tls_starttls on", f"tls_trust_file {tls.ca}",
                      f"tls_priorities NORMAL:-VERS-ALL:+VERS-TLS{tls.version}"]
            if tls.certificate:
                lines += [f"tls_cert_file {tls.certificate}", f"tls_key_file {tls.key}"]
        return with_file("\n".join(lines) + "\n", lambda file: run(
            ["msmtp", "--file", file, "bob@example.net"], MESSAGE)).returncode == 0


class Mutt:
    name = "mutt"
    known_from = "mutt -v: +USE_GSASL, so libgsasl's, without -PLUS, as it passes no binding data"

    @functools.lru_cache(None)
    def mechanisms(self):
        assert "+USE_GSASL" in printed("mutt", "-v")
        return {name for name in Gsasl().mechanisms() if not name.endswith("-PLUS")}

    def login(self, port, mechanism, user, password, tls=None):
        lines = [f'set smtp_url = "smtp://{user.replace("@", "%40")}@127.0.0.1:{port}"',
                 f'set smtp_pass = "{password}"', f'set smtp_authenticators = "{mechanism}"',
                 'set from = "ann@example.org"', 'set realname = ""', "set copy = no"]
        if tls:
            lines += ["set ssl_starttls = yes", "set ssl_force_tls = yes",
                      f'set ssl_ca_certificates_file = "{tls.ca}"']
        else:
            lines += ["set ssl_starttls = no", "set ssl_force_tls = no"]

        def send(file):
            if tls and tls.certificate:
                both = file.with_name("certificate.pem")
                both.write_text("".join(pathlib.Path(part).read_text()
                                        for part in (tls.certificate, tls.key)))
                with file.open("a") as rc:
                    rc.write(f'set ssl_client_cert = "{both}"\n')
            home = dict(os.environ, HOME=str(file.parent), TERM="dumb")
            return run(["mutt", "-n", "-F", file, "-s", "a", "bob@example.net"], "b\n", env=home,
                       cwd=file.parent).returncode == 0

        return with_file("\n".join(lines) + "\n", send)


class Nodemailer:
    name = "nodemailer"
    known_from = "what its login() does not call unknown"
    # Debian's place of Node's modules, wherever node itself is from.
    _command = ["node", HERE / "nodemailer_client.js"]
    _environment = dict(os.environ, NODE_PATH="/usr/share/nodejs")

    @functools.lru_cache(None)
    def mechanisms(self):
        return set(printed(*self._command, "--mechanisms", *ASKED, env=self._environment).split())

    def login(self, port, mechanism, user, password, tls=None):
        asked = {"port": port, "mechanism": mechanism, "user": user, "password": password}
        return run(self._command, json.dumps(asked), env=self._environment).returncode == 0


class NetSmtp:
    name = "Perl Net::SMTP"
    known_from = "what Authen::SASL makes a client for"
    _command = ["perl", HERE / "net_smtp_client.pl"]

    @functools.lru_cache(None)
    def mechanisms(self):
        return set(printed(*self._command, "--mechanisms", *ASKED).split())

    def login(self, port, mechanism, user, password, tls=None):
        command = [*self._command, port, mechanism]
        if tls:
            command += [tls.version, tls.ca]
            if tls.certificate:
                command += [tls.certificate, tls.key]
        return run(command, f"{user}\n{password}\n").returncode == 0


def all_clients(libsasl2_program):
    return [Gsasl(), Libsasl2(libsasl2_program), Smtplib(), Swaks(), Curl(), Msmtp(), Mutt(),
            Nodemailer(), NetSmtp()]
