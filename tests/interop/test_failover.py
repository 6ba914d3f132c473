"""Two sasld with the same keys and accounts, one adapter: whatever becomes of one of them, no login fails."""
import os
import signal
import time

import bed
from authority import Authority
from clients import AuthSocket, Scram, plain, smtp_auth, smtp_scram
from load import GOOD, USER, Load, PostfixLike, SmtpClient

WRONG = ["FAIL", f"user={USER}"]
WITH_CODES = b"VERSION\t1\t2\nCPID\t4712\n"  # who knows code=temp_fail
TEMPORARY = ["FAIL", "temp", "code=temp_fail"]


class Guesser(PostfixLike):
    """Must be told that its password is wrong, and nothing else."""

    def login(self):
        answer = super().login()
        return GOOD if answer == WRONG else answer


class Twins(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.configure()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.wrong = self.bed.secret()
        other = self.bed.folder / "other"
        other.mkdir()
        self.bed.must("backup", other / "sasld.db")
        text = self.bed.sasld_toml.read_text()
        self.other_toml = self.bed.folder / "other.toml"
        for mine, others in self.places_of_other().items():
            self.assertIn(str(mine), text)
            text = text.replace(str(mine), str(others))
        self.other_toml.write_text(text)
        self.start("other")

    def configure(self):
        text = self.bed.adapter_toml.read_text()
        mine = f'"unix:{self.bed.sasl_socket}"'
        self.bed.adapter_toml.write_text(text.replace(
            mine, f'{mine}, "unix:{self.bed.folder}/other.sock"'))

    def places_of_other(self):
        return {self.bed.data / "sasld.db": self.bed.folder / "other/sasld.db",
                self.bed.sasl_socket: self.bed.folder / "other.sock",
                self.bed.admin_socket: self.bed.folder / "other-admin.sock"}

    # "sasld" and "other" are the names of the two, and of their logs.

    def process(self, name):
        return self.bed.sasld if name == "sasld" else self.bed.peers["other"]

    def start(self, name):
        if name == "sasld":
            return self.bed.start_sasld()
        self.bed.start_peer(name, [bed.arguments.bin / "sasld", "--config", self.other_toml],
                            (self.bed.folder / "other-admin.sock").is_socket)

    def kill(self, name):
        if name == "sasld":
            return self.bed.kill_sasld()
        self.bed.peers[name].kill()
        self.bed.peers.pop(name).wait()

    def logins_of(self, name):
        return self.bed.log(name).count("auth result=success")

    def serves(self, name):
        before = self.logins_of(name)
        bed.wait_until(f"{name} has more logins", lambda: self.logins_of(name) > before + 3)

    def adapter_knows_both(self):
        bed.wait_until("the adapter is connected to both",
                       lambda: self.bed.log("adapter").count("connected to sasld at ") >= 2)

    def load(self):
        load = Load(self.bed.auth_socket, self.password)
        load.clients += [Guesser(self.bed.auth_socket, self.wrong),
                         *[SmtpClient(self.bed.port, self.password) for _ in range(2)]]
        return load

    def nothing_failed(self, load):
        self.assertEqual([answer for answer in load.failed() if answer != 235], [])
        longest = max(client.longest for client in load.clients)
        print(f"{sum(len(client.answers) for client in load.clients)} logins, none failed, "
              f"the longest took {longest:.1f} s", flush=True)
        self.assertLess(longest, 10)  # what Postfix waits


class Failover(Twins):
    def test_killing_one_under_load_loses_no_login(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.adapter_knows_both()
        with self.load() as load:
            for victim in ("sasld", "other") * 2:
                load.more()
                self.kill(victim)
                load.more()
                self.start(victim)
                for name in "sasld", "other":
                    self.serves(name)
        self.nothing_failed(load)

    def test_stopping_one_in_good_order_loses_no_login(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.adapter_knows_both()
        with self.load() as load:
            for _ in range(3):
                load.more()
                self.bed.stop_sasld()
                load.more()
                self.bed.start_sasld()
                self.serves("sasld")
        self.nothing_failed(load)

    def test_one_that_does_not_answer_loses_no_login(self):
        """SIGSTOP: connections stay, and no word comes. Shorter and longer than the adapter hangs up."""
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.adapter_knows_both()
        with self.load() as load:
            for victim, seconds in ("sasld", 1), ("other", 1), ("sasld", 8):
                load.more()
                self.process(victim).send_signal(signal.SIGSTOP)
                try:
                    time.sleep(seconds)
                    load.more()
                finally:
                    self.process(victim).send_signal(signal.SIGCONT)
                for name in "sasld", "other":
                    self.serves(name)
        self.nothing_failed(load)
        self.assertIn("is connected but does not answer; logins go to the others meanwhile",
                      self.bed.log("adapter"))

    def test_an_exchange_goes_on_at_the_other(self):
        self.bed.start_adapter()
        self.adapter_knows_both()
        for victim in "sasld", "other":
            scrams = [Scram(USER, self.password) for _ in range(4)]
            connections = [AuthSocket(self.bed.auth_socket) for _ in scrams]
            challenges = [connection.auth("SCRAM-SHA-256", scram.first())[1]
                          for scram, connection in zip(scrams, connections)]
            self.kill(victim)
            for scram, connection, challenge in zip(scrams, connections, challenges):
                final = connection.cont(scram.final(challenge))
                self.assertTrue(scram.server_is_right(final[1]))
                self.assertEqual(connection.cont(""), GOOD)
                connection.close()
            self.start(victim)
            self.serves_again(victim)

    def serves_again(self, name):
        before = self.logins_of(name)

        def served():
            with AuthSocket(self.bed.auth_socket) as connection:
                self.assertEqual(connection.auth("PLAIN", plain(USER, self.password)), GOOD)
            return self.logins_of(name) > before
        bed.wait_until(f"{name} serves again", served)

    def test_both_away_is_temporary_and_one_back_is_enough(self):
        self.bed.start_adapter()
        self.bed.start_postfix()
        self.adapter_knows_both()
        with self.load() as load:
            load.more()
            self.kill("sasld")
            self.kill("other")
            time.sleep(5)
            for password in self.password, self.wrong:
                with AuthSocket(self.bed.auth_socket) as connection:  # minor version 0: hung up on
                    self.assertIsNone(connection.auth("PLAIN", plain(USER, password)))
                with AuthSocket(self.bed.auth_socket, WITH_CODES) as connection:
                    self.assertEqual(connection.auth("PLAIN", plain(USER, password)), TEMPORARY)
                self.assertEqual(smtp_auth(self.bed.port, "PLAIN " + plain(USER, password)), 454)
                self.assertEqual(smtp_scram(self.bed.port, USER, password), 454)
            self.start("other")
            self.serves("other")
            load.more()
        wanted = {"Lost: 454: the connection was lost after AUTH had been sent",
                  "Lost: 435: the connection was lost", "454"}
        failed = {str(answer) for answer in load.failed() if answer != 235}
        self.assertTrue(failed)
        self.assertEqual(failed - wanted, set())


class Names(Twins):
    """TCP, and one host name with two addresses, in a hosts file that only the adapter sees."""

    NAME = "sasld.example.org"

    def configure(self):
        self.port = bed.free_port()
        certificates = self.bed.folder / "certificates"
        certificates.mkdir()
        authority = Authority(certificates, "authority")
        authority.certify("server", "DNS:" + self.NAME)
        authority.certify("adapter")
        text = self.bed.sasld_toml.read_text()
        self.bed.sasld_toml.write_text(text.replace(
            f'["unix:{self.bed.sasl_socket}"]', f'["127.0.0.1:{self.port}"]').replace(
            "[mechanisms]", f"""\
[listen.tls]
certificate = "{certificates}/server.pem"
key = "{certificates}/server.key"
client_ca = "{certificates}/authority.pem"
[mechanisms]"""))
        text = self.bed.adapter_toml.read_text()
        self.bed.adapter_toml.write_text(text.replace(
            f"unix:{self.bed.sasl_socket}", f"{self.NAME}:{self.port}").replace(
            "[[listen]]", f"""\
[server.tls]
ca = "{certificates}/authority.pem"
certificate = "{certificates}/adapter.pem"
key = "{certificates}/adapter.key"
[[listen]]""", 1))
        self.hosts = self.bed.folder / "hosts"
        self.hosts.touch()

    def places_of_other(self):
        return {self.bed.data / "sasld.db": self.bed.folder / "other/sasld.db",
                f"127.0.0.1:{self.port}": f"127.0.0.2:{self.port}",
                self.bed.admin_socket: self.bed.folder / "other-admin.sock"}

    def start_adapter(self):
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        self.bed.adapter = self.bed._spawn("adapter", [
            "unshare", *own, "--mount", "bash", "-c",
            'mount --bind "$1" /etc/hosts && exec "${@:2}"', "hosts", self.hosts,
            bed.arguments.bin / "sasld-adapter", "--config", self.bed.adapter_toml])
        bed.wait_until("the adapter listens", self.bed.auth_socket.is_socket)

    def resolve_to(self, *addresses):
        self.hosts.write_text("".join(f"{address} {self.NAME}\n" for address in addresses))

    def logged(self, text, count=1):
        bed.wait_until(f"the adapter logs: {text}",
                       lambda: self.bed.log("adapter").count(text) >= count)

    def connected(self, address, count=1):
        self.logged(f"connected to sasld at {self.NAME} ({address}:{self.port})", count)

    def test_each_address_of_a_name_is_a_server(self):
        self.resolve_to("127.0.0.1", "127.0.0.2")
        self.start_adapter()
        self.bed.start_postfix()
        self.connected("127.0.0.1")
        self.connected("127.0.0.2")
        with self.load() as load:
            for victim in "sasld", "other":
                for name in "sasld", "other":
                    self.serves(name)
                self.kill(victim)
                load.more()
                self.start(victim)
        self.nothing_failed(load)

    def test_a_name_that_comes_later_and_changes(self):
        self.start_adapter()
        self.logged(f"no address of {self.NAME} could be found")
        with AuthSocket(self.bed.auth_socket) as connection:
            self.assertIsNone(connection.auth("PLAIN", plain(USER, self.password)))
        self.resolve_to("127.0.0.2")
        self.connected("127.0.0.2")
        with Load(self.bed.auth_socket, self.password) as load:
            self.serves("other")
            self.resolve_to("127.0.0.1")
            self.bed.adapter.send_signal(signal.SIGHUP)  # else it looks after half a minute
            self.connected("127.0.0.1")
            self.serves("sasld")
            before = self.logins_of("other")
            load.more()
            self.assertEqual(self.logins_of("other"), before)
        self.nothing_failed(load)


if __name__ == "__main__":
    bed.main()
