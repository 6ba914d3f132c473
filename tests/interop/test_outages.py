"""Programs that end, are killed, and come back. Never is a right password called wrong."""
import bed
import clients
from clients import Smtp, b64, plain, smtp_auth, smtp_scram
from outcomes import go_through

USER = "ann@example.org"


class Outages(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.wrong = self.bed.secret()

    def right(self):
        return smtp_auth(self.bed.port, "PLAIN " + plain(USER, self.password))

    def until_back(self):
        """The adapter reconnects by itself; until it has, the answer is 454 and never 535."""
        def logged_in():
            code = self.right()
            self.assertIn(code, (235, 454))
            return code == 235
        bed.wait_until("logins work again", logged_in)

    def test_every_answer_of_sasld(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        go_through(("Postfix, type dovecot", "PLAIN"), self.bed, lambda user, password: smtp_auth(
            self.bed.port, "PLAIN " + plain(user, password)), USER, self.password, 235, 535, 454)
        go_through(("Postfix, type dovecot", "LOGIN"), self.bed, lambda user, password: smtp_auth(
            self.bed.port, "LOGIN", b64(user), b64(password)), USER, self.password, 235, 535, 454)
        go_through(("Postfix, type dovecot", "SCRAM-SHA-256"), self.bed,
                   lambda user, password: smtp_scram(self.bed.port, user, password), USER, self.password,
                   235, 535, 454)

    def test_sasld_killed_between_two_steps_of_scram(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        scram = clients.Scram(USER, self.password)
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            code, challenge, _ = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())
            self.assertEqual(code, 334)
            self.bed.kill_sasld()
            self.bed.start_sasld()
            self.until_back()
            code, final, _ = smtp.send(scram.final(challenge))
            self.assertEqual(code, 334)
            self.assertTrue(scram.server_is_right(final))
            self.assertEqual(smtp.send("")[0], 235)

    def test_sasld_killed_between_two_steps_of_login(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            smtp.send("AUTH LOGIN")
            self.assertEqual(smtp.send(clients.b64(USER))[0], 334)
            self.bed.kill_sasld()
            self.bed.start_sasld()
            self.until_back()
            self.assertEqual(smtp.send(clients.b64(self.password))[0], 235)

    def test_sasld_away_is_temporary_and_back_is_enough(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.assertEqual(self.right(), 235)
        with Smtp(self.bed.port) as old_session:
            old_session.ehlo()
            self.bed.kill_sasld()
            for _ in range(3):
                self.assertEqual(self.right(), 454)
            self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain(USER, self.wrong)), 454)
            self.assertEqual(smtp_auth(self.bed.port, "PLAIN", plain(USER, self.password)), 454)
            self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 454)
            self.assertEqual(clients.gsasl(self.bed.port, "SCRAM-SHA-256", USER, self.password), 454)
            self.assertEqual(old_session.auth("PLAIN " + plain(USER, self.password)), 454)
            adapter, postfix = self.bed.adapter.pid, self.bed.postfix.pid
            self.bed.start_sasld()
            self.until_back()
            self.assertEqual(old_session.auth("PLAIN " + plain(USER, self.password)), 235)
        self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain(USER, self.wrong)), 535)
        self.assertEqual((adapter, postfix), (self.bed.adapter.pid, self.bed.postfix.pid))

    def test_sasld_away_between_two_steps_is_temporary(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        scram = clients.Scram(USER, self.password)
        with Smtp(self.bed.port) as smtp:
            smtp.ehlo()
            challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
            self.bed.kill_sasld()
            self.assertEqual(smtp.send(scram.final(challenge))[0], 454)

    def test_everything_else_starts_while_sasld_is_away(self):
        self.bed.stop_sasld()
        self.bed.start_adapter()
        self.bed.start_postfix()
        with Smtp(self.bed.port) as smtp:
            self.assertTrue(smtp.greeting[0] == 220 and smtp.ehlo() == 250)
            self.assertIn("PLAIN", smtp.mechanisms)
        self.assertEqual(self.right(), 454)
        self.bed.start_sasld()
        self.until_back()
        self.assertEqual(smtp_scram(self.bed.port, USER, self.password), 235)

    def test_sasld_drains_at_sigterm(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        for _ in range(3):
            self.assertEqual(self.right(), 235)
            self.bed.stop_sasld()  # fails if it does not end with status 0
            self.bed.start_sasld()
            self.until_back()

    def test_adapter_killed_and_started(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.assertEqual(self.right(), 235)
        with Smtp(self.bed.port) as old_session:
            old_session.ehlo()
            self.bed.kill_adapter()  # leaves its socket behind
            self.assertEqual(old_session.auth("PLAIN " + plain(USER, self.password)), 454)
            self.bed.start_adapter()
            self.until_back()
            self.assertEqual(old_session.auth("PLAIN " + plain(USER, self.password)), 235)

    def test_adapter_does_not_take_a_living_adapters_socket(self):
        self.bed.start_adapter()
        second = self.bed.run_program("sasld-adapter", "--config", self.bed.adapter_toml)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(self.bed.auth_socket), second.stderr)
        with clients.AuthSocket(self.bed.auth_socket) as connection:
            self.assertIn("DONE", connection.greeting)


class RememberedMechanisms(bed.OwnBed):
    OPTIONS = {"mechanisms": ("LOGIN",)}

    def test_adapter_remembers_them_over_a_restart(self):
        with self.bed.adapter_toml.open("a") as config:
            config.write(f'\n[mechanisms]\nstate_file = "{self.bed.data}/mechanisms"\n')
        self.bed.start_sasld()
        self.bed.start_adapter()

        def offered():
            with clients.AuthSocket(self.bed.auth_socket) as connection:
                return [line.split("\t")[1] for line in connection.greeting if line.startswith("MECH")]
        bed.wait_until("sasld's list is known", lambda: offered() == ["LOGIN"])
        self.bed.stop_adapter()
        self.bed.stop_sasld()
        self.bed.start_adapter()
        self.assertEqual(offered(), ["LOGIN"])


if __name__ == "__main__":
    bed.main()
