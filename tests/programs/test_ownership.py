"""Files that belong to another: a key that is only to be read, and the command that mends what keeps a program from starting.

As in a container, where sasld has a number and volumes come from root. Runs as root, and the programs as NOBODY.
"""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import programs

NOBODY = 54321  # without an account


def keys(*lines):
    """What makes a key file by hand, as sasld(8) has it."""
    made = lambda: subprocess.run(["openssl", "rand", "-base64", "32"], check=True, text=True,
                                  capture_output=True).stdout
    return "sasld-keys-2\ndecoy " + made() + "".join(f"key {n} {made()}" for n in lines)


class AsNobody(unittest.TestCase):
    def setUp(self):
        self.assertEqual(os.geteuid(), 0, "run this as root: the files belong to root")
        folder = tempfile.TemporaryDirectory(prefix="sasld-ownership-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name)
        self.home.chmod(0o755)
        self.own = self.make_folder("own", NOBODY)
        # Where nobody may look, others cannot either.
        self.program = {}
        for program in "sasld", "sasld-adapter":
            self.program[program] = self.home / program
            self.program[program].write_bytes((programs.folder / program).read_bytes())
            self.program[program].chmod(0o755)

    def make_folder(self, name, owner, mode=0o755):
        folder = self.home / name
        folder.mkdir()
        folder.chmod(mode)
        os.chown(folder, owner, owner)
        return folder

    def make_key(self, text, owner, group, mode):
        path = self.make_folder("secrets", 0) / "sasld.key"
        path.write_text(text)
        os.chown(path, owner, group)
        path.chmod(mode)
        return path

    def config(self, key, store="memory:", sockets=None):
        sockets = sockets or self.own
        path = self.home / "sasld.toml"
        path.write_text(f'[store]\nurl = "{store}"\n\n[keys]\nfile = "{key}"\n[listen]\n'
                        f'sasl = ["unix:{sockets}/sasl.sock"]\n'
                        f'admin = ["unix:{sockets}/admin.sock"]\n')
        return path

    def variables(self):
        # LeakSanitizer looks on from a second process, to which sasld does not show its memory
        # unless that is root's. Other tests look for leaks.
        asan = os.environ.get("ASAN_OPTIONS", "")
        return {"ASAN_OPTIONS": f"{asan}:detect_leaks=0".lstrip(":")}

    def refused(self, program, config):
        """What it says on standard error, its log's times taken off; it does not start."""
        done = subprocess.run([self.program[program], "--config", config], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=programs.PATIENCE, preexec_fn=become_nobody,
                              env={**os.environ, **self.variables()})
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        return re.sub(r"^\d{4}-\S+ (sasld\[\d+\] )?error: ", "", done.stderr, flags=re.M)

    def start(self, config, **variables):
        return programs.start(self, self.program["sasld"], self.home, "--config", config,
                              preexec_fn=become_nobody,
                              variables={**self.variables(), **variables})

    def saslctl(self, *arguments):
        return programs.run("saslctl", "--server", f"unix:{self.own}/admin.sock", *arguments)


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


class KeyToBeRead(AsNobody):
    def test_modes_that_a_secret_has(self):
        for owner, mode in ((NOBODY, 0o400), (0, 0o440)):
            with self.subTest(owner=owner, mode=oct(mode)):
                key = self.make_key(keys(1), owner, NOBODY, mode)
                process = self.start(self.config(key))
                programs.stop(process)
                self.assertEqual(process.returncode, 0)
                key.unlink()
                key.parent.rmdir()

    def test_as_a_systemd_credential(self):
        drop_in = programs.CHECKOUT / "deploy/systemd/sasld.service.d/credential.conf"
        name, source = re.search(r"^LoadCredential=([^:]+):(\S+)$", drop_in.read_text(),
                                 re.M).groups()
        variable, value = re.search(r"^Environment=(\w+)=(\S+)$", drop_in.read_text(), re.M).groups()
        self.assertEqual((pathlib.Path(source).name, value), (name, f"%d/{name}"))
        # As systemd passes it where it knows no ACLs; where it does: (0, 0o440), above.
        folder = self.make_folder("credentials", NOBODY, 0o500)
        (folder / name).write_text(keys(1))
        os.chown(folder / name, NOBODY, NOBODY)
        (folder / name).chmod(0o400)
        process = self.start(self.config("/nonexistent/key"),
                             **{variable: value.replace("%d", str(folder))})
        programs.stop(process)
        self.assertEqual(process.returncode, 0)

    def test_modes_that_let_others_in(self):
        for owner, mode, advice in ((NOBODY, 0o440, "run: chmod 0600 "),
                                    (0, 0o444, "a secret that root owns may have mode 0400 or 0440"),
                                    (0, 0o460, "a secret that root owns may have mode 0400 or 0440")):
            with self.subTest(owner=owner, mode=oct(mode)):
                key = self.make_key(keys(1), owner, NOBODY, mode)
                config = self.config(key)
                self.assertTrue(self.refused("sasld", config).startswith(
                    f"{config}:5: keys.file: {key}: others than its owner may use it; {advice}"))
                key.unlink()
                key.parent.rmdir()

    def test_one_that_cannot_be_read(self):
        key = self.make_key(keys(1), 0, 0, 0o400)
        config = self.config(key)
        self.assertEqual(self.refused("sasld", config),
                         f"{config}:5: keys.file: cannot read {key}: {key} belongs to root (0) with "
                         f"mode 0400, sasld runs as uid {NOBODY}: chown {NOBODY}:{NOBODY} {key}\n")

    def test_a_change_of_keys_tells_how_it_is_done(self):
        key = self.make_key(keys(1), NOBODY, NOBODY, 0o400)
        config = self.config(key, store=f"sqlite:{self.own}/db")
        process = self.start(config)
        done = self.saslctl("key", "rotate")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"the key file stays as it is: cannot make {key}: {key.parent} belongs to "
                      f"root (0) with mode 0755, sasld runs as uid {NOBODY}: chown "
                      f"{NOBODY}:{NOBODY} {key.parent}. If it is a secret that comes from "
                      'elsewhere: add to it the line "key 2 …" with 32 random bytes in base64 '
                      "(openssl rand -base64 32) there, and restart sasld", done.stderr)
        # And so it is done.
        self.saslctl("user", "add", "ann", "--generate")
        programs.stop(process)
        second = keys(2).splitlines()[-1]
        key.write_text(key.read_text() + second + "\n")
        process = self.start(config)
        programs.wait_until(lambda: re.search(r"^2 +current +1$", self.saslctl("key", "list").stdout,
                                              re.M), process)
        done = self.saslctl("key", "retire", "1", "--yes")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('take the line "key 1 …" out of it there, and restart sasld', done.stderr)
        programs.stop(process)
        key.write_text("\n".join(line for line in key.read_text().splitlines()
                                 if not line.startswith("key 1 ")) + "\n")
        self.start(config)
        self.assertRegex(self.saslctl("key", "list").stdout, r"(?m)^2 +current +1$")
        self.assertNotRegex(self.saslctl("key", "list").stdout, r"(?m)^1 ")


