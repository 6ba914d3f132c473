"""The adapter reaches sasld over TCP, with mutual TLS: who may, who may not, what is said of it."""
import os
import shutil
import signal
import socket
import ssl
import subprocess

import bed
from authority import Authority
from clients import AuthSocket, Scram, plain, smtp_auth, smtp_scram

USER = "ann@example.org"
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000")


class Tls(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.port = bed.free_port()
        self.certificates = self.bed.folder / "certificates"
        self.certificates.mkdir()
        authority = Authority(self.certificates, "authority")
        authority.certify("server", "IP:127.0.0.1")
        authority.certify("adapter")
        Authority(self.certificates, "stranger").certify("strangers-adapter")
        self.sasld_template = self.bed.sasld_toml.read_text()
        self.adapter_template = self.bed.adapter_toml.read_text()
        self.configure_sasld()
        self.configure_adapter()

    def pem(self, name, ending="pem"):
        return self.certificates / f"{name}.{ending}"

    def configure_sasld(self, certificate="server", key=None, client_ca="authority"):
        self.bed.sasld_toml.write_text(self.sasld_template.replace(
            f'["unix:{self.bed.sasl_socket}"]', f'["127.0.0.1:{self.port}"]').replace(
            "[mechanisms]", f"""\
[listen.tls]
certificate = "{self.pem(certificate)}"
key = "{self.pem(key or certificate, 'key')}"
client_ca = "{self.pem(client_ca)}"
[mechanisms]"""))

    def configure_adapter(self, certificate="adapter", key=None, ca="authority", host="127.0.0.1"):
        self.bed.adapter_toml.write_text(self.adapter_template.replace(
            f"unix:{self.bed.sasl_socket}", f"{host}:{self.port}").replace(
            "[[listen]]", f"""\
[server.tls]
ca = "{self.pem(ca)}"
certificate = "{self.pem(certificate)}"
key = "{self.pem(key or certificate, 'key')}"
[[listen]]""", 1))

    def start(self):
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.bed.start_adapter()

    def login(self):
        with AuthSocket(self.bed.auth_socket) as connection:
            return connection.auth("PLAIN", plain(USER, self.password))

    def logged(self, name, text):
        bed.wait_until(f"{name} logs: {text}", lambda: text in self.bed.log(name))


class Logins(Tls):
    def test_logins(self):
        self.start()
        self.bed.start_postfix()
        port = self.bed.port
        self.assertEqual(smtp_auth(port, "PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(smtp_auth(port, "PLAIN " + plain(USER, "wrong")), 535)
        self.assertEqual(smtp_scram(port, USER, self.password), 235)

    def test_sasld_away_and_back_in_the_middle_of_an_exchange(self):
        self.start()
        scram = Scram(USER, self.password)
        with AuthSocket(self.bed.auth_socket) as connection:
            _, challenge = connection.auth("SCRAM-SHA-256", scram.first())
            self.bed.kill_sasld()
            self.bed.start_sasld()
            bed.wait_until("logins work again", lambda: self.login() == ["OK", f"user={USER}"])
            self.assertTrue(scram.server_is_right(connection.cont(scram.final(challenge))[1]))
            self.assertEqual(connection.cont(""), ["OK", f"user={USER}"])

    def test_wrong_authority_is_told_and_logins_fail_as_temporary(self):
        self.configure_adapter(ca="stranger")
        self.start()
        self.bed.start_postfix()
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain(USER, self.password)), 454)
        self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 454)
        self.assertIsNone(self.login())
        self.logged("adapter", "certificate verify failed. Its certificate has expired, or is of another "
                    "authority than server.tls.ca. Trying again; without it logins fail as temporary")
        self.is_told_once()

    def test_certificates_are_taken_over_at_sighup(self):
        for ending in "pem", "key":
            shutil.copy(self.pem("strangers-adapter", ending), self.pem("mine", ending))
        self.configure_adapter(certificate="mine")
        self.start()
        self.logged("adapter", "no connection to sasld")
        for ending in "pem", "key":
            shutil.copy(self.pem("adapter", ending), self.pem("mine", ending))
        self.bed.adapter.send_signal(signal.SIGHUP)
        self.logged("adapter", f"connected to sasld at 127.0.0.1:{self.port}")
        self.assertEqual(self.login(), ["OK", f"user={USER}"])

        self.pem("mine", "key").unlink()
        self.bed.adapter.send_signal(signal.SIGHUP)
        self.logged("adapter", f"configuration not reloaded, the old one stays: server.tls.key: "
                    f"{self.pem('mine', 'key')} cannot be read: No such file or directory")
        self.assertEqual(self.login(), ["OK", f"user={USER}"])

    def test_wrong_name_in_the_servers_certificate_is_told(self):
        self.configure_adapter(host="localhost")
        self.start()
        self.assertIsNone(self.login())
        self.logged("adapter", "Peer name localhost is not in peer certificate. Its certificate must "
                    "have the name that server.addresses has (subjectAltName).")
        self.is_told_once()

    def is_told_once(self):
        """However often it was tried."""
        text = self.bed.log("adapter")
        self.assertEqual(text.count("no connection to sasld"), 1, text)
        self.assertEqual([line for line in text.splitlines() if not line.startswith("20")], [])


