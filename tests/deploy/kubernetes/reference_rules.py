"""What objects say of each other: selectors, ports, names, and the configuration inside ConfigMaps."""
import tomllib

from model import WORKLOADS, containers_of, context, labels_of, mebibytes, mount_at, name_of, of_kind
from model import our_containers, pod_of, program_of, selected

# What the README has the reader make.
SECRETS_OF_THE_READER = {"sasld-tls", "sasld-adapter-tls", "sasld-key"}
RECOMMENDED = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "version", "component", "part-of")}


def findings(objects, secrets=SECRETS_OF_THE_READER):
    for thing in objects:
        for what in (*_of_labels(thing), *_of_object(objects, thing)):
            yield f"{name_of(thing)}: {what}"
    for workload in of_kind(objects, *WORKLOADS):
        for what in _of_volumes(objects, workload, secrets):
            yield f"{name_of(workload)}: {what}"
    for workload, container in our_containers(objects):
        for what in _of_configuration(objects, workload, container):
            yield f"{name_of(workload)}: {container['name']}: {what}"


def configuration_of(objects, workload, container):
    """The text of the file that its arguments name."""
    path = container["args"][-1]
    volume, mount = mount_at(workload, container, path)
    (config,) = [one for one in of_kind(objects, "ConfigMap")
                 if one["metadata"]["name"] == volume["configMap"]["name"]]
    return config["data"][mount.get("subPath", path.rsplit("/", 1)[-1])]


def _of_labels(thing):
    labels = labels_of(thing)
    if thing["kind"] != "Deployment" and (
            not RECOMMENDED <= labels.keys() or labels["app.kubernetes.io/part-of"] != "sasld"):
        yield f"lacks labels of {sorted(RECOMMENDED)}"


def _of_object(objects, thing):
    spec = thing.get("spec", {})
    if thing["kind"] in WORKLOADS and thing not in selected(objects, spec["selector"]["matchLabels"]):
        yield "does not select its own pods"
    if thing["kind"] == "StatefulSet" and not [one for one in of_kind(objects, "Service")
                                               if one["metadata"]["name"] == spec["serviceName"]]:
        yield f"there is no Service {spec['serviceName']}"
    if thing["kind"] == "PodDisruptionBudget" and not selected(objects, spec["selector"]["matchLabels"]):
        yield "selects nothing"
    if thing["kind"] == "Service":
        yield from _of_ports(selected(objects, spec["selector"]), [one["targetPort"] for one in spec["ports"]])
    if thing["kind"] == "ServiceMonitor":
        yield from _of_service_monitor(objects, spec)
    if thing["kind"] == "PodMonitor":
        if of_kind(objects, "Deployment"):  # a chart for the pods of others has none of its own
            yield from _of_ports(selected(objects, spec["selector"]["matchLabels"]),
                                 [one["port"] for one in spec["podMetricsEndpoints"]])
    if thing["kind"] == "NetworkPolicy":
        yield from _of_ports(selected(objects, spec["podSelector"]["matchLabels"]),
                             [port["port"] for rule in spec["ingress"] for port in rule["ports"]])
        yield from _of_clients(objects, spec)


def _of_service_monitor(objects, spec):
    services = [one for one in of_kind(objects, "Service")
                if spec["selector"]["matchLabels"].items() <= labels_of(one).items()]
    if not services:
        yield "selects no Service"
    for service in services:
        ports = {port["name"]: port["port"] for port in service["spec"]["ports"]}
        for endpoint in spec["endpoints"]:
            if endpoint["port"] not in ports:
                yield f"there is no port {endpoint['port']} in {name_of(service)}"


def _of_ports(workloads, names):
    if not workloads:
        yield "selects nothing"
    for workload in workloads:
        ports = {port["name"] for one in containers_of(workload) for port in one.get("ports", [])}
        for name in names:
            if name not in ports:
                yield f"there is no port {name} in {name_of(workload)}"


def _of_clients(objects, spec):
    if set(spec["policyTypes"]) != {"Ingress", "Egress"} or spec.get("egress"):
        yield "lets sasld reach others"
    allowed = [peer["podSelector"]["matchLabels"] for rule in spec["ingress"] for peer in rule.get("from", [])
               if "podSelector" in peer]
    if not allowed or any(not rule.get("from") for rule in spec["ingress"]):
        yield "lets anybody in"
    if any(len(rule["ports"]) != 1 for rule in spec["ingress"]):
        yield "lets those who scrape reach more than metrics, or clients more than sasl"
    for workload, container in our_containers(objects):
        if program_of(container) == "sasld-adapter" and not any(
                workload in selected(objects, labels) for labels in allowed):
            yield f"keeps out the adapter of {name_of(workload)}"


