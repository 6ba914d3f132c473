"""Postfix, chrooted as Debian has it, with the files of deploy/postfix as they are."""
import pwd
import shutil

import bed
from certificates import Certificates
from clients import Smtp, plain, scram_within

USER = "ann@example.org"
OWNER = "uucp"  # of Postfix's files here, see deploy/lib/postfix.sh


def lines_of_main_cf():
    text = (bed.CHECKOUT / "deploy/postfix/sasld.main.cf").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


class PostfixSample(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        private = self.bed.postfix_home / "queue/private"
        private.mkdir(parents=True)
        private.chmod(0o700)
        shutil.chown(private, OWNER, "root")
        self.bed.use_sample("deploy/postfix/adapter.toml", {
            "/var/spool/postfix/private/sasld": private / "sasld",
            'owner = "postfix"': f'owner = "{OWNER}"',
            'allow_users = ["postfix"]': f'allow_users = ["{OWNER}"]'})
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.bed.start_postfix(chroot="y", settings=(
            *lines_of_main_cf(), "mynetworks =", "smtpd_tls_security_level = may",
            f"smtpd_tls_cert_file = {self.certificates.path('server')}",
            f"smtpd_tls_key_file = {self.certificates.key('server')}"))
        self.password = self.bed.add_user(USER)

    def session(self):
        smtp = Smtp(self.bed.port)
        self.addCleanup(smtp.close)
        smtp.ehlo()
        smtp.starttls(self.certificates.client_context())
        return smtp

    def test_only_tls_has_logins(self):
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.mechanisms, [])
        self.assertEqual(set(self.session().mechanisms), {"SCRAM-SHA-256", "PLAIN", "LOGIN"})

    def test_logins(self):
        self.assertEqual(self.session().auth("PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(self.session().auth("PLAIN " + plain(USER, self.bed.secret())), 535)
        self.assertEqual(scram_within(self.session(), USER, self.password), 235)

    def test_who_logged_in_may_send(self):
        smtp = self.session()
        smtp.send("MAIL FROM:<ann@example.org>")
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 454)
        smtp.send("RSET")
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.password)), 235)
        smtp.send("MAIL FROM:<ann@example.org>")
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[0], 250)

    def test_the_socket_is_postfixs_alone(self):
        socket = self.bed.auth_socket.stat()
        self.assertEqual((pwd.getpwuid(socket.st_uid).pw_name, oct(socket.st_mode & 0o777)), (OWNER, "0o600"))

    def test_away_is_temporary(self):
        self.bed.stop_sasld()
        self.assertEqual(self.session().auth("PLAIN " + plain(USER, self.password)), 454)
        self.bed.start_sasld()
        bed.wait_until("logins work", lambda: self.session().auth(
            "PLAIN " + plain(USER, self.password)) == 235)


if __name__ == "__main__":
    bed.main()
