"""sasld-adapter check: as another user, out of a chroot, and whether what it says to do helps."""
import os
import re
import shutil
import struct
import subprocess

import bed

NOBODY = 65534


class Checks(bed.OwnBed):
    def setUp(self):
        super().setUp()
        self.queue = self.bed.postfix_home / "queue"
        self.bed.postfix_home.chmod(0o755)
        self.queue.chmod(0o755)
        self.bed.auth_socket.parent.chmod(0o755)

    def check(self, *arguments):
        return subprocess.run(
            bed.as_root([str(bed.arguments.bin / "sasld-adapter"), "check", *map(str, arguments)]),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=bed.PATIENCE)

    def in_chroot(self, *arguments):
        """As smtpd, which is another user."""
        return self.check("--as-user", "nobody", "--chroot", self.queue, *arguments)

    def assert_good(self, done, who="nobody (uid 65534)"):
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f": OK for {who}: offers SCRAM-SHA-256, PLAIN, LOGIN\n", done.stdout)

    def fault(self, done):
        """What is wrong, and what to do."""
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        what, fix = done.stderr.splitlines()
        return what, fix.strip()

    def heed(self, fix):
        """Does as it says, up to what it explains."""
        subprocess.run(bed.as_root(["sh", "-ec", re.split("[,;] ", fix)[0]]), check=True)


