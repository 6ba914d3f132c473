"""Debian's slapd and ldapwhoami, with its database and its libsasl2 configuration in the folder of a bed."""
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

import bed
from unpacked import unpack

PACKAGES = ("slapd", "ldap-utils", "libltdl7", "libodbc2", "libwrap0", "libperl5.36")
SUFFIX = "dc=example,dc=org"
# Compiled in; nothing that slapd reads can change it.
SASL_FOLDER = b"/etc/ldap/sasl2"


def _with_sasl_folder(program, folder, to):
    """slapd as Debian has it, but that it looks for its libsasl2 configuration in `folder`."""
    there = os.fsencode(folder)
    assert len(there) <= len(SASL_FOLDER), folder
    code = program.read_bytes()
    assert code.count(SASL_FOLDER + b"\0") == 1
    to.write_bytes(code.replace(SASL_FOLDER + b"\0", there.ljust(len(SASL_FOLDER) + 1, b"\0")))
    to.chmod(0o755)


class Slapd:
    def __init__(self, the_bed, configuration, sasl_path, people):
        """`configuration`: that of libsasl2. `people`: common name to userPassword."""
        self._bed = the_bed
        self._tree = unpack(bed.arguments.peers, "slapd", PACKAGES)
        self._folder = the_bed.folder / "slapd"
        (self._folder / "db").mkdir(parents=True)
        # No longer than the folder that is compiled in.
        self._sasl = pathlib.Path(tempfile.mkdtemp(prefix="l", dir="/tmp"))
        (self._sasl / "slapd.conf").write_text(configuration)
        self._environment = {**os.environ, "SASL_PATH": sasl_path,
                             "LD_LIBRARY_PATH": f"{self._tree}/usr/lib/x86_64-linux-gnu"}
        self._url = f"ldap://127.0.0.1:{bed.free_port()}"
        self._local = "ldapi://" + urllib.parse.quote(str(self._folder / "ldapi"), safe="")
        self._start(people)

    def close(self):
        subprocess.run(["rm", "-rf", self._sasl], check=True)

    def _start(self, people):
        settings = self._folder / "slapd.conf"
        settings.write_text(f"""\
include {self._tree}/etc/ldap/schema/core.schema
modulepath {self._tree}/usr/lib/ldap
moduleload back_mdb
pidfile {self._folder}/pid
# Each account's entry, from what libsasl2 says who logged in.
authz-regexp "uid=([^@,]+)@example.org,cn=[^,]*,cn=auth" "cn=$1,{SUFFIX}"
database mdb
suffix "{SUFFIX}"
directory {self._folder}/db
""")
        entries = self._folder / "entries.ldif"
        entries.write_text(f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\n"
                           "o: Example\ndc: example\n" + "".join(
                               f"\ndn: cn={name},{SUFFIX}\nobjectClass: person\ncn: {name}\nsn: x\n"
                               f"userPassword: {value}\n" for name, value in people.items()))
        program = self._folder / "slapd"
        _with_sasl_folder(self._tree / "usr/sbin/slapd", self._sasl, program)
        subprocess.run([program, "-T", "a", "-f", settings, "-l", entries], check=True,
                       env=self._environment)
        self._bed.start_peer("slapd", [program, "-d", "stats", "-f", settings, "-h",
                                     f"{self._url} {self._local}"],
                             lambda: bed.listens(int(self._url.rpartition(":")[2])),
                             environment=self._environment)

    def simple(self, name, password):
        return self._whoami(password, "-x", "-D", f"cn={name},{SUFFIX}")

    def sasl(self, mechanism, user, password):
        return self._whoami(password, "-Q", "-Y", mechanism, "-U", user, "-O", "maxssf=0")

    def external(self):
        """As whom the kernel says we are."""
        return self._whoami("", "-Q", "-Y", "EXTERNAL", url=self._local)

    def _whoami(self, password, *arguments, url=None):
        """Who the server says that we are, or the number of its error."""
        file = self._folder / "password"
        file.write_text(password)
        try:
            done = subprocess.run(
                [self._tree / "usr/bin/ldapwhoami", "-H", url or self._url, "-y", file,
                 *arguments],
                env={**self._environment, "LDAPNOINIT": "1"}, capture_output=True, text=True,
                timeout=bed.PATIENCE)
        finally:
            file.unlink()
        return done.stdout.strip().removeprefix("dn:") if done.returncode == 0 else done.returncode