class FoldersOfAnother(AsNobody):
    def facts(self, folder):
        return (f"{folder} belongs to root (0) with mode 0755, %s runs as uid {NOBODY}: chown "
                f"{NOBODY}:{NOBODY} {folder}")

    def test_for_the_key(self):
        volume = self.make_folder("volume", 0)
        config = self.config(volume / "sasld.key")
        self.assertEqual(self.refused("sasld", config),
                         f"{config}:5: keys.file: cannot make {volume}/sasld.key: "
                         f"{self.facts(volume) % 'sasld'}\n")

    def test_for_the_database(self):
        volume = self.make_folder("volume", 0)
        config = self.config(self.own / "key", store=f"sqlite:{volume}/sasld.db")
        self.assertIn(f"{config}:2: store.url: {volume}/sasld.db: cannot be opened: "
                      f"{self.facts(volume) % 'sasld'}\n", self.refused("sasld", config))

    def test_for_what_is_beside_the_database(self):
        volume = self.make_folder("volume", 0)
        (volume / "sasld.db").touch()
        os.chown(volume / "sasld.db", NOBODY, NOBODY)
        config = self.config(self.own / "key", store=f"sqlite:{volume}/sasld.db")
        self.assertIn(f"{config}:2: store.url: cannot make {volume}/sasld.db-wal: "
                      f"{self.facts(volume) % 'sasld'}\n", self.refused("sasld", config))

    def test_database_of_another(self):
        database = self.own / "sasld.db"
        database.touch(0o600)
        config = self.config(self.own / "key", store=f"sqlite:{database}")
        self.assertIn(f"{database} belongs to root (0) with mode 0600, sasld runs as uid {NOBODY}: "
                      f"chown {NOBODY}:{NOBODY} {database}\n", self.refused("sasld", config))

    def test_for_sockets(self):
        volume = self.make_folder("volume", 0)
        said = self.refused("sasld", self.config(self.own / "key", sockets=volume))
        self.assertIn(f"'{volume}/sasl.sock' cannot be made: {self.facts(volume) % 'sasld'}\n", said)
        config = self.home / "adapter.toml"
        config.write_text(f'[[listen]]\nprotocol = "saslauthd"\npath = "{volume}/mux"\n')
        self.assertIn(f"'{volume}/mux' cannot be made: {self.facts(volume) % 'sasld-adapter'}\n",
                      self.refused("sasld-adapter", config))

    def test_volume_that_cannot_even_be_entered(self):
        volume = self.make_folder("volume", 0, 0o700)
        self.assertIn(f"cannot read {volume}/key: {volume} belongs to root (0) with mode 0700, sasld runs as uid {NOBODY}: "
                      f"chown {NOBODY}:{NOBODY} {volume}\n", self.refused("sasld", self.config(volume / "key")))

    def test_that_cannot_be_passed(self):
        closed = self.make_folder("closed", 0, 0o700)
        (closed / "own").mkdir()
        os.chown(closed / "own", NOBODY, NOBODY)
        self.assertIn(f"{closed} belongs to root (0) with mode 0700, sasld runs as uid {NOBODY}: "
                      f"chmod o+x {closed}, which lets everybody pass but list nothing",
                      self.refused("sasld", self.config(closed / "own/key")))


if __name__ == "__main__":
    programs.main()
