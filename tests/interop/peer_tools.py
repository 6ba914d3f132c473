"""The tools that other systems make their users with, doveadm, htpasswd, saslpasswd2, db5.3_dump, and
Cyrus SASL's testsaslauthd.

Where one is not installed, its package is unpacked beside Postfix's: Dovecot's cannot be installed
without a mail server that starts.
"""
import os
import pathlib
import subprocess
import tempfile

from unpacked import unpack

PACKAGES = ("dovecot-core", "apache2-utils", "libapr1", "libaprutil1", "sasl2-bin", "db5.3-util",
            "libexttextcat-2.0-0", "liblua5.3-0", "libsodium23", "libunwind8")


class Tools:
    def __init__(self, peers):
        self._tree = unpack(peers, "tools", PACKAGES)
        libraries = [self._tree / "usr/lib/dovecot", self._tree / "usr/lib/x86_64-linux-gnu"]
        self._environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
        self._folder = tempfile.TemporaryDirectory(prefix="sasld-import-")
        self.folder = pathlib.Path(self._folder.name)

    def close(self):
        self._folder.cleanup()

    def _start(self, program, *arguments, given=""):
        return subprocess.run([self._tree / program, *map(str, arguments)], input=given, text=True,
                              env=self._environment, capture_output=True, timeout=30)

    def _run(self, program, *arguments, given=""):
        done = self._start(program, *arguments, given=given)
        assert done.returncode == 0, f"{program}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def doveadm_pw(self, scheme, user, password):
        # Asks twice when standard input is no terminal.
        return self._run("usr/bin/doveadm", "-O", "pw", "-s", scheme, "-u", user,
                         given=f"{password}\n{password}\n").splitlines()[-1]

    def htpasswd(self, file, option, user, password):
        create = [] if file.exists() else ["-c"]
        self._run("usr/bin/htpasswd", "-i", *create, option, file, user, given=password)

    def saslpasswd2(self, file, realm, user, password):
        self._run("usr/sbin/saslpasswd2", "-f", file, "-p", "-c", "-u", realm, user, given=password)

    def testsaslauthd(self, socket, user, password, realm=""):
        """What it says, without the request's number in front."""
        realm = ["-r", realm] if realm else []
        done = self._start("usr/sbin/testsaslauthd", "-f", socket, "-u", user, "-p", password, "-s", "smtp",
                           *realm)
        return (done.stdout + done.stderr).strip().removeprefix("0: ")

    def db_dump(self, file):
        return self._run("usr/bin/db5.3_dump", "-p", file)
