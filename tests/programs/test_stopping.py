"""SIGTERM, as systemd and containers send it: the login that is under way is answered, and the program ends with 0.

Both have 5 seconds of patience, while containers have 10 (docker stop); no time is measured here.
"""
import base64
import pathlib
import socket
import tempfile
import unittest

import programs

USER = "ann@example.org"


class Stopping(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sasld-stopping-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        variables = {"SASLD_STORE_URL": "memory:", "SASLD_KEYS_FILE": f"{self.home}/key",
                     "SASLD_LISTEN_SASL": f"unix:{self.home}/sasl.sock",
                     "SASLD_LISTEN_ADMIN": f"unix:{self.home}/admin.sock",
                     "SASLD_POLICY_FAILURE_DELAY": "1s",
                     "SASLD_ADAPTER_SERVER_ADDRESSES": f"unix:{self.home}/sasl.sock",
                     "SASLD_ADAPTER_LISTEN_0_PROTOCOL": "dovecot-auth",
                     "SASLD_ADAPTER_LISTEN_0_PATH": f"{self.home}/auth"}
        with open(self.home / "log", "w", encoding="utf-8") as log:
            self.sasld = programs.start(self, "sasld", self.home, stderr=log, variables=variables)
        self.adapter = programs.start(self, "sasld-adapter", self.home, variables=variables)
        done = programs.run("saslctl", "--server", f"unix:{self.home}/admin.sock", "user", "add",
                            USER, "--password-stdin", stdin="right\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def begin_login(self):
        """A login with a wrong password, decided and held back: its answer has not left."""
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(programs.PATIENCE)
        client.connect(f"{self.home}/auth")
        lines = client.makefile("rw", encoding="utf-8", newline="\n")
        self.addCleanup(lines.close)
        while lines.readline() != "DONE\n":
            pass
        response = base64.b64encode(f"\0{USER}\0wrong".encode()).decode()
        lines.write("VERSION\t1\t2\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\t"
                    f"resp={response}\n")
        lines.flush()
        programs.wait_until(lambda: "auth result=failure" in (self.home / "log").read_text(),
                            self.sasld)
        return lines

    def check_answered(self, process):
        lines = self.begin_login()
        process.terminate()
        self.assertEqual(lines.readline(), f"FAIL\t1\tuser={USER}\n")
        self.assertEqual(process.wait(programs.PATIENCE), 0)

    def test_sasld_answers_first(self):
        self.check_answered(self.sasld)

    def test_sasld_adapter_answers_first(self):
        self.check_answered(self.adapter)


if __name__ == "__main__":
    programs.main()
