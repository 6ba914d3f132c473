"""The checks can fail: each mistake in a manifest that is in order is found, and by what should find it."""
import copy
import unittest

import checks
import tools
from model import of_kind, pod_of


def server(objects):
    return of_kind(objects, "StatefulSet")[0]


def sasld(objects):
    return pod_of(server(objects))["containers"][0]


def postfix(objects):
    return of_kind(objects, "Deployment")[0]


def adapter(objects):
    return pod_of(postfix(objects))["initContainers"][0]


def only(kind):
    return lambda objects: of_kind(objects, kind)[0]


def config(program):
    return lambda objects: next(one["data"] for one in of_kind(objects, "ConfigMap") if f"{program}.toml" in one["data"])


def put(where, path, value):
    """A mistake: the value at a path below what `where` finds. None takes away what is there."""
    def mutate(objects):
        *keys, last = path
        thing = where(objects)
        for key in keys:
            thing = thing[key]
        if value is None:
            del thing[last]
        else:
            thing[last] = value(thing[last]) if callable(value) else value
    return mutate


def text(old, new):
    def change(whole):
        assert old in whole, old
        return whole.replace(old, new)
    return change


# The mistake, and a part of the finding.
SCHEMA = [
    (put(sasld, ["volumeMonts"], []), "/volumeMonts: unknown field"),
    (put(server, ["spec", "template", "spec", "automountServiceAcountToken"], False), "unknown field"),
    (put(adapter, ["securityContext", "runAsUser"], "10002"), "runAsUser: type"),
    (put(sasld, ["ports", 0, "protocol"], "QUIC"), "protocol: enum"),
    (put(sasld, ["name"], None), "required"),
    (put(only("Service"), ["apiVersion"], "v2"), "there is no Service in v2"),
    (put(only("PodDisruptionBudget"), ["spec", "minAvailabel"], 1), "unknown field"),
    (put(only("NetworkPolicy"), ["spec", "ingress", 0, "ports", 0, "targetPort"], 1), "unknown field"),
    (put(sasld, ["resources", "limits", "memory"], "1 GB"), "quantity"),
]
RULES = [
    (put(server, ["spec", "replicas"], 2), "one sasld at a time"),
    (put(server, ["spec", "serviceName"], "other"), "there is no Service other"),
    (put(server, ["spec", "template", "spec", "automountServiceAccountToken"], None), "automountServiceAccountToken"),
    (put(server, ["spec", "template", "spec", "enableServiceLinks"], True), "enableServiceLinks"),
    (put(postfix, ["spec", "template", "spec", "enableServiceLinks"], None), "enableServiceLinks"),
    (put(server, ["spec", "template", "spec", "terminationGracePeriodSeconds"], 1), "less than 10 s"),
    (put(server, ["spec", "template", "spec", "hostNetwork"], True), "hostNetwork"),
    (put(server, ["spec", "template", "spec", "securityContext", "runAsUser"], 0), "runAsUser is not 10001"),
    (put(server, ["spec", "template", "spec", "securityContext", "runAsNonRoot"], None), "runAsNonRoot"),
    (put(server, ["spec", "template", "spec", "securityContext", "seccompProfile"], None), "seccompProfile"),
    (put(server, ["spec", "template", "spec", "securityContext", "fsGroup"], 10002), "fsGroup is not sasld's"),
    (put(server, ["spec", "template", "spec", "securityContext", "fsGroupChangePolicy"], None), "the key file"),
    (put(server, ["spec", "template", "metadata", "labels", "app.kubernetes.io/name"], "x"), "does not select its own pods"),
    (put(server, ["spec", "volumeClaimTemplates", 0, "metadata", "labels", "app.kubernetes.io/version"], "1"),
     "cannot be changed"),
    (put(sasld, ["securityContext", "readOnlyRootFilesystem"], False), "readOnlyRootFilesystem"),
    (put(sasld, ["securityContext", "allowPrivilegeEscalation"], None), "allowPrivilegeEscalation"),
    (put(sasld, ["securityContext", "capabilities"], {"drop": ["ALL"], "add": ["CHOWN"]}), "adds capabilities"),
    (put(sasld, ["securityContext", "capabilities", "drop"], ["NET_RAW"]), "does not drop ALL"),
    (put(adapter, ["securityContext", "runAsGroup"], 10002), "the socket's group is not the adapter's own"),
    (put(adapter, ["securityContext", "runAsUser"], 10001), "runAsUser is not 10002"),
    (put(adapter, ["restartPolicy"], None), "no sidecar"),
    (put(adapter, ["livenessProbe", "exec", "command"], lambda old: [*old, "--ready"]), "livenessProbe: runs"),
    (put(sasld, ["startupProbe"], None), "startupProbe: runs"),
    (put(sasld, ["readinessProbe", "timeoutSeconds"], None), "readinessProbe: timeoutSeconds"),
    (put(sasld, ["resources", "limits"], None), "a limit of memory"),
    (put(sasld, ["resources", "requests", "memory"], "2Gi"), "more memory than its limit"),
    (put(sasld, ["resources", "limits", "memory"], "600Mi"), "too near to the limit"),
    (put(sasld, ["volumeMounts", 0, "name"], "dat"), "which is no volume"),
    (put(sasld, ["volumeMounts", 3, "readOnly"], None), "with write access"),
    (put(sasld, ["volumeMounts", 0, "mountPath"], "/srv"), "the database is on no volume that stays"),
    (put(sasld, ["volumeMounts", 1, "mountPath"], "/srv"), "that it cannot write to"),
    (put(sasld, ["ports", 0, "containerPort"], 4721), "is no port of the container"),
    (put(sasld, ["ports", 0, "name"], "grpc"), "there is no port sasl in StatefulSet/sasld"),
    (put(postfix, ["spec", "template", "metadata", "labels", "sasld-client"], None), "keeps out the adapter"),
    (put(postfix, ["spec", "template", "spec", "containers", 0, "volumeMounts", 0, "readOnly"], None), "only to read"),
    (put(postfix, ["spec", "template", "spec", "containers", 0, "readinessProbe"], None), "has no readinessProbe"),
    (put(postfix, ["spec", "template", "spec", "volumes", 2, "secret", "secretName"], "tls"), "nobody makes the Secret"),
    (put(postfix, ["spec", "template", "spec", "volumes", 2, "secret", "defaultMode"], 0o400), "for everybody"),
    (put(postfix, ["spec", "template", "spec", "volumes", 1, "configMap", "name"], "x"), "there is no ConfigMap x"),
    (put(only("Service"), ["spec", "selector", "app.kubernetes.io/name"], "x"), "Service/sasld: selects nothing"),
    (put(only("Service"), ["metadata", "name"], "auth"), "sasld:4720 is no Service"),
    (put(only("Service"), ["metadata", "labels"], None), "lacks labels"),
    (put(only("PodDisruptionBudget"), ["spec", "selector", "matchLabels"], {"a": "b"}), "selects nothing"),
    (put(only("NetworkPolicy"), ["spec", "egress"], [{}]), "lets sasld reach others"),
    (put(only("NetworkPolicy"), ["spec", "ingress", 0, "from"], []), "lets anybody in"),
    (put(config("sasld"), ["sasld.toml"], text("/etc/sasld/tls/tls.key", "/etc/tls.key")), "is on no Secret"),
    (put(config("adapter"), ["adapter.toml"], text('"0660"', '"0666"')), "for everybody"),
    (put(config("adapter"), ["adapter.toml"], text("sasld:4720", "sasld:4721")), "sasld:4721 is no Service"),
]
METRICS = [
    (put(only("ServiceMonitor"), ["spec", "selector", "matchLabels"], {"a": "b"}), "selects no Service"),
    (put(only("ServiceMonitor"), ["spec", "endpoints", 0, "port"], "http"), "there is no port http in Service/sasld"),
    (put(only("PodMonitor"), ["spec", "podMetricsEndpoints", 0, "port"], "http"), "there is no port http in Deployment"),
    (put(only("PodMonitor"), ["spec", "selector", "matchLabels"], {"a": "b"}), "PodMonitor/sasld-adapter: selects nothing"),
    (put(sasld, ["env", 0, "value"], "[::]:9465"), "and its port for them is"),
    (put(adapter, ["ports"], None), "there is no port sasld-metrics"),
    (put(only("NetworkPolicy"), ["spec", "ingress", 1, "from"], []), "lets anybody in"),
    (put(only("NetworkPolicy"), ["spec", "ingress", 1, "ports"], lambda old: [*old, {"port": "sasl"}]), "more than metrics"),
]
METRICS_SCHEMA = [
    (put(only("ServiceMonitor"), ["spec", "endpoint"], []), "unknown field"),
    (put(only("ServiceMonitor"), ["spec", "endpoints", 0, "port"], 9464), "type"),
    (put(only("PodMonitor"), ["spec", "selector"], None), "required"),
    (put(only("PodMonitor"), ["apiVersion"], "monitoring.coreos.com/v3"), "there is no PodMonitor"),
]
PROGRAMS = [
    (put(config("sasld"), ["sasld.toml"], text("memory_mib", "memory_mb")), 'did you mean "memory_mib"?'),
    (put(config("sasld"), ["sasld.toml"], text("client_ca", "#client_ca")), "a TCP address needs [listen.tls]"),
    (put(config("sasld"), ["sasld.toml"], text("tls/tls.key", "tls/key.pem")), "tls/key.pem cannot be read"),
    (put(config("adapter"), ["adapter.toml"], text("dovecot-auth", "dovecot")), "protocol"),
    (put(sasld, ["env"], [{"name": "SASLD_POLICY_DEFAULT_RELM", "value": "example.org"}]), "SASLD_POLICY_DEFAULT_RELM"),
    (put(adapter, ["env"], [{"name": "SASLD_ADAPTER_LIMITS_IDLE", "value": "1s"}]), "SASLD_ADAPTER_LIMITS_IDLE"),
]


class Mutations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = tools.kustomize("overlays/postfix")
        cls.with_metrics = tools.overlay("metrics", "adapter-metrics")

    def found(self, mutations, findings, whole=None):
        whole = whole or self.whole
        self.assertEqual(list(findings(whole)), [])
        for number, (mutate, expected) in enumerate(mutations):
            with self.subTest(number, expected=expected):
                objects = copy.deepcopy(whole)
                mutate(objects)
                self.assertNotEqual(objects, whole)
                self.assertIn(expected, "\n".join(findings(objects)))

    def test_schemas_find_mistakes(self):
        self.found(SCHEMA, tools.schema_findings)
        self.found(METRICS_SCHEMA, tools.schema_findings, self.with_metrics)

    def test_rules_find_mistakes(self):
        self.found(RULES, checks.rule_findings)
        self.found(METRICS, checks.rule_findings, self.with_metrics)

    def test_programs_find_mistakes(self):
        self.found(PROGRAMS, checks.program_findings)


if __name__ == "__main__":
    tools.main()
