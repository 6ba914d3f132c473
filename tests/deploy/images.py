"""Builds the images of deploy/docker and looks into them. Arguments: where the engine is kept, its programs,
the base, what the compiler has kept (may be empty), and where the numbers go."""
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from checks import Checks, same
from engine import Engine

CHECKOUT = pathlib.Path(__file__).parents[2]
BASE = "sasld-base:test"
OURS = ("sasld", "sasld-adapter", "saslctl")
PEERS = ("postfix", "dovecot")
# What each was made for: to be replaced by the other.
VERSIONS = ("0.1.0", "0.1.0-next")
# Of packages without which the programs would not be what they are.
LOADED = {"libc6", "libssl3", "libstdc++6"}
LINKED = {"libgrpc++-dev", "libgrpc-dev", "libprotobuf-dev", "libabsl-dev"}
HEADERS_ONLY = {"sasld": "libtomlplusplus-dev", "sasld-adapter": "libasio-dev", "saslctl": "nlohmann-json3-dev"}


class Images:
    def __init__(self, engine, seed):
        self._engine = engine
        self._seed = seed

    def build(self, target, tag, *options, file="deploy/docker/Dockerfile"):
        proxies = [option for name in ("http_proxy", "https_proxy", "no_proxy") if name in os.environ
                   for option in ("--build-arg", f"{name}={os.environ[name]}")]
        compiler = ["--build-arg", f"CCACHE={self._seed}", "--build-arg", f"LANG={os.environ.get('LANG', '')}"
                    ] if self._seed else []
        warnings = ["--build-arg", "CONFIGURATION=-DSASLD_WERROR=ON"] if os.environ.get("CI") == "true" else []
        self._engine.logged(
            "docker", "build", "--progress", "plain", "--network", "host", "--file", file,
            *(["--target", target] if target else []), *(["--tag", tag] if tag else []),
            "--build-arg", f"BASE={BASE}", *(compiler if target else []), *(warnings if target else []),
            *proxies, *options, ".", cwd=CHECKOUT, timeout=3000)

    def build_ours(self, version):
        for name in OURS:
            self.build(name, f"{name}:{version}", "--build-arg", f"VERSION={version}", "--build-arg", "REVISION=test",
                       "--build-arg", "CREATED=2026-01-01T00:00:00Z")

    def build_peer(self, name):
        for version in VERSIONS:
            self.build(None, f"sasld-{name}:{version}", file=f"deploy/docker/{name}/Dockerfile")

    def files(self, image):
        """The archive of all that is in it."""
        container = self._engine.docker("create", image)
        try:
            with tempfile.TemporaryFile() as content:
                subprocess.run(["docker", "export", container], check=True, stdout=content,
                               env=self._engine.environment)
                content.seek(0)
                with tarfile.open(fileobj=io.BytesIO(content.read())) as archive:
                    return {"/" + member.name: (member, self._text(archive, member)) for member in archive}
        finally:
            self._engine.docker("rm", container)

    @staticmethod
    def _text(archive, member):
        wanted = member.isfile() and ("/status.d/" in member.name or member.name.endswith(".spdx.json"))
        return archive.extractfile(member).read().decode() if wanted else ""

    def labels_are_told(self, name):
        for version in VERSIONS:
            config = self._engine.inspect(f"{name}:{version}")["Config"]
            labels = {key.removeprefix("org.opencontainers.image."): value
                      for key, value in config["Labels"].items()}
            same("labels", {**labels, "description": ""}, {
                "title": name, "version": version, "revision": "test", "created": "2026-01-01T00:00:00Z",
                "source": labels["source"], "licenses": labels["licenses"], "description": ""})
            assert re.fullmatch(r"1000[12]:1000[12]", config["User"]), config["User"]
            same("signal", config["StopSignal"], "SIGTERM")
            if name != "saslctl":
                same("health check", config["Healthcheck"]["Test"], ["CMD", f"/usr/sbin/{name}", "health"])

    def version_is_the_programs(self):
        told = self._engine.docker("run", "--rm", "--network", "none", f"sasld:{VERSIONS[0]}", "--version")
        same("sasld --version", told, f"sasld {VERSIONS[0]}")

    def has_no_shell(self, name):
        found = [path for path in self.files(f"{name}:{VERSIONS[0]}")
                 if re.fullmatch(r"/usr/s?bin/.+", path) and not path.endswith(("/sasld", "/sasld-adapter", "/saslctl"))]
        same("programs of others", found, [])

    def list_is_right(self, name):
        """The list of what is in the image against the files in it, and against what Debian says whose they are."""
        files = self.files(f"{name}:{VERSIONS[0]}")
        listed = json.loads(files[f"/usr/share/sbom/{name}.spdx.json"][1])
        same("form", listed["spdxVersion"], "SPDX-2.3")
        known = {package["SPDXID"]: package for package in listed["packages"]}

        def related(kind):
            return {known[ends][("name")] for relation in listed["relationships"] if relation["relationshipType"] == kind
                    for ends in (relation["relatedSpdxElement"] if kind != "BUILD_DEPENDENCY_OF" else
                                 relation["spdxElementId"],)}
        present = related("CONTAINS")
        status = {path.rpartition("/")[2]: text for path, (_, text) in files.items() if "/status.d/" in path and text}
        same("packages with a record in the image", set(status), present)
        for package in known.values():
            if package["name"] in present:
                assert f"\nVersion: {package['versionInfo']}\n" in status[package["name"]], package
        assert LOADED <= present and LINKED <= related("STATIC_LINK"), listed["relationships"]
        assert HEADERS_ONLY[name] in related("BUILD_DEPENDENCY_OF"), listed["relationships"]
        self._libraries_belong(files, present)
        return f"{len(present)} packages in it, {len(related('STATIC_LINK'))} linked into its programs"

    def _libraries_belong(self, files, packages):
        libraries = {path for path, (member, _) in files.items() if member.isfile() and ".so" in path}
        assert libraries, "no libraries"
        owned = self._engine.docker("run", "--rm", "--network", "none", "sasld-build:test", "dpkg-query", "-L", *packages)
        owned = {re.sub("^/lib", "/usr/lib", path) for path in owned.splitlines()}
        same("libraries of no listed package", libraries - owned, set())

    def lists_come_out(self, folder):
        self.build("sbom", None, "--output", folder)
        same("files", sorted(os.listdir(folder)), sorted(f"{name}.spdx.json" for name in OURS))

    def sizes(self):
        print("\nSizes of the images, unpacked:")
        for name in (*OURS, *(f"sasld-{peer}" for peer in PEERS)):
            size = self._engine.inspect(f"{name}:{VERSIONS[0]}")["Size"]
            print(f"  {name:16} {size / 1e6:6.1f} MB")


