"""The chart's values: each is told, checked, and does what it says."""
import json
import unittest

import yaml

import checks
import tools
from model import of_kind, pod_of

VALUES = tools.CHART / "values.yaml"

# A mistake, and what helm says of it.
REFUSED = [
    ({"replicas": 2}, "replicas"),
    ({"image": {"repositry": "x"}}, "repositry"),
    ({"service": {"port": 0}}, "port"),
    ({"hashing": {"memoryMib": "much"}}, "memoryMib"),
    ({"persistence": {"accessMode": "ReadWriteMany"}}, "accessMode"),
    ({"settings": {"LOG_LEVEL": "debug"}}, "LOG_LEVEL"),
    ({"settings": {"SASLD_ADAPTER_LOG_LEVEL": "debug"}}, "SASLD_ADAPTER_LOG_LEVEL"),
    ({"adapter": {"postfixGid": 0}}, "postfixGid"),
    ({"adapter": {"settings": {"SASLD_LOG_LEVEL": "debug"}}}, "SASLD_LOG_LEVEL"),
    ({"tls": {"secretName": ""}}, "secretName"),
    ({"metrics": {"port": "9464"}}, "port"),
    ({"metrics": {"from": []}}, "from"),
    ({"metrics": {"monitor": {}}}, "monitor"),
    ({"podDisruptionBudget": {"maxUnavailable": 2}}, "maxUnavailable"),
]


def paths(values, before=()):
    for name, value in values.items():
        yield (*before, name)
        if isinstance(value, dict):
            yield from paths(value, (*before, name))


class Values(unittest.TestCase):
    def test_mistakes_are_refused(self):
        for values, named in REFUSED:
            with self.subTest(named):
                said = tools.run("helm", "template", "sasld", tools.CHART, "--values", "-", given=json.dumps(values),
                                 status=1)
                self.assertIn("values don't meet the specifications of the schema", said)
                self.assertIn(named, said)

    def test_schema_knows_every_value_and_no_other(self):
        def known(schema, before=()):
            for name, one in schema.get("properties", {}).items():
                yield (*before, name)
                yield from known(one, (*before, name))
        schema = json.loads((tools.CHART / "values.schema.json").read_text())
        free = {("adapter", "resources"), ("resources",)}  # as in a pod
        values = {path for path in paths(yaml.safe_load(VALUES.read_text()))
                  if not any(path[:len(one)] == one and len(path) > len(one) for one in free)}
        self.assertEqual(set(known(schema)) - {("global",)}, values)

    def test_every_value_has_a_comment(self):
        told = set()  # the depths of comments in this paragraph; each speaks for what is below or beside it
        for line in VALUES.read_text().splitlines():
            depth = len(line) - len(line.lstrip())
            if not line.strip():
                told = set()
            elif line.lstrip().startswith("#"):
                told.add(depth)
            else:
                told = {one for one in told if one <= depth}
                if not line.endswith(":"):
                    self.assertTrue(told, f"no comment says what this is: {line}")

    def test_every_value_changes_something(self):
        before = tools.helm(tools.CHART)
        leaves = [("networkPolicy", {"enabled": False}), ("podDisruptionBudget", {"enabled": False}),
                  ("podDisruptionBudget", {"maxUnavailable": 0}), ("adapter", {"enabled": False}),
                  ("nameOverride", "auth"), ("terminationGracePeriodSeconds", 60), ("hashing", {"memoryMib": 256}),
                  ("tls", {"secretName": "other"}), ("image", {"repository": "r"}), ("image", {"tag": "1"}),
                  ("image", {"pullPolicy": "Always"}), ("resources", {"limits": {"memory": "2Gi"}}),
                  ("persistence", {"size": "2Gi"}), ("metrics", {"enabled": True})]
        leaves += [(name, value) for name, value in checks.OTHER_VALUES.items() if name != "adapter"]
        for name, value in leaves:
            with self.subTest(name, value=value):
                self.assertNotEqual(tools.helm(tools.CHART, values={name: value}), before)

    def test_names_stay_within_bounds(self):
        for release in ("a", "mail", "m" * 53):
            with self.subTest(release):
                objects = tools.helm(tools.CHART, release=release)
                (server,) = of_kind(objects, "StatefulSet")
                self.assertLessEqual(len(server["metadata"]["name"]), 48)
                self.assertIn("sasld", server["metadata"]["name"] + pod_of(server)["containers"][0]["name"])
                self.assertEqual(checks.rule_findings(objects), [])

    def test_notes_name_what_is_to_be_made(self):
        said = tools.run("helm", "install", "mail", tools.CHART, "--dry-run=client", "--namespace", "post",
                         "--set", "key.secretName=sasld-key")
        for part in ("mail-sasld.post.svc:4720", "Secret sasld-tls", "Secret sasld-key", "Secret sasld-adapter-tls",
                     "kubectl -n post exec -it mail-sasld-0 -- saslctl user add", 'mail-sasld-client: "true"'):
            self.assertIn(part, said)


if __name__ == "__main__":
    tools.main()
