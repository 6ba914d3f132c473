"""The adapter is replaced while logins go on: with sockets that another process holds, as systemd does, and with its own."""
import errno
import threading
import time

import bed
import clients
from activation import HeldSockets
from load import GOOD, USER, Load, PostfixLike, SmtpClient

RESTARTS = 5


class Activation(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.bed.start_sasld()
        self.password = self.bed.add_user(USER)
        self.sockets = HeldSockets(self.bed)
        self.addCleanup(self.sockets.close)
        self.hold, self.start_adapter = self.sockets.hold, self.sockets.start_adapter

    def test_no_login_notices_a_restart(self):
        path = self.bed.auth_socket
        self.hold(path, 0o640)
        inode = path.stat().st_ino
        with Load(path, self.password) as load:  # before there is an adapter: they wait
            self.start_adapter()
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.start_adapter()
            load.more()
        self.assertEqual(load.failed(), [])
        self.assertLess(max(client.longest for client in load.clients), 10)  # what Postfix waits
        log = self.bed.log("adapter")
        self.assertEqual(log.count(f"listening on {path} (dovecot-auth), which was passed to this "
                                   "process"), RESTARTS + 1)
        self.assertEqual(log.count("stopped"), RESTARTS)
        self.assertEqual((path.stat().st_ino, path.stat().st_mode & 0o777), (inode, 0o640))

    def test_no_login_by_postfix_notices_a_restart(self):
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        self.bed.start_postfix()
        with Load(self.bed.port, self.password, (SmtpClient,) * 3) as load:
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.start_adapter()
            load.more(11)
        self.assertEqual(load.failed(good=235), [])

    def test_who_waits_while_it_is_killed_is_served_by_the_next(self):
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        with clients.AuthSocket(self.bed.auth_socket):
            pass
        self.bed.kill_adapter()
        waiting = []
        client = PostfixLike(self.bed.auth_socket, self.password)
        self.addCleanup(client.drop)
        thread = threading.Thread(target=lambda: waiting.append(client.login()))
        thread.start()
        time.sleep(0.1)
        self.start_adapter()
        thread.join(bed.PATIENCE)
        self.assertEqual(waiting, [GOOD])

    def test_sockets_of_both_kinds(self):
        """What systemd does not pass, the adapter makes itself."""
        own = self.bed.auth_socket.parent / "own"
        with open(self.bed.adapter_toml, "a") as toml:
            toml.write(f'[[listen]]\nprotocol = "dovecot-auth"\npath = "{own}"\n')
        self.hold(self.bed.auth_socket)
        self.start_adapter()
        bed.wait_until("its own socket is there", own.exists)
        for path in self.bed.auth_socket, own:
            client = PostfixLike(path, self.password)
            self.addCleanup(client.drop)
            self.assertEqual(client.login(), GOOD)
        self.assertIn(f"listening on {own} (dovecot-auth)\n", self.bed.log("adapter"))

    def test_socket_without_a_listen(self):
        other = self.bed.folder / "other"
        self.hold(self.bed.auth_socket)
        self.hold(other)
        self.start_adapter()
        adapter, self.bed.adapter = self.bed.adapter, None
        self.assertEqual(adapter.wait(bed.PATIENCE), 1)
        self.assertIn(f"cannot start: '{other}' was passed to listen on, and no [[listen]] has that path",
                      self.bed.log("adapter"))


class OwnSockets(bed.OwnBed):
    def test_no_login_is_lost_and_the_socket_never_away(self):
        """Between two processes who connects is refused, and may try again. Nothing else goes wrong."""
        self.bed.start_sasld()
        password = self.bed.add_user(USER)
        self.bed.start_adapter()
        with Load(self.bed.auth_socket, password) as load:
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_adapter()
                self.assertTrue(self.bed.auth_socket.is_socket())
                self.bed.start_adapter()
            load.more()
        refused = f"ConnectionRefusedError: [Errno {errno.ECONNREFUSED}] Connection refused"
        self.assertEqual([answer for answer in load.failed() if answer != refused], [])


    def test_no_login_notices_a_successor(self):
        """One that takes the sockets over while its predecessor still runs."""
        self.bed.start_sasld()
        password = self.bed.add_user(USER)
        self.bed.start_adapter()
        self.bed.start_postfix()
        with Load(self.bed.auth_socket, password) as load, \
                Load(self.bed.port, password, (SmtpClient,) * 2) as smtp:
            for _ in range(RESTARTS):
                load.more()
                self.bed.stop_predecessor(self.bed.start_successor())
            load.more()
            smtp.more()
        self.assertEqual(load.failed(), [])
        self.assertEqual(smtp.failed(good=235), [])

    def test_without_being_told_so_none_takes_over(self):
        self.bed.start_adapter()
        inode = self.bed.auth_socket.stat().st_ino
        done = self.bed.run_program("sasld-adapter", "--config", self.bed.adapter_toml)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is served by another process", done.stderr)
        self.assertEqual(self.bed.auth_socket.stat().st_ino, inode)


if __name__ == "__main__":
    bed.main()
