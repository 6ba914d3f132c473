"""What the environment says of the configuration: it goes before the file, and its mistakes name the variable."""
import os
import pathlib
import signal
import tempfile
import unittest

import programs

DEFAULTS = {"sasld": "/etc/sasld/sasld.toml", "sasld-adapter": "/etc/sasld/adapter.toml"}
# What Kubernetes sets in each container where there is a Service named sasld.
OF_A_SERVICE = {"SASLD_SERVICE_HOST": "192.0.2.7", "SASLD_SERVICE_PORT": "4720",
                "SASLD_SERVICE_PORT_GRPC": "4720", "SASLD_PORT": "tcp://192.0.2.7:4720",
                "SASLD_PORT_4720_TCP": "tcp://192.0.2.7:4720", "SASLD_PORT_4720_TCP_PROTO": "tcp",
                "SASLD_PORT_4720_TCP_PORT": "4720", "SASLD_PORT_4720_TCP_ADDR": "192.0.2.7",
                "SASLD_ADAPTER_SERVICE_HOST": "192.0.2.8",
                "SASLD_ADAPTER_PORT": "tcp://192.0.2.8:1"}


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sasld-environment-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)

    def write(self, name, text):
        (self.home / name).write_text(text)
        return self.home / name

    def sasld(self):
        """Variables for a sasld that keeps nothing and serves in the folder."""
        return {"SASLD_STORE_URL": "memory:", "SASLD_KEYS_FILE": f"{self.home}/key",
                "SASLD_LISTEN_SASL": f"unix:{self.home}/sasl.sock",
                "SASLD_LISTEN_ADMIN": f"unix:{self.home}/admin.sock"}


class Check(InAFolder):
    def check(self, program, variables, *arguments):
        return programs.run(program, *arguments, "--check-config", variables=variables)

    def test_without_a_file(self):
        for program in DEFAULTS:
            self.assertFalse(os.path.exists(DEFAULTS[program]), "this machine has a configuration")
        for program, variables in (
                ("sasld", self.sasld()),
                ("sasld-adapter", {"SASLD_ADAPTER_LISTEN_0_PROTOCOL": "saslauthd",
                                   "SASLD_ADAPTER_LISTEN_0_PATH": "/run/x"})):
            with self.subTest(program):
                done = self.check(program, {**variables, **OF_A_SERVICE})
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (0, "environment: OK\n", ""))

    def test_neither_file_nor_variable(self):
        for program, path in DEFAULTS.items():
            for variables in {}, OF_A_SERVICE:
                with self.subTest(program):
                    done = self.check(program, variables)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertEqual(done.stderr, f"{path}: cannot be opened: No such file or "
                                     "directory; make it, or name another with --config\n")

    def test_a_file_that_is_named_must_be_there(self):
        none = self.home / "none.toml"
        done = self.check("sasld", self.sasld(), "--config", none)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{none}: cannot be opened", done.stderr)

    def test_mistakes(self):
        path = self.write("sasld.toml", '[log]\nlevl = "info"\n')
        done = self.check("sasld", {"SASLD_LISTEN_SASL_MODE": "066", "SASLD_STOR_URL": "memory:",
                                    "SASLD_LOG_LEVEL_FILE": f"{self.home}/none",
                                    "SASLD_HASHING_QUEUE": "1", "SASLD_HASHING_QUEUE_FILE": "x"},
                          "--config", path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(
            done.stderr,
            f'{path}:2: log.levl: unknown key; did you mean "level"?\n'
            'SASLD_LISTEN_SASL_MODE: "066" is not an octal mode such as "0660"\n'
            "SASLD_HASHING_QUEUE: is set, and so is SASLD_HASHING_QUEUE_FILE; take one of them "
            "away\n"
            f"SASLD_LOG_LEVEL_FILE: {self.home}/none cannot be read: No such file or directory\n"
            "SASLD_STOR_URL: is no key of the configuration; did you mean SASLD_STORE_URL?\n")
        done = self.check("sasld-adapter", {"SASLD_ADAPTER_LISTEN_0_PROTOCOL": "dovecot-auth",
                                            "SASLD_ADAPTER_LISTEN_0_PATH": "/run/x",
                                            "SASLD_ADAPTER_LISTEN_0_MODE": "066"})
        self.assertEqual(done.stderr, 'SASLD_ADAPTER_LISTEN_0_MODE: "066" is not an octal mode '
                         'such as "0660"\n')


class Serving(InAFolder):
    def said(self):
        return (self.home / "log").read_text()

    def test_file_of_a_value_is_read_again_at_sighup(self):
        level = self.write("level", "warn\n")
        variables = {**self.sasld(), "SASLD_LOG_LEVEL_FILE": str(level)}
        with open(self.home / "log", "w", encoding="utf-8") as log:
            process = programs.start(self, "sasld", self.home, stderr=log, variables=variables)
        level.write_text("info\n")
        process.send_signal(signal.SIGHUP)
        programs.wait_until(lambda: "reloaded [mechanisms]" in self.said(), process)
        level.write_text("loud\n")
        process.send_signal(signal.SIGHUP)
        programs.wait_until(lambda: "going on as before" in self.said(), process)
        self.assertIn('not reloaded, going on as before: SASLD_LOG_LEVEL_FILE: "loud" is none of',
                      self.said())


if __name__ == "__main__":
    programs.main()
