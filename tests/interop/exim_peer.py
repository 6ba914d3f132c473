"""Debian's Exim with deploy/exim/try.conf, in the folder of a bed.

Only the "heavy" daemon has the dovecot driver. It insists on an account Debian-exim, and we make none:
libnss-wrapper shows it a file in which uucp has that name (see deploy/lib/postfix.sh for why uucp).
"""
import os
import pathlib
import pwd
import shutil

import bed
from unpacked import unpack

PACKAGES = ("exim4-daemon-heavy", "libnss-wrapper", "libgnutls-dane0", "libevent-2.1-7", "libidn12",
            "libmariadb3", "libnsl2", "libpq5", "libspf2-2", "libtirpc3", "libunbound8")
AUTHENTICATORS = "deploy/exim/30_sasld-authenticators"
SASLAUTHD_AUTHENTICATORS = "deploy/exim/30_sasld-saslauthd-authenticators"


def _changed(path, changes):
    text = (bed.CHECKOUT / path).read_text()
    for old, new in changes.items():
        assert old in text, f"{path} has no {old}"
        text = text.replace(old, str(new))
    return text


def _accounts(folder):
    """Files of accounts and groups with a Debian-exim in them."""
    owner = pwd.getpwnam("uucp")
    for name, line in (("passwd", f"Debian-exim:x:{owner.pw_uid}:{owner.pw_gid}::/:/bin/false"),
                       ("group", f"Debian-exim:x:{owner.pw_gid}:")):
        (folder / name).write_text(f"{line}\n" + pathlib.Path("/etc", name).read_text())
    return owner


def _sees_saslauthd(mux, command):
    """The command in a view of its own of /run, with the socket where Exim has its path compiled in."""
    view = ('mount -t tmpfs tmpfs /run && mkdir /run/saslauthd && mount --bind "$1" /run/saslauthd || exit 70; '
            'shift; exec "$@"')
    return bed.as_root(["unshare", "--mount", "--propagation", "private", "sh", "-c", view, "sh",
                        *map(str, (mux.parent, *command))])


def start(the_bed, certificates, mux=None):
    """Returns the port of its SMTP. `mux`: it asks saslauthd there, in place of the driver dovecot."""
    tree = unpack(bed.arguments.peers, "exim", PACKAGES)
    folder = the_bed.folder / "exim"
    (folder / "spool").mkdir(parents=True)
    owner = _accounts(folder)
    shutil.chown(folder / "spool", owner.pw_uid, owner.pw_gid)
    port = bed.free_port()
    authenticators = folder / "authenticators"
    if mux:
        authenticators.write_text(_changed(SASLAUTHD_AUTHENTICATORS, {}))
    else:
        authenticators.write_text(_changed(
            AUTHENTICATORS, {"/run/sasld-adapter/exim.sock": the_bed.auth_socket}))
    config = folder / "exim.conf"
    config.write_text(
        f"spool_directory = {folder}/spool\nlog_file_path = {folder}/spool/%slog\n" +
        _changed("deploy/exim/try.conf", {
            "daemon_smtp_ports = 2525": f"daemon_smtp_ports = {port}\nlocal_interfaces = 127.0.0.1",
            "/etc/exim4/exim.crt": certificates.path("server"),
            "/etc/exim4/exim.key": certificates.key("server"),
            "/etc/exim4/conf.d/auth/30_sasld-authenticators": authenticators}))
    libraries = [tree / "usr/lib/x86_64-linux-gnu", tree / "lib/x86_64-linux-gnu", tree / "usr/lib"]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
                   "LD_PRELOAD": str(libraries[0] / "libnss_wrapper.so"),
                   "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
                   "NSS_WRAPPER_GROUP": str(folder / "group")}
    command = [tree / "usr/sbin/exim4", "-C", config, "-bdf", "-oP", folder / "pid"]
    the_bed.start_peer("exim", _sees_saslauthd(mux, command) if mux else command,
                       lambda: bed.listens(port), environment)
    return port
