"""Runs sasld, sasld-adapter and saslctl as they were built. Wants nothing but them."""
import argparse
import os
import pathlib
import socket
import subprocess
import sys
import time
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


def run(program, *arguments, stdin="", variables=None):
    """Runs it to its end, without a terminal; in the environment of here and `variables`."""
    return subprocess.run([folder / program, *map(str, arguments)], input=stdin, text=True,
                          capture_output=True, timeout=PATIENCE, start_new_session=True,
                          env={**os.environ, **(variables or {})})


def wait_until(condition, process):
    """Waits for what `process` is to bring about."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


def launch(program, home, *arguments, **options):
    """A process of it that is ready to serve."""
    # As systemd waits: it says itself when it is ready.
    ready_at = pathlib.Path(home) / "ready"
    ready_at.unlink(missing_ok=True)
    options.setdefault("stderr", subprocess.DEVNULL)
    variables = {**os.environ, **options.pop("variables", {}), "NOTIFY_SOCKET": str(ready_at)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.settimeout(PATIENCE)
        ready.bind(str(ready_at))
        ready_at.chmod(0o666)  # it may run as another user
        process = subprocess.Popen([folder / program, *arguments], stdin=subprocess.DEVNULL,
                                   env=variables, **options)
        try:
            assert b"READY=1" in ready.recv(1000)
        except BaseException:
            stop(process)
            raise
    return process


def stop(process):
    process.terminate()
    process.wait(PATIENCE)


def start(test, program, home, *arguments, **options):
    """The same, for as long as `test` takes."""
    process = launch(program, home, *arguments, **options)
    test.addCleanup(stop, process)
    return process


class Sasld:
    """A sasld that serves in `home` and keeps nothing."""

    def __init__(self, home):
        self.admin = f"unix:{home}/admin.sock"
        self.sasl = f"unix:{home}/sasl.sock"
        config = pathlib.Path(home) / "sasld.toml"
        config.write_text('[store]\nurl = "memory:"\n'
                          f'[keys]\nfile = "{home}/key"\n'
                          f'[listen]\nsasl = ["{self.sasl}"]\nadmin = ["{self.admin}"]\n')
        self.process = launch("sasld", home, "--config", config)

    def saslctl(self, *arguments, stdin=""):
        return run("saslctl", "--server", self.admin, *arguments, stdin=stdin)

    def stop(self):
        stop(self.process)
