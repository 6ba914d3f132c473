"""nginx as a mail proxy, with the files of deploy/nginx, and its auth_http answered by the adapter."""
import imaplib
import poplib
import subprocess

import bed
import nginx_peer
from certificates import Certificates
from clients import Smtp, b64, plain
from outcomes import go_through

USER = "ann@example.org"


class OverNginx(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.bed.folder / "certificates")
        self.behind = nginx_peer.MailServer()
        self.addCleanup(self.behind.close)
        self.bed.use_sample("deploy/nginx/adapter.toml", {
            "/run/sasld-adapter/nginx.sock": self.bed.folder / "nginx.sock",
            "0600": "0666",  # the workers are nobody here
            "127.0.0.1:10143": self.behind.address("imap"),
            "127.0.0.1:10110": self.behind.address("pop3"),
            "127.0.0.1:10025": self.behind.address("smtp")})
        self.bed.start_sasld()
        self.bed.start_adapter()
        self.password = self.bed.add_user(USER)

    def start_nginx(self, **changes):
        """`changes`: lines of mail.conf that are other than there, by their first word."""
        text, self.ports = nginx_peer.sample(self.bed.auth_socket, self.certificates)
        for word, line in changes.items():
            old = next(found for found in text.splitlines() if found.split()[:1] == [word])
            text = text.replace(old, line)
        nginx_peer.start(self.bed, text, self.ports)

    def smtps(self, client=None):
        smtp = Smtp(self.ports["smtps"], self.certificates.client_context(client))
        self.addCleanup(smtp.close)
        smtp.ehlo()
        return smtp

    def smtp_answer(self, user, password):
        code, text, _ = self.smtps().send("AUTH PLAIN " + plain(user, password))
        return f"{code} {text}"

    def imap_answer(self, user, password):
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=self.certificates.client_context(),
                                 timeout=bed.PATIENCE)
        self.addCleanup(imap.shutdown)
        try:
            return imap.login(user, password)[1][0].decode()
        except imaplib.IMAP4.error as refused:
            return refused.args[0].decode()

    def pop3_answer(self, user, password):
        pop3 = poplib.POP3_SSL("127.0.0.1", self.ports["pop3s"], context=self.certificates.client_context(),
                               timeout=bed.PATIENCE)
        self.addCleanup(pop3.close)
        pop3.user(user)
        try:
            return pop3.pass_(password).decode()
        except poplib.error_proto as refused:
            return refused.args[0].decode()

    def goes_through(self, server, answer, right, wrong, temporary):
        go_through((server, "PLAIN"), self.bed, answer, USER, self.password, right, wrong, temporary)


