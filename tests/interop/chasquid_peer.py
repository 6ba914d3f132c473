"""Debian's chasquid with deploy/chasquid/chasquid.conf, in the folder of a bed."""
import shutil

import bed
from unpacked import unpack

PACKAGES = ("chasquid",)
SOCKET = "/run/sasld-adapter/chasquid.sock"
USERDB = "/run/sasld-adapter/chasquid-userdb.sock"


def start(the_bed, certificates, userdb):
    """Returns the port that has TLS from the first byte on, and that of incoming mail."""
    tree = unpack(bed.arguments.peers, "chasquid", PACKAGES)
    folder = the_bed.folder / "chasquid"
    host = folder / "certs/mail.example.org"
    host.mkdir(parents=True)
    (folder / "domains/example.org").mkdir(parents=True)
    shutil.copy(certificates.path("server"), host / "fullchain.pem")
    shutil.copy(certificates.key("server"), host / "privkey.pem")
    sample = (bed.CHECKOUT / "deploy/chasquid/chasquid.conf").read_text()
    assert SOCKET in sample and USERDB in sample
    smtp, submission, port = bed.free_port(), bed.free_port(), bed.free_port()
    (folder / "chasquid.conf").write_text(f"""\
hostname: "mail.example.org"
smtp_address: "127.0.0.1:{smtp}"
submission_address: "127.0.0.1:{submission}"
submission_over_tls_address: "127.0.0.1:{port}"
data_dir: "{folder}/data"
mail_log_path: "<stderr>"
mail_delivery_agent_bin: "/bin/true"
{sample.replace(SOCKET, str(the_bed.auth_socket)).replace(USERDB, str(userdb))}""")
    the_bed.start_peer("chasquid", [tree / "usr/bin/chasquid", "-config_dir", folder, "-alsologtostderr"],
                       lambda: bed.listens(port))
    return port, smtp
