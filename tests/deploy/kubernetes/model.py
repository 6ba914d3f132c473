"""Objects of Kubernetes as the rules see them: workloads, pods, containers, and who selects whom."""

WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet")
# The user and the program of each image of ours.
OURS = {"sasld": (10001, "/usr/sbin/sasld"), "sasld-adapter": (10002, "/usr/sbin/sasld-adapter")}


def name_of(thing):
    return f"{thing['kind']}/{thing['metadata']['name']}"


def of_kind(objects, *kinds):
    return [one for one in objects if one["kind"] in kinds]


def labels_of(thing):
    return thing["metadata"].get("labels", {})


def pod_of(workload):
    return workload["spec"]["template"]["spec"]


def containers_of(workload):
    pod = pod_of(workload)
    return pod.get("initContainers", []) + pod["containers"]


def program_of(container):
    """sasld or sasld-adapter; nothing for a container of others."""
    image = container["image"].rsplit("/", 1)[-1].split(":")[0]
    return image if image in OURS else None


def our_containers(objects):
    return [(workload, container) for workload in of_kind(objects, *WORKLOADS)
            for container in containers_of(workload) if program_of(container)]


def selected(objects, labels):
    """The workloads whose pods a selector finds."""
    return [workload for workload in of_kind(objects, *WORKLOADS)
            if labels.items() <= labels_of(workload["spec"]["template"]).items()]


def volumes_of(workload):
    """By name: the volumes of its pods, those of its claim templates among them."""
    volumes = {volume["name"]: volume for volume in pod_of(workload).get("volumes", [])}
    for claim in workload["spec"].get("volumeClaimTemplates", []):
        volumes[claim["metadata"]["name"]] = {"claim": claim}
    return volumes


def mount_at(workload, container, path):
    """The volume and the mount that a path in a container lies on; both empty where that is the root."""
    best = None
    for mount in container.get("volumeMounts", []):
        at = mount["mountPath"]
        if (path == at or path.startswith(at.rstrip("/") + "/")) and (
                best is None or len(at) > len(best["mountPath"])):
            best = mount
    return (volumes_of(workload).get(best["name"], {}), best) if best else ({}, {})


def context(workload, container, key):
    """A setting of the security context; a pod's is its containers'."""
    own = container.get("securityContext", {})
    return own.get(key, pod_of(workload).get("securityContext", {}).get(key))


def mebibytes(quantity):
    for suffix, factor in (("Ki", 1 / 1024), ("Mi", 1), ("Gi", 1024)):
        if str(quantity).endswith(suffix):
            return float(quantity[:-2]) * factor
    return float(quantity) / 2**20