def main():
    folder, tools, base, seed, told = sys.argv[1:]
    checks = Checks()
    with Engine(folder, tools, "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                "--bridge=none") as engine:
        engine.docker("import", base, BASE)
        if seed:
            engine.docker("import", seed, "sasld-ccache:test")
        images = Images(engine, "sasld-ccache:test" if seed else "")
        built = checks.check("the images of sasld, sasld-adapter and saslctl are built", images.build_ours, VERSIONS[0])
        built = checks.check("and once more for an upgrade", images.build_ours, VERSIONS[1]) and built
        for peer in PEERS:
            built = checks.check(f"the image of {peer} is built", images.build_peer, peer) and built
        if built:
            images.build("build", "sasld-build:test")
            checks.check("the image's version is that of the program in it", images.version_is_the_programs)
            for name in OURS:
                checks.check(f"{name}: labels, user, signal, health check", images.labels_are_told, name)
                checks.check(f"{name}: no other program is in the image", images.has_no_shell, name)
                checks.check(f"{name}: the list of packages is right", images.list_is_right, name)
            with tempfile.TemporaryDirectory(dir=folder) as lists:
                checks.check("the lists come out by the target sbom", images.lists_come_out, lists)
            images.sizes()
    checks.tell(told)


if __name__ == "__main__":
    main()
