"""What Prometheus would get of sasld and sasld-adapter, and what of it has changed."""
import pathlib
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from unpacked import unpack

PATIENCE = 30


def scrape(port):
    """The text at /metrics. Fails unless it comes as the format's own type."""
    # Without the proxies of the environment.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as reply:
        kind = reply.headers["Content-Type"]
        assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
        return reply.read().decode()


def families(text):
    """Each family by its name, as README.md has it; counters with _total, which the parser takes off."""
    return {family.name + ("_total" if family.type == "counter" else ""): family
            for family in text_string_to_metric_families(text)}


class Counts:
    """All that only ever grows, by name and labels: counters, and how many a histogram has seen."""

    def __init__(self, text):
        self.values = {}
        for family in families(text).values():
            for sample in family.samples:
                if family.type == "counter" or sample.name.endswith("_count"):
                    labels = " ".join(sample.labels[name] for name in sorted(sample.labels)
                                      if name not in ("listener", "protocol"))
                    self.values[f"{sample.name} {labels}".strip()] = sample.value

    def since(self, before):
        """What has grown, and by how much."""
        assert self.values.keys() == before.values.keys(), "a series came or went"
        return {name: value - before.values[name] for name, value in self.values.items()
                if value != before.values[name]}


def gauges(text):
    return {name: {tuple(sorted(sample.labels.items())): sample.value for sample in family.samples}
            for name, family in families(text).items() if family.type == "gauge"}


def promtool(peers):
    """Prometheus' own checker, from its package; the server in it is not started."""
    return pathlib.Path(unpack(peers, "prometheus", ["prometheus"]), "usr/bin/promtool")


def listening_tcp(pid):
    """How many TCP sockets the process listens on."""
    inodes = set()
    for table in "tcp", "tcp6":
        for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":  # LISTEN
                inodes.add(f"socket:[{fields[9]}]")
    return sum(str(link.readlink()) in inodes for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
