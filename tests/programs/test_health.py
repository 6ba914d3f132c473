"""The commands by which containers and supervisors ask how the programs do: sasld health, sasld-adapter health."""
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

import programs
from programs import run


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sasld-health-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)

    def start_sasld(self):
        sasld = programs.Sasld(self.home)
        self.addCleanup(sasld.stop)
        return sasld

    def check(self, status, said, program, *arguments):
        """It prints this one line, where it belongs."""
        done = run(program, "health", *arguments)
        line = done.stderr if status else done.stdout
        self.assertEqual((done.returncode, line.count("\n")), (status, 1), done)
        self.assertIn(said, line)
        self.assertEqual(done.stdout if status else done.stderr, "")


class OfSasld(InAFolder):
    def test_serving(self):
        self.start_sasld()
        self.check(0, f"unix:{self.home}/sasl.sock: serving\n", "sasld", "--config",
                   self.home / "sasld.toml")

    def test_by_the_admin_socket_where_that_is_the_only_one(self):
        self.start_sasld()
        config = self.home / "tcp.toml"
        config.write_text('[listen]\nsasl = ["127.0.0.1:1"]\n'
                          f'admin = ["unix:{self.home}/admin.sock"]\n'
                          '[listen.tls]\ncertificate = "x"\nkey = "x"\nclient_ca = "x"\n')
        self.check(0, f"unix:{self.home}/admin.sock: serving\n", "sasld", "--config", config)

    def test_one_of_two_sockets_is_enough(self):
        self.start_sasld()
        config = self.home / "two.toml"
        config.write_text(f'[listen]\nsasl = ["unix:{self.home}/none", '
                          f'"unix:{self.home}/sasl.sock"]\n')
        self.check(0, f"unix:{self.home}/sasl.sock: serving\n", "sasld", "--config", config)

    def test_nobody_there(self):
        config = self.home / "none.toml"
        config.write_text(f'[listen]\nsasl = ["unix:{self.home}/none"]\n')
        self.check(1, f"unix:{self.home}/none: nobody listens there; start sasld, or see that",
                   "sasld", "--config", config)

    def test_one_that_hangs(self):
        sasld = self.start_sasld()
        sasld.process.send_signal(signal.SIGSTOP)
        self.addCleanup(sasld.process.send_signal, signal.SIGCONT)  # before it is stopped
        self.check(1, "sasl.sock: does not answer within 200ms; it hangs or has too much to do",
                   "sasld", "--config", self.home / "sasld.toml", "--timeout", "200ms")

    def test_another_program_there(self):
        config = self.home / "other.toml"
        config.write_text(f'[listen]\nsasl = ["unix:{self.home}/other"]\n')
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(f"{self.home}/other")
            other.listen(9)
            self.check(1, f"unix:{self.home}/other: ", "sasld", "--config", config,
                       "--timeout", "200ms")

    def test_mistakes(self):
        config = self.home / "wrong.toml"
        config.write_text("[listen]\nsasl_mod = 1\n")
        self.check(1, f"{config}:2: listen.sasl_mod: unknown key", "sasld", "--config", config)
        self.check(2, '--timeout: "soon" is not a duration', "sasld", "--timeout", "soon")


