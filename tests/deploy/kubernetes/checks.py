"""All that is held against a rendering, and the renderings there are."""
import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import pod_rules
import reference_rules
import tools
from model import our_containers, program_of, volumes_of

# Values that switch on what is off and off what is on, so that each branch of the templates is rendered.
OTHER_VALUES = {
    "fullnameOverride": "auth", "imagePullSecrets": [{"name": "registry"}], "key": {"secretName": "sasld-key"},
    "settings": {"SASLD_POLICY_DEFAULT_REALM": "example.org"}, "service": {"port": 4721},
    "persistence": {"storageClassName": "fast", "accessMode": "ReadWriteOnce"},
    "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "mail"}}}]},
    "nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "mail", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}}},
    "metrics": {"enabled": True, "port": 9474, "adapterPort": 9475, "from": [{"podSelector": {"matchLabels": {"a": "b"}}}],
                "monitors": {"enabled": True, "labels": {"release": "prometheus"}}},
    "priorityClassName": "mail", "podAnnotations": {"example.org/note": "a"},
    "adapter": {"postfixGid": 5000, "readinessAsksSasld": True, "addresses": ["auth.mail.svc:4721"],
                "settings": {"SASLD_ADAPTER_LIMITS_ANSWER_WITHIN": "6s"}},
}


def renderings():
    """Name and objects of each."""
    yield "base", tools.kustomize("base")
    yield "overlays/postfix", tools.kustomize("overlays/postfix")
    yield "key-from-secret", tools.component("key-from-secret")
    yield "metrics", tools.component("metrics")
    yield "overlays/postfix with metrics", tools.overlay("metrics", "adapter-metrics")
    yield "chart", tools.helm(tools.CHART)
    yield "chart with other values", tools.helm(tools.CHART, values=OTHER_VALUES)
    example = tools.Example()
    try:
        yield "postfix-example", tools.helm(example.chart)
        yield "postfix-example with other values", tools.helm(example.chart, values={"sasld": OTHER_VALUES})
    finally:
        example.close()


def rule_findings(objects):
    return [*pod_rules.findings(objects), *reference_rules.findings(objects)]


def program_findings(objects):
    """What the real programs say against the configuration and the variables that they would start with."""
    for workload, container in our_containers(objects):
        with tempfile.TemporaryDirectory(prefix="sasld-kubernetes-") as folder:
            path = pathlib.Path(folder, "config.toml")
            _lay_out_secrets(workload, container, folder)
            text = reference_rules.configuration_of(objects, workload, container)
            path.write_text(text.replace('"/etc/sasld/', f'"{folder}/etc/sasld/'))
            variables = {one["name"]: one["value"] for one in container.get("env", [])}
            done = subprocess.run([tools.programs / program_of(container), "--config", path, "--check-config"],
                                  text=True, capture_output=True, timeout=tools.PATIENCE,
                                  env={"PATH": os.environ["PATH"], **variables})
            if done.returncode != 0 or done.stdout != f"{path}: OK\n":
                yield f"{container['name']}: {done.returncode} {done.stdout}{done.stderr}"


def _lay_out_secrets(workload, container, folder):
    """What make-certificates made, where the container mounts it."""
    for mount in container["volumeMounts"]:
        secret = volumes_of(workload).get(mount["name"], {}).get("secret", {}).get("secretName")
        if secret in ("sasld-tls", "sasld-adapter-tls"):
            shutil.copytree(certificates() / secret, f"{folder}/{mount['mountPath']}")


@functools.cache
def certificates():
    """The folder that make-certificates made; it goes when the tests end."""
    folder = tempfile.TemporaryDirectory(prefix="sasld-kubernetes-")
    atexit.register(folder.cleanup)
    made = pathlib.Path(folder.name, "certificates")
    subprocess.run([tools.KUSTOMIZE / "make-certificates", made, "mail"], check=True, capture_output=True,
                   timeout=tools.PATIENCE)
    return made
