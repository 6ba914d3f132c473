"""Runs the containers of deploy/docker, in a network of their own, and does to them what happens to containers.
Arguments: where the engine is kept, its programs, and where the numbers go."""
import os
import secrets
import signal
import subprocess
import sys

import logins
from checks import Checks, same, wait_until
from engine import Engine
from images import VERSIONS
from stack import SERVICES, Stack

USER = "ann@example.org"
# What compose.yaml gives back of the capabilities it drops, as the kernel counts them.
CAPABILITIES = {"sasld": set(), "adapter": set(), "postfix": {"DAC_OVERRIDE", "SETGID", "SETUID"},
                "dovecot": {"CHOWN", "KILL", "SETGID", "SETUID", "SYS_CHROOT"}}
NUMBERS = {"CHOWN": 0, "DAC_OVERRIDE": 1, "KILL": 5, "SETGID": 6, "SETUID": 7, "SYS_CHROOT": 18}


class Containers:
    def __init__(self, engine):
        self.engine = engine
        self.stack = Stack(engine, VERSIONS[0])
        self.password = "Pw-" + secrets.token_hex(12)

    def come_up(self):
        self.stack.up()
        begun = {service: self.stack.inspect(service)["State"]["StartedAt"] for service in SERVICES}
        assert begun["sasld"] < begun["adapter"] < min(begun["postfix"], begun["dovecot"]), begun

    def take_users(self):
        self.stack.saslctl("user", "add", USER, "--password-stdin", given=self.password + "\n")
        assert USER in self.stack.saslctl("user", "list")

    # Logins.

    def smtp(self, login):
        same("the right password", login(USER, self.password), 235)
        same("a wrong password", login(USER, "wrong"), 535)
        same("a user that there is not", login("bob@example.org", "wrong"), 535)

    def imap(self):
        assert logins.imap_plain(USER, self.password).startswith("OK")
        assert logins.imap_plain(USER, "wrong").startswith("NO [AUTHENTICATIONFAILED]")

    def mail(self):
        text = "message " + secrets.token_hex(6)
        same("the end of the message", logins.smtp_send(USER, self.password, text), 250)
        wait_until("the message is in the inbox", lambda: logins.imap_finds(USER, self.password, text))

    def sample_logins(self):
        told = self.stack.script("try-logins")
        assert told.count("accepted") == 2 and "refused" in told and "SEARCH " in told, told

    # What they may do.

    def confined(self, service):
        found = self.stack.inspect(service)
        assert found["HostConfig"]["ReadonlyRootfs"], "the root is not read-only"
        same("capabilities that are dropped", found["HostConfig"]["CapDrop"], ["ALL"])
        wanted = sum(1 << NUMBERS[name] for name in CAPABILITIES[service])
        status = self.stack.status(service)
        for kind in "CapEff", "CapPrm", "CapBnd", "CapInh":
            assert int(status[kind], 16) in (wanted, 0), f"{kind}: {status[kind]}, not {wanted:016x}"
        same("CapBnd", int(status["CapBnd"], 16), wanted)
        same("NoNewPrivs", status["NoNewPrivs"], "1")
        limit = next(line for line in open(f"/proc/{self.stack.pid(service)}/limits") if "core file" in line)
        same("core files", limit.split()[4:6], ["0", "0"])

    def confined_without_root(self, service, number):
        self.confined(service)
        same("CapEff", self.stack.status(service)["CapEff"], "0" * 16)
        same("uids", set(self.stack.status(service)["Uid"].split()), {number})
        done = self.engine.run("docker", "exec", self.stack.container(service), "sh", "-c", "true", check=False)
        assert done.returncode != 0, "there is a shell"

    def sockets(self):
        for service, path, wanted in (
                ("sasld", "/run/sasld", ("d", 10001, 10001, "0750")),
                ("sasld", "/run/sasld/sasl.sock", ("s", 10001, 10001, "0660")),
                ("sasld", "/run/sasld/admin.sock", ("s", 10001, 10001, "0600")),
                ("sasld", "/var/lib/sasld", ("d", 10001, 10001, "0700")),
                ("sasld", "/var/lib/sasld/sasld.key", ("-", 10001, 10001, "0600")),
                ("postfix", "/run/sasld-adapter", ("d", 10002, 10025, "0750")),
                ("postfix", "/run/sasld-adapter/auth", ("s", 10002, 10025, "0660")),
                ("dovecot", "/run/dovecot/login/ext", ("d", 10002, 10143, "0750")),
                ("dovecot", "/run/dovecot/login/ext/auth-login", ("s", 10002, 10143, "0660")),
                ("dovecot", "/run/sasld-adapter", ("d", 10002, 10500, "0750")),
                ("dovecot", "/run/sasld-adapter/master", ("s", 10002, 10500, "0660")),
                ("dovecot", "/run/sasld-adapter/userdb", ("s", 10002, 10500, "0660"))):
            same(f"{path} in {service}", self.stack.file(service, path), wanted)

    # What happens to them.

    def survives_a_crash(self, service):
        others = {one: self.stack.started(one) for one in SERVICES if one != service}
        with logins.Load(USER, self.password) as load:
            before = self.stack.started(service)
            self.stack.kill(service)
            wait_until(f"{service} runs again", lambda: self.stack.inspect(service)["State"]["Running"] and
                       self.stack.started(service) != before)
            load.go_on()
        same("wrong answers", load.wrong(), [])
        same("the others' starts", {one: self.stack.started(one) for one in others}, others)
        return f"{load.total()} logins, of which {len(load.others())} had to be tried again"

    def hang_shows(self):
        pid = self.stack.pid("sasld")
        os.kill(pid, signal.SIGSTOP)
        try:
            self.stack.becomes("sasld", "unhealthy")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.stack.becomes("sasld", "healthy")

    def upgrade(self, service):
        others = {one: self.stack.started(one) for one in SERVICES if one != service}
        image = {"sasld": "sasld", "adapter": "sasld-adapter"}[service]
        self.stack.environment["SASLD_VERSION"] = VERSIONS[1]
        with logins.Load(USER, self.password) as load:
            self.stack.script("upgrade", service)
            load.go_on()
        found = self.stack.inspect(service)
        same("image", found["Config"]["Image"], f"{image}:{VERSIONS[1]}")
        same("version", found["Config"]["Labels"]["org.opencontainers.image.version"], VERSIONS[1])
        same("failed logins", load.others(), [])
        same("wrong answers", load.wrong(), [])
        same("the others' starts", {one: self.stack.started(one) for one in others}, others)
        return f"{load.total()} logins"

    def compose_agrees(self):
        ours = {one: self.stack.started(one) for one in ("sasld", "adapter")}
        self.stack.compose("up", "-d", "--no-build")
        same("starts", {one: self.stack.started(one) for one in ours}, ours)
        for service in SERVICES:
            self.stack.becomes(service, "healthy")

    def stops(self, service):
        with logins.Load(USER, self.password) as load:
            container = self.stack.container(service)
            self.engine.docker("stop", container)
            same("exit status", self.engine.inspect(container)["State"]["ExitCode"], 0)
            assert "stopped" in self.stack.log(service), self.stack.log(service)[-1000:]
            self.engine.docker("start", container)
            load.go_on()
        same("wrong answers", load.wrong(), [])
        self.stack.becomes(service, "healthy")

    def backup(self):
        copy = "/var/lib/sasld/backup.db"
        self.stack.saslctl("backup", copy)
        told = self.stack.compose("exec", "-T", "sasld", "sasld", "--check-database", copy)
        assert f"{copy}: OK, 2 users" in told, told
        self.engine.docker("cp", f"{self.stack.container('sasld')}:{copy}", self.engine.folder / "backup.db")
        assert (self.engine.folder / "backup.db").stat().st_size > 0

    def data_stay(self):
        keys = self.stack.saslctl("key", "list")
        self.stack.compose("down")
        self.stack.up()
        same("keys", self.stack.saslctl("key", "list"), keys)
        self.smtp(logins.smtp_plain)
        self.imap()

    def down(self):
        self.stack.compose("down", "-v")
        same("containers", self.engine.docker("ps", "-aq"), "")

    # sasld alone.

    def once(self, *options, image="sasld"):
        """What it says when it has to end at once."""
        done = self.engine.run("docker", "run", "--rm", "--read-only", "--cap-drop", "ALL", "--network", "none",
                               "--security-opt", "no-new-privileges", *options, f"{image}:{VERSIONS[0]}", check=False,
                               timeout=60)
        assert done.returncode == 1, f"ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def wrong_owner(self):
        self.engine.docker("volume", "create", "strange")
        folder = self.engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "strange")
        with open(f"{folder}/old", "w"):  # a volume with something in it keeps its owner
            pass
        os.chmod(folder, 0o700)
        told = self.once("-v", "strange:/var/lib/sasld")
        assert "/var/lib/sasld" in told and "chown" in told and "10001" in told, told
        return told.strip().splitlines()[-1]

    def secrets_from_files(self):
        """Key file and database are named by files, and the key is one that was brought."""
        folder = self.engine.folder / "secrets"
        folder.mkdir()
        key = folder / "sasld.key"
        made = self.engine.docker("volume", "create", "first")
        self.engine.docker("run", "-d", "--name", "first", "-v", f"{made}:/var/lib/sasld", f"sasld:{VERSIONS[0]}")
        place = self.engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", made)
        wait_until("a key is made", lambda: os.path.exists(f"{place}/sasld.key"))
        key.write_bytes(open(f"{place}/sasld.key", "rb").read())
        self.engine.docker("rm", "-f", "-v", "first")
        os.chown(key, 10001, 10001)
        key.chmod(0o400)
        (folder / "store_url").write_text("sqlite:/var/lib/sasld/other.db\n")
        (folder / "store_url").chmod(0o444)
        self.engine.docker(
            "run", "-d", "--name", "second", "--read-only", "--cap-drop", "ALL", "--network", "none",
            "-v", "second:/var/lib/sasld", "-v", f"{key}:/run/secrets/sasld.key:ro",
            "-v", f"{folder}/store_url:/run/secrets/store_url:ro", "-e", "SASLD_KEYS_FILE=/run/secrets/sasld.key",
            "-e", "SASLD_STORE_URL_FILE=/run/secrets/store_url", f"sasld:{VERSIONS[0]}")
        wait_until("it is healthy", lambda: self.engine.inspect("second")["State"]["Health"]["Status"] == "healthy")
        place = self.engine.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "second")
        names = set(os.listdir(place))
        assert "other.db" in names and "sasld.key" not in names and "sasld.db" not in names, names
        self.engine.docker("rm", "-f", "-v", "second")