class OverTcp(InAFolder):
    """A sasld without a Unix socket: its own certificate is the client's."""

    def setUp(self):
        super().setUp()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key",
                     "-out", "ca.pem")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.home, check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=programs.PATIENCE)

    def serve(self, usage):
        """Starts it with a certificate for `usage`; its configuration."""
        (self.home / "extensions").write_text(
            f"subjectAltName=DNS:sasld.example\nextendedKeyUsage={usage}\n")
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-subj", "/CN=sasld.example", "-keyout", "own.key", "-out", "own.csr")
        self.openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "own.pem")
        config = self.home / "sasld.toml"
        config.write_text(f'[store]\nurl = "memory:"\n[keys]\nfile = "{self.home}/key"\n'
                          f'[listen]\nsasl = ["0.0.0.0:{self.port}"]\nadmin = []\n'
                          f'[listen.tls]\ncertificate = "{self.home}/own.pem"\n'
                          f'key = "{self.home}/own.key"\nclient_ca = "{self.home}/ca.pem"\n')
        programs.start(self, "sasld", self.home, "--config", config)
        return config

    def test_certificate_for_both_ends(self):
        config = self.serve("serverAuth,clientAuth")
        self.check(0, f"127.0.0.1:{self.port}: serving\n", "sasld", "--config", config)

    def test_certificate_for_servers_only(self):
        config = self.serve("serverAuth")
        self.check(1, "else add a Unix socket to listen.sasl or listen.admin", "sasld",
                   "--config", config)


class OfTheAdapter(InAFolder):
    def write_config(self, more="", sockets=("dovecot-auth", "dovecot-login", "dovecot-master",
                                             "saslauthd", "nginx-auth-http")):
        text = f'[server]\naddresses = ["unix:{self.home}/sasl.sock"]\n'
        for protocol in sockets:
            text += (f'[[listen]]\nprotocol = "{protocol}"\npath = "{self.home}/{protocol}"\n'
                     + more)
            if protocol == "nginx-auth-http":
                text += '[listen.backends]\nimap = "127.0.0.1:1"\n'
        path = self.home / "adapter.toml"
        path.write_text(text)
        return path

    def serve(self, **arguments):
        config = self.write_config(**arguments)
        return config, programs.start(self, "sasld-adapter", self.home, "--config", config)

    def test_it_is_well_without_sasld(self):
        config, _ = self.serve()
        self.check(0, "5 of 5 sockets take connections\n", "sasld-adapter", "--config", config)

    def test_ready(self):
        config, _ = self.serve()
        self.check(1, f"unix:{self.home}/sasl.sock: nobody listens there; start sasld",
                   "sasld-adapter", "--ready", "--config", config)
        self.start_sasld()
        self.check(0, f"5 of 5 sockets take connections; unix:{self.home}/sasl.sock is serving\n",
                   "sasld-adapter", "--ready", "--config", config)

    def test_who_is_not_let_in_sees_it_all_the_same(self):
        config, adapter = self.serve(more='allow_users = ["54321"]\n')
        self.check(0, "dovecot-auth does not let ", "sasld-adapter", "--config", config)
        adapter.send_signal(signal.SIGSTOP)
        self.addCleanup(adapter.send_signal, signal.SIGCONT)
        self.check(1, f"'{self.home}/dovecot-auth' takes the connection, but nobody answers",
                   "sasld-adapter", "--config", config, "--timeout", "200ms")

    def test_one_that_hangs(self):
        for protocol in "dovecot-auth", "saslauthd":
            config, adapter = self.serve(sockets=[protocol])
            adapter.send_signal(signal.SIGSTOP)
            self.addCleanup(adapter.send_signal, signal.SIGCONT)
            with self.subTest(protocol):
                self.check(1, f"'{self.home}/{protocol}' takes the connection, but nobody answers",
                           "sasld-adapter", "--config", config, "--timeout", "200ms")

    def test_a_socket_that_is_not_there(self):
        self.serve(sockets=["saslauthd"])
        config = self.write_config(sockets=["saslauthd", "dovecot-auth"])
        self.check(1, f"'{self.home}/dovecot-auth'", "sasld-adapter", "--config", config)

    def test_another_protocol_than_the_configuration_has(self):
        config, _ = self.serve(sockets=["saslauthd"])
        config.write_text(config.read_text().replace('"saslauthd"', '"dovecot-auth"'))
        self.check(1, f"'{self.home}/saslauthd' does not greet as dovecot-auth does",
                   "sasld-adapter", "--config", config)


if __name__ == "__main__":
    programs.main()
