"""Every rendering is what Kubernetes' schemas and our rules ask for, and the programs accept its configuration."""
import json
import re
import shlex
import subprocess
import tempfile
import unittest

import checks
import tools
from model import labels_of, our_containers, program_of


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.renderings = dict(checks.renderings())

    def each(self, findings):
        for name, objects in self.renderings.items():
            with self.subTest(name):
                self.assertEqual(list(findings(objects)), [])

    def test_schemas_of_kubernetes_know_every_field(self):
        self.each(tools.schema_findings)

    def test_rules_hold(self):
        self.each(checks.rule_findings)

    def test_programs_accept_their_configuration(self):
        self.each(checks.program_findings)

    def test_programs_of_ours_are_where_they_should_be(self):
        def found(name):
            return sorted(program_of(container) for _, container in our_containers(self.renderings[name]))
        for name in self.renderings:
            with self.subTest(name):
                self.assertEqual(found(name), ["sasld", "sasld-adapter"] if "postfix" in name else ["sasld"])

    def test_versions_are_this_tree_s(self):
        version = re.search(r"^project\(sasld VERSION (\S+)", (tools.CHECKOUT / "CMakeLists.txt").read_text(), re.M)[1]
        for name, objects in self.renderings.items():
            with self.subTest(name):
                self.assertEqual({labels_of(one).get("app.kubernetes.io/version", version) for one in objects},
                                 {version})
                self.assertEqual({container["image"].rsplit(":", 1)[1] for _, container in our_containers(objects)},
                                 {version})

    def test_certificates_become_the_secrets_that_are_mounted(self):
        with tempfile.TemporaryDirectory(prefix="sasld-kubernetes-") as folder:
            said = subprocess.run([tools.KUSTOMIZE / "make-certificates", f"{folder}/made", "mail"], text=True,
                                  check=True, capture_output=True).stdout
            commands = re.findall(r"^ +kubectl (.*)$", said, re.M)
            made = [json.loads(tools.run("kubectl", *shlex.split(command), "--dry-run=client", "-o", "json"))
                    for command in commands]
        self.assertEqual({(one["metadata"]["namespace"], one["metadata"]["name"], *sorted(one["data"])) for one in made},
                         {("mail", name, "ca.crt", "tls.crt", "tls.key") for name in ("sasld-tls", "sasld-adapter-tls")})

    def test_helm_finds_nothing_either(self):
        self.assertIn("1 chart(s) linted, 0 chart(s) failed", tools.run("helm", "lint", "--strict", tools.CHART))


if __name__ == "__main__":
    tools.main()
