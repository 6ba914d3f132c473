"""What each pod and each container must have, beyond what Kubernetes' schemas ask for."""
from model import OURS, WORKLOADS, containers_of, context, labels_of, mebibytes, name_of, of_kind, pod_of
from model import program_of, volumes_of

# sasld health gives up after 3 seconds.
PROBE_SECONDS = 4


def findings(objects):
    for workload in of_kind(objects, *WORKLOADS):
        for what in _of_workload(workload):
            yield f"{name_of(workload)}: {what}"


def _of_workload(workload):
    pod, ours = pod_of(workload), [program_of(one) for one in containers_of(workload) if program_of(one)]
    if pod.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken is not false"
    if ours and pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false, so Services' variables mix with the configuration"
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(key):
            yield f"{key} is set"
    if "sasld" in ours:
        yield from _of_server(workload)
    if pod.get("securityContext", {}).get("fsGroup") and (
            pod["securityContext"].get("fsGroupChangePolicy") != "OnRootMismatch"):
        yield "fsGroupChangePolicy is not OnRootMismatch, so the key file becomes readable for the group"
    yield from _of_mounts(workload)
    for container in containers_of(workload):
        for what in _of_container(workload, container):
            yield f"{container['name']}: {what}"


def _of_server(workload):
    spec = workload["spec"]
    if workload["kind"] != "StatefulSet" or spec.get("replicas") != 1:
        yield "one sasld at a time uses a SQLite database: it must be a StatefulSet with one replica"
    if spec.get("updateStrategy", {}).get("type") != "RollingUpdate":
        yield "updateStrategy is not RollingUpdate"
    if not pod_of(workload).get("terminationGracePeriodSeconds", 0) >= 10:
        yield "terminationGracePeriodSeconds leaves less than 10 s to end"
    if pod_of(workload).get("securityContext", {}).get("fsGroup") != OURS["sasld"][0]:
        yield "fsGroup is not sasld's group, so its volume would be root's"
    for claim in spec.get("volumeClaimTemplates", []):
        if not labels_of(claim).items() <= spec["selector"]["matchLabels"].items():
            yield "a volumeClaimTemplate cannot be changed, so it must have no label but the selector's"


def _of_mounts(workload):
    volumes, used = volumes_of(workload), set()
    for container in containers_of(workload):
        for mount in container.get("volumeMounts", []):
            used.add(mount["name"])
            if mount["name"] not in volumes:
                yield f"{container['name']} mounts {mount['name']}, which is no volume"
            elif not mount.get("readOnly") and {"configMap", "secret"} & volumes[mount["name"]].keys():
                yield f"{container['name']} mounts {mount['name']} with write access"
    for name in sorted(volumes.keys() - used):
        yield f"nobody mounts the volume {name}"


def _of_container(workload, container):
    own = container.get("securityContext", {})
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "does not drop ALL capabilities"
    if (context(workload, container, "seccompProfile") or {}).get("type") != "RuntimeDefault":
        yield "seccompProfile is not RuntimeDefault"
    if own.get("privileged"):
        yield "is privileged"
    yield from _of_resources(container.get("resources", {}))
    if program_of(container):
        yield from _of_ours(workload, container)
    elif "readinessProbe" not in container:
        yield "has no readinessProbe"


def _of_resources(resources):
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    if not {"cpu", "memory"} <= requests.keys() or "memory" not in limits:
        yield "wants requests of cpu and memory, and a limit of memory"
    elif mebibytes(requests["memory"]) > mebibytes(limits["memory"]):
        yield "requests more memory than its limit"


def _of_ours(workload, container):
    user, program = OURS[program_of(container)]
    if context(workload, container, "runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if context(workload, container, "runAsUser") != user:
        yield f"runAsUser is not {user}"
    if not context(workload, container, "runAsGroup"):
        yield "has no runAsGroup, so its group is the image's or root"
    if container["securityContext"].get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not true"
    if container["securityContext"]["capabilities"].get("add"):
        yield "adds capabilities"
    if container.get("command") != [program]:
        yield f"command is not {program}"
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        for what in _of_probe(container, kind):
            yield f"{kind}: {what}"
    if container in pod_of(workload).get("initContainers", []) and container.get("restartPolicy") != "Always":
        yield "is no sidecar without restartPolicy: Always, and the pod would wait for its end"


def _of_probe(container, kind):
    probe = container.get(kind, {})
    command = probe.get("exec", {}).get("command", [])
    expected = [*container.get("command", []), "health", *container.get("args", [])]
    asks_sasld = kind == "readinessProbe" and command[-1:] == ["--ready"]
    if (command[:-1] if asks_sasld else command) != expected:
        yield f"runs {command}, not {expected}"
    if probe.get("timeoutSeconds", 1) < PROBE_SECONDS:
        yield f"timeoutSeconds is below {PROBE_SECONDS}, and the program's own answer would come too late"