class CheckSocket(Checks):
    def test_good_socket(self):
        self.bed.start_adapter()
        for path in "sasl/auth", "/sasl/auth", "unix:sasl/auth":
            self.assert_good(self.in_chroot(path))
        self.assert_good(self.check("--as-user", NOBODY, self.bed.auth_socket))
        self.assert_good(self.check("--as-uid", 4711, self.bed.auth_socket), "uid 4711")
        self.assert_good(self.check(self.bed.auth_socket), "root (uid 0)")

    def test_ordinary_user_asks_for_itself(self):
        program = self.bed.folder / "sasld-adapter"
        shutil.copy(bed.arguments.bin / "sasld-adapter", program)
        program.chmod(0o755)
        self.bed.start_adapter()

        def check(*arguments):
            who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
            return subprocess.run([program, "check", *arguments], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=bed.PATIENCE, **who)
        self.assertEqual(check(self.bed.auth_socket).returncode, 0)
        done = check("--chroot", self.queue, "sasl/auth")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("it must be run as root", done.stderr)

    def test_advice_on_permissions_helps(self):
        self.bed.start_adapter()
        folder = self.bed.auth_socket.parent
        folder.chmod(0o700)
        what, fix = self.fault(self.in_chroot("sasl/auth"))
        self.assertRegex(what, rf"^'{folder}' does not let nobody \(uid 65534\) through: it belongs to "
                         r"\S+ and has mode 0700$")
        self.heed(fix)
        self.assert_good(self.in_chroot("sasl/auth"))
        self.bed.auth_socket.chmod(0o600)
        what, fix = self.fault(self.in_chroot("sasl/auth"))
        self.assertIn(f"'{self.bed.auth_socket}' may not be written to by nobody", what)
        self.heed(fix)
        self.assert_good(self.in_chroot("sasl/auth"))

    def test_acls_count(self):
        """They are beyond owner, group and mode, so that trying is what tells."""
        self.bed.start_adapter()
        self.bed.auth_socket.chmod(0o600)
        user_obj, user, group_obj, mask, other = 1, 2, 4, 16, 32  # acl(5), linux/posix_acl_xattr.h
        rw, none = 6, 0

        def set_acl(*entries):
            acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)
            os.setxattr(self.bed.auth_socket, "system.posix_acl_access", acl)
        anyone = 2**32 - 1
        set_acl((user_obj, rw, anyone), (user, rw, NOBODY), (group_obj, none, anyone),
                (mask, rw, anyone), (other, none, anyone))
        self.assert_good(self.in_chroot("sasl/auth"))
        set_acl((user_obj, rw, anyone), (user, none, NOBODY), (group_obj, rw, anyone),
                (mask, rw, anyone), (other, rw, anyone))
        what, fix = self.fault(self.in_chroot("sasl/auth"))
        self.assertIn("may not connect to 'sasl/auth', though owner, group and mode", what)
        self.assertIn("getfacl", fix)

    def test_groups_count(self):
        self.bed.start_adapter()
        subprocess.run(bed.as_root(["chgrp", "4712", str(self.bed.auth_socket)]), check=True)
        self.bed.auth_socket.chmod(0o660)
        what, _ = self.fault(self.check("--as-uid", 4711, self.bed.auth_socket))
        self.assertIn("may not be written to by uid 4711", what)
        for groups in (["4712"], ["4713", "4712"]):
            arguments = [one for group in groups for one in ("--as-group", group)]
            self.assert_good(self.check("--as-uid", 4711, *arguments, self.bed.auth_socket), "uid 4711")
        self.assert_good(self.in_chroot("--as-group", "4712", "sasl/auth"))

    def test_link_out_of_the_chroot(self):
        outside = self.bed.folder / "auth"
        text = self.bed.adapter_toml.read_text()
        self.bed.adapter_toml.write_text(text.replace(str(self.bed.auth_socket), str(outside)))
        self.bed.auth_socket.symlink_to(outside)
        self.bed.start_adapter()
        self.assert_good(self.check("--as-user", "nobody", self.bed.auth_socket))
        what, _ = self.fault(self.in_chroot("sasl/auth"))
        self.assertEqual(what, f"the symbolic link '{self.bed.auth_socket}' to '{outside}' leads out of "
                         f"the chroot: from inside, that is '{self.queue}/tmp', which is "
                         "not there")

    def test_path_of_the_outside(self):
        self.bed.start_adapter()
        _, fix = self.fault(self.in_chroot(self.bed.auth_socket))
        self.assertEqual(fix, "Inside, it is /sasl/auth; for Postfix, smtpd_sasl_path = sasl/auth")

    def test_nobody_listens(self):
        what, fix = self.fault(self.in_chroot("sasl/auth"))
        self.assertEqual(what, f"'{self.bed.auth_socket}' is not there")
        self.assertIn(f'path = "{self.bed.auth_socket}"', fix)
        self.bed.start_adapter()
        self.bed.kill_adapter()
        self.assertEqual(self.fault(self.in_chroot("sasl/auth"))[0], "nobody listens on 'sasl/auth'")

    def test_another_protocol(self):
        mux = self.bed.auth_socket.parent / "mux"
        with open(self.bed.adapter_toml, "a") as toml:
            toml.write(f'[[listen]]\nprotocol = "saslauthd"\npath = "{mux}"\nmode = "0666"\n')
        self.bed.start_adapter()
        done = self.in_chroot("--protocol", "saslauthd", "sasl/mux")
        self.assertEqual(done.stdout, "sasl/mux: OK for nobody (uid 65534): takes connections\n")

    def test_command_line(self):
        for arguments, wrong in (
                (["--as-user", "no-such-user", "x"], '--as-user: "no-such-user" is no user of this'),
                (["--as-uid", "1", "--as-group", "no-such-group", "x"],
                 '--as-group: "no-such-group" is no group of this system'),
                (["--as-group", "root", "x"], "--as-group wants --as-user or --as-uid"),
                (["--as-user", "root", "--as-uid", "0", "x"], "excludes --as-"),
                (["--protocol", "smtp", "x"], "--protocol: smtp not in {dovecot-auth,saslauthd}"),
                ([], "PATH is required")):
            with self.subTest(arguments):
                done = self.check(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(wrong, done.stderr)


class Allowed(Checks):
    """With allow_users and allow_groups."""

    def setUp(self):
        super().setUp()
        text = self.bed.adapter_toml.read_text()
        # Root is asked for by the bed itself.
        self.bed.adapter_toml.write_text(text.replace(
            'mode = "0666"',
            f'mode = "0666"\nallow_users = ["{os.geteuid()}", "4711"]\nallow_groups = ["4712"]'))

    def test_who_is_let_in(self):
        self.bed.start_adapter()
        path = self.bed.auth_socket
        self.assert_good(self.check("--as-uid", 4711, path), "uid 4711")
        self.assert_good(self.check("--as-uid", 4710, "--as-group", 4712, path), "uid 4710")
        self.assert_good(self.check("--as-uid", 4710, "--as-group", 1, "--as-group", 4712, path),
                         "uid 4710")
        what, fix = self.fault(self.in_chroot("sasl/auth"))
        self.assertEqual(what, "'sasl/auth' listens, but hangs up at once")
        self.assertIn("allow_users or allow_groups of its [[listen]] have nobody (uid 65534)?", fix)
        self.assertRegex(self.bed.log("adapter"), rf"{re.escape(str(path))}: refused a client of uid "
                         r"65534, gid 65534 \(pid \d+\): allow_users and allow_groups")


if __name__ == "__main__":
    bed.main()