class Strangers(Tls):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)

    def answer_to(self, connection):
        """What sasld sends to who speaks HTTP/2: its settings, or nothing and hangs up."""
        with connection:
            try:
                connection.sendall(HTTP2_PREFACE)
                return connection.recv(9)
            except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
                return b""

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), bed.PATIENCE)

    def connect_tls(self, certificate=None, most=ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=self.pem("authority"))
        context.set_alpn_protocols(["h2"])
        context.maximum_version = most
        if certificate:
            context.load_cert_chain(self.pem(certificate), self.pem(certificate, "key"))
        return context.wrap_socket(self.connect(), server_hostname="127.0.0.1")

    def test_only_a_certificate_of_the_authority_is_answered(self):
        settings = 4  # the type of an HTTP/2 frame, RFC 9113 section 6.5
        for most in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            with self.subTest(most=most):
                self.assertEqual(self.answer_to(self.connect_tls("adapter", most))[3], settings)
                for certificate in None, "strangers-adapter":
                    try:
                        connection = self.connect_tls(certificate, most)
                    except (ssl.SSLError, ConnectionResetError):
                        continue  # in TLS 1.2 the handshake tells
                    self.assertEqual(self.answer_to(connection), b"")
        self.logged("sasld", "gRPC: Handshake failed with fatal error SSL_ERROR_SSL: ")

    def test_plaintext_is_not_answered(self):
        self.assertEqual(self.answer_to(self.connect()), b"")
        self.logged("sasld", "SSL routines::wrong version number")

    def test_silence_is_hung_up_on(self):
        with self.connect() as connection:
            self.assertEqual(connection.recv(1), b"")

    def test_adapter_of_another_authority_gets_no_login(self):
        self.configure_adapter(certificate="strangers-adapter")
        self.bed.start_adapter()
        self.assertIsNone(self.login())
        self.logged("adapter", "Is it running? Does it refuse our certificate? Its log tells.")
        self.logged("sasld", "warning: gRPC: Handshake failed with fatal error SSL_ERROR_SSL: "
                    "error:0A000086:SSL routines::certificate verify failed.")

    def test_many_of_them_do_not_fill_the_log(self):
        before = self.bed.log("sasld").count("\n")
        for _ in range(500):
            self.assertEqual(self.answer_to(self.connect()), b"")
        self.assertLess(self.bed.log("sasld").count("\n") - before, 20)


class Files(Tls):
    """What is wrong with them is told at the start, with the file and what to do."""

    def check(self, program, config, expected):
        # Root may read anything, unless it gives up the right to.
        without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        for more in [], ["--check-config"]:
            done = subprocess.run(
                (without if os.geteuid() == 0 else []) +
                [bed.arguments.bin / program, "--config", config, *more],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=bed.PATIENCE)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(expected, done.stderr)
        self.assertEqual(list(self.bed.data.iterdir()), [])

    def both(self, setting, expected, **files):
        """`setting`: as the adapter calls it."""
        self.configure_adapter(**files)
        self.check("sasld-adapter", self.bed.adapter_toml, f"server.tls.{setting}: {expected}")
        if "ca" in files:
            files["client_ca"] = files.pop("ca")
        self.configure_sasld(**files)
        servers = "client_ca" if setting == "ca" else setting
        self.check("sasld", self.bed.sasld_toml, f"listen.tls.{servers}: {expected}")

    def test_files_that_are_not_there(self):
        for setting in "ca", "certificate", "key":
            ending = "key" if setting == "key" else "pem"
            files = {"key": "adapter"} if setting == "certificate" else {}
            self.both(setting, f"{self.pem('none', ending)} cannot be read: No such file or directory",
                      **{**files, setting: "none"})

    def test_key_that_may_not_be_read(self):
        for certificate in "adapter", "server":
            self.pem(certificate, "key").chmod(0)
        why = f"cannot be read: Permission denied; let user id {os.geteuid()}, which this program runs as"
        self.check("sasld-adapter", self.bed.adapter_toml,
                   f"server.tls.key: {self.pem('adapter', 'key')} {why}")
        self.check("sasld", self.bed.sasld_toml, f"listen.tls.key: {self.pem('server', 'key')} {why}")

    def test_files_of_something_else(self):
        self.pem("junk").write_text("junk\n")
        self.pem("junk", "key").write_text("")
        self.pem("folder", "key").mkdir()
        for setting in "ca", "certificate":
            self.both(setting, f"{self.pem('junk')} holds no certificate in PEM", **{setting: "junk"})
        self.both("key", f"{self.pem('junk', 'key')} holds no private key in PEM",
                  certificate="adapter", key="junk")
        self.both("key", f"{self.pem('folder', 'key')} cannot be read: Is a directory",
                  certificate="adapter", key="folder")

    def test_key_of_another_certificate(self):
        self.both("key", f"{self.pem('server', 'key')} is not the key of the first certificate in "
                  f"{self.pem('adapter')}", certificate="adapter", key="server")

    def test_key_with_a_passphrase(self):
        subprocess.run(["openssl", "pkey", "-in", self.pem("adapter", "key"), "-aes256", "-passout",
                        "pass:x", "-out", self.pem("locked", "key")], check=True)
        self.both("key", f"{self.pem('locked', 'key')} needs a passphrase, and nobody is here to enter it; "
                  "take it off: openssl pkey", certificate="adapter", key="locked")


if __name__ == "__main__":
    bed.main()
