"""The NetworkPolicies in effect: real pods try each connection; only the needed ones come about.

kube-router enforces them on both nodes. What runs as a Job alone, and strangers, are stood in for
by pods with the same labels.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from tests.e2e.cluster import Cluster
from tests.e2e.shell import say, wait_for
from tests.support.connections import (
    GATEWAYS_REACH,
    KUBERNETES_CALLERS,
    MONITORING_REACHES,
    NEEDED,
    PORTS,
)

IMAGE = "ghcr.io/antispam-shield/api:0.1.0"
_NAME = "app.kubernetes.io/component"
_PART = "antispamshield.io/part-of-test=policies"
_JOBS = ("pipeline", "migrate", "keys", "bucket", "test")
_STRANGERS = {"stranger": None, "elsewhere": "elsewhere", "monitoring": "monitoring"}
_OPEN = {"kubernetes": ("10.96.0.1", 443), "dns": ("10.96.0.10", 53)}
_TRY = """
import concurrent.futures, json, socket, sys
def reached(target):
    try:
        socket.create_connection(target[1:], 3).close()
    except OSError:
        return None
    return target[0]
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps([found for found in pool.map(reached, targets) if found]))
"""


@dataclass(frozen=True)
class Pod:
    """A pod that runs, and what it stands for."""

    component: str
    namespace: str
    name: str
    address: str
    node: str


def check(cluster: Cluster, release: str, gateway_namespace: str) -> None:
    """Try every connection between the pods of a release and strangers.

    Args:
        cluster: The cluster.
        release: Name of the release and of its namespace.
        gateway_namespace: Where the gateway's pods run.
    """
    strangers = {**_STRANGERS, "gateway": gateway_namespace}
    own = {namespace for namespace in _STRANGERS.values() if namespace}
    for namespace in sorted(own):
        cluster.kubectl("create", "namespace", namespace)
    stands = [(name, where or release) for name, where in strangers.items()]
    stands += [(job, release) for job in _JOBS]
    for name, namespace in stands:
        pod = _stand_in(name, namespace, release if name in _JOBS else None)
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(pod))
    for namespace in sorted({namespace for _, namespace in stands}):
        ready = ("wait", "pods", "-l", _PART, "--for=condition=Ready", "--timeout=120s")
        cluster.kubectl("-n", namespace, *ready)
    sources = [*_running(cluster, release), *_stand_ins(cluster)]
    targets = [pod for pod in sources if pod.component in PORTS]
    expected = {pod: _expected(pod, targets) for pod in sources}
    tries = sum(len(targets) + len(_OPEN) - (pod in targets) for pod in sources)
    # Policies follow a new pod within a second or two; what they say must then hold.
    wait_for("the policies' effect", lambda: not _differing(cluster, expected, targets), 60)
    differing = _differing(cluster, expected, targets)
    assert not differing, "\n".join(differing)
    say(
        f"NetworkPolicies hold: {tries} connections tried between {len(sources)} pods on "
        f"{len({pod.node for pod in sources})} nodes, and exactly those that are needed came about"
    )
    for namespace in sorted({namespace for _, namespace in stands}):
        cluster.kubectl("-n", namespace, "delete", "pods", "-l", _PART, "--wait=true")
    for namespace in sorted(own):
        cluster.kubectl("delete", "namespace", namespace)


def _expected(source: Pod, targets: Iterable[Pod]) -> set[str]:
    if source.component in ("stranger", "elsewhere"):
        reach: set[str] = set()
    elif source.component == "gateway":
        reach = GATEWAYS_REACH
    elif source.component == "monitoring":
        reach = MONITORING_REACHES
    else:
        reach = {target for component, target in NEEDED if component == source.component}
    found = {target.name for target in targets if target.component in reach and target != source}
    # No policy selects strangers: that they get out to these shows that a try can succeed.
    found.add("dns")
    if source.component in (*_STRANGERS, "gateway", *KUBERNETES_CALLERS):
        found.add("kubernetes")
    return found


def _differing(
    cluster: Cluster, expected: dict[Pod, set[str]], targets: Iterable[Pod]
) -> list[str]:
    said = []
    for source, wanted in expected.items():
        tried = [
            (target.name, target.address, PORTS[target.component])
            for target in targets
            if target != source
        ] + [(name, *address) for name, address in _OPEN.items()]
        command = ("exec", source.name, "--", "python3", "-c", _TRY, json.dumps(tried))
        reached = set(json.loads(cluster.kubectl("-n", source.namespace, *command)))
        if more := reached - wanted:
            said.append(f"{source.name} ({source.component}) reaches {', '.join(sorted(more))}")
        if less := wanted - reached:
            said.append(f"{source.name} ({source.component}) misses {', '.join(sorted(less))}")
    return said


def _running(cluster: Cluster, release: str) -> list[Pod]:
    """Return the release's pods that answer or connect all the time."""
    names = ",".join(sorted({*PORTS}))
    chosen = f"app.kubernetes.io/instance={release},{_NAME} in ({names})"
    return _pods(cluster, "-n", release, "-l", chosen)


def _stand_ins(cluster: Cluster) -> list[Pod]:
    return _pods(cluster, "-A", "-l", _PART)


def _pods(cluster: Cluster, *chosen: str) -> list[Pod]:
    running = "--field-selector=status.phase=Running"
    found = json.loads(cluster.kubectl("get", "pods", *chosen, running, "-o", "json"))["items"]
    return [
        Pod(
            pod["metadata"]["labels"].get(_NAME, pod["metadata"]["name"]),
            pod["metadata"]["namespace"],
            pod["metadata"]["name"],
            pod["status"]["podIP"],
            pod["spec"]["nodeName"],
        )
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
    ]


def _stand_in(name: str, namespace: str, release: str | None) -> dict[str, object]:
    labels = dict([_PART.split("=")])
    if release is not None:
        labels |= {
            "app.kubernetes.io/name": "antispam-shield",
            "app.kubernetes.io/instance": release,
            _NAME: name,
        }
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "stand-in",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", "import time; time.sleep(86400)"],
        "securityContext": security,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        },
    }