class Protocols(OverNginx):
    def setUp(self):
        super().setUp()
        self.start_nginx()

    def test_smtp(self):
        self.goes_through("nginx SMTP", self.smtp_answer, "235 2.0.0 OK",
                          "535 5.7.8 Invalid login or password",
                          "454 4.7.0 Temporary authentication failure")
        self.assertIn(("smtp", "127.0.0.1", USER), self.behind.seen)

    def test_imap(self):
        self.goes_through("nginx IMAP", self.imap_answer, "logged in behind nginx",
                          "[AUTHENTICATIONFAILED] Invalid login or password",
                          "[UNAVAILABLE] Temporary authentication failure")
        self.assertEqual(set(self.behind.seen), {("imap", USER, self.password)})

    def test_pop3(self):
        self.goes_through("nginx POP3", self.pop3_answer, "+OK logged in behind nginx",
                          "-ERR [AUTH] Invalid login or password",
                          "-ERR [SYS/TEMP] Temporary authentication failure")
        self.assertEqual(set(self.behind.seen), {("pop3", USER, self.password)})

    def test_the_prepared_name_goes_on(self):
        self.bed.must("user", "set", USER, "--alias", "annie@example.org")
        for name in "ANN@Example.Org", "annie@example.org":
            self.behind.seen.clear()
            self.assertEqual(self.imap_answer(name, self.password), "logged in behind nginx")
            self.assertEqual(self.behind.seen, [("imap", USER, self.password)])

    def test_any_password_comes_through(self):
        for password in "50% of a+b %41 \\", "g\u00fcn\u0074er \u00e4\u20ac", "x" * 1000:
            self.bed.secrets.add(password)
            self.bed.must("user", "passwd", USER, "--password-stdin", password=password)
            self.assertEqual(self.smtp_answer(USER, password), "235 2.0.0 OK")
            self.assertIn("535", self.smtp_answer(USER, password + "x"))

    def test_a_client_may_try_again(self):
        smtp = self.smtps()
        self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.bed.secret())), 535)
        self.assertEqual(smtp.auth("LOGIN", b64(USER), b64(self.password)), 235)

    def test_only_tls_has_logins(self):
        with Smtp(self.ports["submission"]) as smtp:
            smtp.ehlo()
            self.assertEqual(smtp.mechanisms, [])
            smtp.starttls(self.certificates.client_context())
            self.assertEqual(smtp.mechanisms, ["PLAIN", "LOGIN"])
            self.assertEqual(smtp.auth("PLAIN " + plain(USER, self.password)), 235)

    def test_the_adapter_is_away(self):
        self.assertIn("235", self.smtp_answer(USER, self.password))
        self.bed.stop_adapter()
        self.assertEqual(self.smtp_answer(USER, self.password), "451 4.3.2 Internal server error")
        self.bed.start_adapter()
        self.assertIn("235", self.smtp_answer(USER, self.password))

    def test_sasld_hears_of_the_client(self):
        self.assertIn("235", self.smtp_answer(USER, self.password))
        self.imap_answer(USER, self.password)
        for service in "smtp", "imap":
            self.assertIn(f'user="{USER}" service={service} remote_ip=127.0.0.1 secured=yes',
                          self.bed.log("sasld"))

    def test_by_hand(self):
        """As README.md has it."""
        headers = {"Auth-Method": "plain", "Auth-User": USER, "Auth-Pass": self.password,
                   "Auth-Protocol": "imap", "Client-IP": "127.0.0.1"}
        lines = "".join(f'header = "{name}: {value}"\n' for name, value in headers.items())
        done = subprocess.run(["curl", "-si", "-K", "-", "--unix-socket", self.bed.auth_socket,
                               "http://localhost/auth"], input=lines, capture_output=True, text=True)
        self.assertIn("Auth-Status: OK\n", done.stdout)
        self.assertIn("Auth-Server: ::1\n", done.stdout)


class Challenges(OverNginx):
    def test_are_refused_with_words(self):
        self.start_nginx(smtp_auth="smtp_auth plain cram-md5;", pop3_auth="pop3_auth apop;")
        smtp = self.smtps()
        self.assertEqual(smtp.auth("CRAM-MD5", b64(USER + " 0123456789abcdef0123456789abcdef")), 504)
        pop3 = poplib.POP3_SSL("127.0.0.1", self.ports["pop3s"], context=self.certificates.client_context(),
                               timeout=bed.PATIENCE)
        self.addCleanup(pop3.close)
        with self.assertRaisesRegex(poplib.error_proto, "not supported here"):
            pop3.apop(USER, self.password)
        self.assertIn("leave plain, login and external", self.bed.log("adapter"))

    def test_no_login_is_no_login(self):
        self.start_nginx(smtp_auth="smtp_auth plain none;")
        smtp = self.smtps()
        smtp.send("MAIL FROM:<ann@example.org>")
        self.assertEqual(smtp.send("RCPT TO:<bob@example.net>")[:2],
                         (530, "5.7.0 Authentication required"))


class External(OverNginx):
    OPTIONS = {"mechanisms": ("PLAIN", "EXTERNAL")}

    def test_a_certificate_is_a_login(self):
        for name, email in (("ann", USER), ("bob", "bob@example.org")):
            self.certificates.make_client(name, email)
        self.certificates.make_client("mallory", USER, self_signed=True)
        self.start_nginx(
            smtp_auth="smtp_auth plain external;",
            ssl_protocols="ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client optional_no_ca; "
                          f"ssl_client_certificate {self.certificates.path('ca')};")

        def code(client, authzid):
            return self.smtps(client).auth("EXTERNAL", b64(authzid))
        self.assertEqual(code("ann", USER), 235)
        self.assertIn(("smtp", "127.0.0.1", USER), self.behind.seen)
        self.assertEqual(code("bob", "bob@example.org"), 535, "there is no such user")
        self.assertEqual(code("ann", "bob@example.org"), 535)
        self.assertEqual(code("mallory", USER), 535)
        self.assertEqual(code(None, USER), 535)


if __name__ == "__main__":
    bed.main()
