"""Runs sasld, sasld-adapter and saslctl as they were built. Wants nothing but them."""
import argparse
import os
import pathlib
import signal
import socket
import subprocess
import sys
import unittest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds; under sanitizers everything is slow

folder = None  # of the programs; set by main()


def main():
    """Runs the tests of the calling file."""
    global folder
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--bin", type=pathlib.Path, default=CHECKOUT / "build/dev/bin",
                        help="where sasld, sasld-adapter and saslctl are")
    known, rest = parser.parse_known_args()
    folder = known.bin
    unittest.main(argv=[sys.argv[0]] + rest, verbosity=2)


def run(program, *arguments, stdin=""):
    """Runs it to its end, without a terminal."""
    return subprocess.run([folder / program, *map(str, arguments)], input=stdin, text=True,
                          capture_output=True, timeout=PATIENCE, start_new_session=True)


class Sasld:
    """A sasld that serves in `home` and keeps nothing."""

    def __init__(self, home):
        self.admin = f"unix:{home}/admin.sock"
        self.sasl = f"unix:{home}/sasl.sock"
        config = pathlib.Path(home) / "sasld.toml"
        config.write_text('[store]\nurl = "memory:"\n'
                          f'[keys]\nfile = "{home}/key"\n'
                          f'[listen]\nsasl = ["{self.sasl}"]\nadmin = ["{self.admin}"]\n')
        # As systemd waits: it says itself when it is ready.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.settimeout(PATIENCE)
            ready.bind(f"{home}/ready")
            self.process = subprocess.Popen(
                [folder / "sasld", "--config", config], stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env={**os.environ, "NOTIFY_SOCKET": f"{home}/ready"})
            try:
                assert b"READY=1" in ready.recv(1000)
            except BaseException:
                self.stop()
                raise

    def saslctl(self, *arguments, stdin=""):
        return run("saslctl", "--server", self.admin, *arguments, stdin=stdin)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