def run(checks, containers):
    check = checks.check
    if not check("four containers become healthy, sasld first and the mail servers last", containers.come_up):
        print(containers.stack.logs())
        return
    check("docker-compose exec sasld saslctl adds a user", containers.take_users)
    check("SMTP by PLAIN: 235, and 535 for a wrong password", containers.smtp, logins.smtp_plain)
    check("SMTP by SCRAM-SHA-256: 235, and 535 for a wrong password", containers.smtp, logins.smtp_scram)
    check("IMAP: OK, and NO [AUTHENTICATIONFAILED] for a wrong password", containers.imap)
    check("what is sent by SMTP is found by IMAP", containers.mail)
    check("deploy/docker/try-logins does what it says", containers.sample_logins)
    check("sasld: read-only, uid 10001, no capability, no new one, no shell", containers.confined_without_root, "sasld",
          "10001")
    check("the adapter: read-only, uid 10002, no capability, no new one, no shell", containers.confined_without_root,
          "adapter", "10002")
    for service in "postfix", "dovecot":
        check(f"{service}: read-only, and only these capabilities: {', '.join(sorted(CAPABILITIES[service]))}",
              containers.confined, service)
    check("each socket belongs to whom it is for", containers.sockets)
    for service in "sasld", "adapter":
        check(f"{service} is killed: no right password is refused, and all goes on by itself",
              containers.survives_a_crash, service)
    check("a sasld that hangs becomes unhealthy", containers.hang_shows)
    for service in "sasld", "adapter":
        check(f"{service} is upgraded: no login fails", containers.upgrade, service)
    check("docker-compose up has nothing to do after that", containers.compose_agrees)
    for service in "sasld", "adapter":
        check(f"docker stop {service}: exit status 0 in the middle of logins", containers.stops, service)
    check("a backup is made and comes out", containers.backup)
    check("accounts and keys outlive the containers", containers.data_stay)
    if checks.failed:
        print(containers.stack.logs())
    check("docker-compose down leaves nothing", containers.down)
    check("a volume of another owner: sasld says what to do", containers.wrong_owner)
    check("key and database by secret files", containers.secrets_from_files)


def main():
    folder, tools, told = sys.argv[1:]
    checks = Checks()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with Engine(folder, tools) as engine:
        containers = Containers(engine)
        try:
            run(checks, containers)
        finally:
            for container in engine.docker("ps", "-aq").split():
                engine.docker("rm", "-f", container)
    checks.tell(told)


main()
