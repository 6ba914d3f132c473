"""The chart and the manifests for kustomize say the same."""
import copy
import re
import tomllib
import unittest

import tools

# What each of the two adds in its own way. A node takes IfNotPresent where nothing is said of an image with a tag.
OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by")
HASH = re.compile(r"(-config)-[a-z0-9]{10}$")


def comparable(objects):
    """The objects by kind and name, without what may differ."""
    return {f"{one['kind']}/{reduced(one['metadata']['name'])}": reduced(one) for one in objects}


def reduced(thing):
    if isinstance(thing, list):
        return [reduced(one) for one in thing]
    if isinstance(thing, str):
        return HASH.sub(lambda found: found[1], thing)
    if not isinstance(thing, dict):
        return thing
    result = {}
    for name, value in thing.items():
        if name in OF_HELM or name.startswith("checksum/") or (name, value) == ("imagePullPolicy", "IfNotPresent"):
            continue
        if name.endswith(".toml"):
            value = tomllib.loads(value)
        result[name] = reduced(value)
        if name in ("volumes", "volumeMounts"):  # their order says nothing
            result[name].sort(key=lambda one: (one["name"], one.get("mountPath")))
        if name == "ports":  # nor does theirs
            result[name].sort(key=lambda one: str(sorted(one.items())))
    # Annotations of which nothing is left, and the label that only tells kustomize where to put the adapter.
    if result.get("annotations") == {}:
        del result["annotations"]
    result.pop("sasld-adapter", None)
    return result


class Drift(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.example = tools.Example()
        cls.addClassCleanup(cls.example.close)
        cls.kustomized = tools.kustomize("overlays/postfix")
        cls.helmed = tools.helm(cls.example.chart)

    def same(self, one, other):
        one, other = comparable(one), comparable(other)
        self.assertEqual(sorted(one), sorted(other))
        for name in one:
            with self.subTest(name):
                self.assertEqual(one[name], other[name])

    def test_postfix_with_its_adapter_and_sasld(self):
        self.same(self.kustomized, self.helmed)

    def test_key_from_a_secret(self):
        def server(objects):
            return [one for one in objects if one["kind"] == "StatefulSet"]
        self.same(server(tools.component("key-from-secret")), [
            {**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "namespace"}}
            for one in server(tools.helm(tools.CHART, values={"key": {"secretName": "sasld-key"}}))])

    def test_metrics_and_their_monitors(self):
        values = {"metrics": {"enabled": True, "monitors": {"enabled": True}}}
        self.same(tools.overlay("metrics", "adapter-metrics"), tools.helm(self.example.chart, values={"sasld": values}))

    def test_a_difference_is_noticed(self):
        other = copy.deepcopy(self.helmed)
        pod = next(one for one in other if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]
        pod["terminationGracePeriodSeconds"] += 1
        self.assertNotEqual(comparable(self.helmed), comparable(other))
        other = copy.deepcopy(self.helmed)
        config = next(one for one in other if "sasld.toml" in one.get("data", {}))["data"]
        config["sasld.toml"] = config["sasld.toml"].replace("memory_mib = 512", "memory_mib = 513")
        self.assertNotEqual(comparable(self.helmed), comparable(other))


if __name__ == "__main__":
    tools.main()
