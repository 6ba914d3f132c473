"""Runs the tests of this folder inside the namespaces that ./run made: tests.py WORK [TEST...]"""
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "interop"))  # its clients

ALL = ("test_contents", "test_bare", "test_booted")
work = pathlib.Path(sys.argv[1])

# systemd-nspawn keeps notes below /run; these stay in here. Names must be looked up all the same, by what may be in there.
resolvers = pathlib.Path("/etc/resolv.conf").resolve()
text = resolvers.read_text() if resolvers.exists() else ""
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
if not resolvers.exists():
    resolvers.parent.mkdir(parents=True, exist_ok=True)
    resolvers.write_text(text)
suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:] or ALL)
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len({str(test) for test, _ in result.failures + result.errors}) + len(result.skipped)
print(f"{result.testsRun - failed} passed, {failed} failed")
sys.exit(failed > 0 or result.testsRun == 0)
