"""What a newcomer is told who starts a program wrongly: what is wrong, where, and what to do."""
import pathlib
import re
import tempfile
import unittest

import programs
from programs import run

DEFAULTS = {"sasld": "/etc/sasld/sasld.toml", "sasld-adapter": "/etc/sasld/adapter.toml"}


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sasld-messages-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)

    def config(self, text):
        path = self.home / "config.toml"
        path.write_text(text)
        return path


class Start(InAFolder):
    def refused(self, program, *arguments):
        """What it says on standard error, its log's times taken off; it does not start."""
        done = run(program, *arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        return re.sub(r"^\d{4}-\S+ (sasld\[\d+\] )?", "", done.stderr, flags=re.M)

    def test_wrong_command_line(self):
        for program in DEFAULTS:
            for arguments, wrong in ((["--conf", "x"], "there is no option --conf"),
                                     (["x"], {"sasld": '"x" is no command; there is health',
                                              "sasld-adapter": '"x" is no command; there are '
                                                               'check, health'}
                                      [program]),
                                     (["--config"], "--config: 1 required FILE missing")):
                with self.subTest(program, arguments=arguments):
                    done = run(program, *arguments)
                    self.assertEqual(done.returncode, 2)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(done.stderr,
                                     f"{program}: {wrong} ({program} --help tells more)\n")

    def test_no_configuration(self):
        path = self.home / "none.toml"
        for program in DEFAULTS:
            with self.subTest(program):
                self.assertEqual(self.refused(program, "--config", path),
                                 f"{path}: cannot be opened: No such file or directory; make it, "
                                 "or name another with --config\n")

    def test_configuration_is_looked_for_in_etc(self):
        for program, path in DEFAULTS.items():
            with self.subTest(program):
                done = run(program, "--check-config")
                self.assertTrue((done.stdout + done.stderr).startswith(f"{path}:"), done)

    def test_mistake_in_the_configuration(self):
        path = self.config('[log]\nlevl = "info"\n[[listen]]\n')
        for program in DEFAULTS:
            with self.subTest(program):
                said = self.refused(program, "--config", path, "--check-config")
                self.assertIn(f'{path}:2: log.levl: unknown key; did you mean "level"?\n', said)

    def test_configuration_in_order(self):
        for program, text in (("sasld", ""), ("sasld-adapter", '[[listen]]\n'
                              'protocol = "dovecot-auth"\npath = "/nonexistent/socket"\n')):
            path = self.config(text)
            with self.subTest(program):
                done = run(program, "--config", path, "--check-config")
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (0, f"{path}: OK\n", ""))

    def test_folder_that_is_not_there(self):
        none = self.home / "none"
        config = self.config(f'[keys]\nfile = "{none}/key"\n[store]\nurl = "memory:"\n')
        self.assertEqual(
            self.refused("sasld", "--config", config),
            f"error: {config}:2: keys.file: cannot make {none}/key: No such file or directory; make "
            f"the folder {none} first\n")
        said = f"'{none}/x.sock' cannot be made: the folder '{none}' is not there, create it"
        self.assertIn(said, self.refused("sasld", "--config", self.config(
            f'[keys]\nfile = "{self.home}/key"\n[store]\nurl = "memory:"\n'
            f'[listen]\nsasl = ["unix:{none}/x.sock"]\n')))
        self.assertIn(said, self.refused("sasld-adapter", "--config", self.config(
            f'[[listen]]\nprotocol = "dovecot-auth"\npath = "{none}/x.sock"\n')))

    def test_group_that_is_not_there(self):
        said = (f"'{self.home}/x.sock' cannot be given to group 'no-such-group': there is no such "
                "group\n")
        self.assertIn(said, self.refused("sasld", "--config", self.config(
            f'[keys]\nfile = "{self.home}/key"\n[store]\nurl = "memory:"\n'
            f'[listen]\nsasl = ["unix:{self.home}/x.sock"]\nadmin = ["unix:{self.home}/a.sock"]\n'
            'sasl_group = "no-such-group"\n')))
        self.assertIn(said, self.refused("sasld-adapter", "--config", self.config(
            f'[[listen]]\nprotocol = "dovecot-auth"\npath = "{self.home}/x.sock"\n'
            'group = "no-such-group"\n')))

    def test_certificate_that_is_not_there(self):
        none = f"{self.home}/none.pem"
        wrong = f"{none} cannot be read: No such file or directory\n"
        tls = f'certificate = "{none}"\nkey = "{none}"\n'
        self.assertIn("listen.tls.client_ca: " + wrong, self.refused(
            "sasld", "--config", self.config(
                f'[keys]\nfile = "{self.home}/key"\n[store]\nurl = "memory:"\n'
                f'[listen]\nsasl = ["127.0.0.1:0"]\n[listen.tls]\nclient_ca = "{none}"\n{tls}')))
        self.assertIn("server.tls.ca: " + wrong, self.refused(
            "sasld-adapter", "--config", self.config(
                f'[[listen]]\nprotocol = "dovecot-auth"\npath = "{self.home}/x.sock"\n'
                f'[server]\naddresses = ["127.0.0.1:1"]\n[server.tls]\nca = "{none}"\n{tls}')))


class Administration(InAFolder):
    """saslctl against a real sasld."""

    def setUp(self):
        super().setUp()
        self.sasld = programs.Sasld(self.home)
        self.addCleanup(self.sasld.stop)

    def check(self, status, said, *arguments, stdin=""):
        done = self.sasld.saslctl(*arguments, stdin=stdin)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (status, "", said))

    def test_what_sasld_refuses(self):
        add = ("user", "add", "Ann@example.org", "--password-stdin")
        self.check(0, "user ann@example.org added\n", *add, stdin="s3cret\n")
        self.check(5, "saslctl: user Ann@example.org: there is a user of that name (saslctl user "
                   "passwd gives it another password)\n", *add, stdin="s3cret\n")
        self.check(3, "saslctl: user bob: no such user (saslctl user list shows all)\n",
                   "user", "show", "bob")
        self.check(6, "saslctl: user bob: password: holds a character that SASLprep (RFC 4013) "
                   "prohibits\n", "user", "add", "bob", "--password-stdin", stdin="a\x01b\n")
        self.check(6, "saslctl: name: is empty\n", "user", "add", "", "--generate")

    def test_socket_that_does_not_administer(self):
        done = run("saslctl", "--server", self.sasld.sasl, "status")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"saslctl: {self.sasld.sasl} does not serve administration: "
                         "give --server the admin socket of sasld\n")

    def test_second_sasld(self):
        second = self.config(f'[store]\nurl = "memory:"\n[keys]\nfile = "{self.home}/key"\n'
                             f'[listen]\nsasl = ["{self.sasld.sasl}"]\n')
        done = run("sasld", "--config", second)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is served by another process; stop it first or choose another path",
                      done.stderr)


if __name__ == "__main__":
    programs.main()