def _of_volumes(objects, workload, secrets):
    group = pod_of(workload).get("securityContext", {}).get("fsGroup")
    maps = {one["metadata"]["name"] for one in of_kind(objects, "ConfigMap")}
    for volume in pod_of(workload).get("volumes", []):
        if "configMap" in volume and volume["configMap"]["name"] not in maps:
            yield f"there is no ConfigMap {volume['configMap']['name']}"
        if "secret" in volume:
            if volume["secret"]["secretName"] not in secrets:
                yield f"nobody makes the Secret {volume['secret']['secretName']}"
            if volume["secret"].get("defaultMode") != (0o440 if group else 0o444):
                yield f"the Secret's files of {volume['name']} must be for fsGroup, or without one for everybody"
            if len([one for one in containers_of(workload) for mount in one.get("volumeMounts", [])
                    if mount["name"] == volume["name"]]) > 1:
                yield f"more than one container sees the Secret of {volume['name']}"


def _of_configuration(objects, workload, container):
    try:
        config = tomllib.loads(configuration_of(objects, workload, container))
    except (KeyError, TypeError, ValueError) as wrong:
        yield f"its configuration is not where its arguments say: {wrong!r}"
        return
    tls = config["listen"]["tls"] if program_of(container) == "sasld" else config["server"]["tls"]
    for path in tls.values():
        if "secret" not in mount_at(workload, container, path)[0]:
            yield f"{path} is on no Secret"
    yield from _of_metrics(container)
    if program_of(container) == "sasld":
        yield from _of_server(workload, container, config)
    else:
        yield from _of_adapter(objects, workload, container, config)


def _of_metrics(container):
    listens = [one["value"] for one in container.get("env", []) if one["name"].endswith("_METRICS_LISTEN")]
    ports = [f"[::]:{one['containerPort']}" for one in container.get("ports", []) if one["name"].endswith("metrics")]
    if listens != ports:
        yield f"serves metrics at {listens}, and its port for them is {ports}"


def _of_server(workload, container, config):
    if "claim" not in mount_at(workload, container, config["store"]["url"].removeprefix("sqlite:"))[0]:
        yield "the database is on no volume that stays"
    key = {one["name"]: one["value"] for one in container.get("env", [])}.get(
        "SASLD_KEYS_FILE", config["keys"]["file"])
    if not {"claim", "secret"} & mount_at(workload, container, key)[0].keys():
        yield "the key file is on no volume that stays"
    for address in config["listen"]["sasl"] + config["listen"]["admin"]:
        if address.startswith("unix:"):
            if "emptyDir" not in mount_at(workload, container, address.removeprefix("unix:"))[0]:
                yield f"{address} is on a filesystem that it cannot write to"
        elif int(address.rsplit(":", 1)[1]) not in [port["containerPort"] for port in container["ports"]]:
            yield f"{address} is no port of the container"
    limit = container["resources"].get("limits", {}).get("memory", "0")
    if config["hashing"]["memory_mib"] + 128 > mebibytes(limit):
        yield "[hashing] memory_mib comes too near to the limit of memory"


def _of_adapter(objects, workload, container, config):
    services = [(one["metadata"]["name"], port["port"]) for one in of_kind(objects, "Service")
                for port in one["spec"]["ports"]]
    for address in config["server"]["addresses"]:
        host, port = address.rsplit(":", 1)
        if services and (host.split(".")[0], int(port)) not in services:
            yield f"{address} is no Service"
    for listen in config["listen"]:
        if int(listen["group"]) != context(workload, container, "runAsGroup"):
            yield "the socket's group is not the adapter's own, so it could not give it"
        if int(listen["mode"], 8) & 0o007:
            yield "the socket is for everybody"
        volume, _ = mount_at(workload, container, listen["path"])
        others = [mount for one in containers_of(workload) if one is not container
                  for mount in one.get("volumeMounts", []) if mount["name"] == volume.get("name")]
        if "emptyDir" not in volume or len(others) != 1 or not others[0].get("readOnly"):
            yield "the socket must be on an emptyDir that one other container mounts, and only to read"
