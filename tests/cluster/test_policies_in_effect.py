"""The chart's NetworkPolicies in effect: kube-router enforces them, and each connection is tried.

`test_network_policies.py` reads what is rendered; here the kernel answers. `make e2e` tries the
same between real pods.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chart import Object, rendered
from tests.support.connections import (
    COMPONENTS,
    GATEWAYS_REACH,
    KUBERNETES_CALLERS,
    MONITORING_REACHES,
    NEEDED,
    PORTS,
)
from tests.support.controlplane import ControlPlane
from tests.support.policed import PolicedNode, Target, policed_node, why_not
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]

OUTSIDE, KUBERNETES, MAIL = "203.0.113.7", 6443, 25
"""A host outside the cluster, where the Kubernetes API and a mail server listen."""
STRANGERS = {
    "stranger": None,
    "elsewhere": "elsewhere",
    "monitoring": "monitoring",
    "gateway": "envoy-gateway-system",
}
"""Pods without labels of the release, by their namespace; without one, in the release's."""
_PLAYS, _DNS = "test.example.org/plays", 53


class Place:
    """A release's pods, and strangers, on a node."""

    def __init__(self, plane: ControlPlane, node: PolicedNode) -> None:
        self._plane, self.node = plane, node
        self._pods: list[Object] = []
        self.address: dict[str, str] = {}

    def plan(self, component: str, labels: dict[str, str], namespace: str) -> None:
        """Remember a pod to start."""
        name = f"{component}-{secrets.token_hex(3)}"
        metadata = {"name": name, "namespace": namespace, "labels": {**labels, _PLAYS: component}}
        spec = {"containers": [{"name": "main", "image": "none"}]}
        self._pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def start(self) -> None:
        """Start what is planned; all pods listen on all ports, so that policies alone decide."""
        self._plane.apply(*self._pods)
        self.address = wait_until(self._addresses)
        for address in self.address.values():
            self.node.add(address, sorted({*PORTS.values(), _DNS}))

    def stop(self) -> None:
        """Remove the pods."""
        for pod in self._pods:
            metadata = pod["metadata"]
            where = ("-n", metadata["namespace"], "--wait=false")
            self._plane.run("delete", "pod", metadata["name"], *where, check=False)

    def passing(self) -> dict[str, set[str]]:
        """Return who reaches whom."""
        targets = [Target(name, self.address[name], port) for name, port in PORTS.items()]
        targets.append(Target("dns", self.address["dns"], _DNS))
        targets.append(Target("kubernetes", OUTSIDE, KUBERNETES))
        targets.append(Target("mail", OUTSIDE, MAIL))
        return {
            source: self.node.reached(address, [one for one in targets if one.name != source])
            for source, address in self.address.items()
            if source != "dns"
        }

    def _addresses(self) -> dict[str, str]:
        """Return the pods' addresses by what they play, once all have one."""
        names = {pod["metadata"]["name"] for pod in self._pods}
        found = {
            pod["metadata"]["labels"][_PLAYS]: str(pod["status"].get("podIP", ""))
            for pod in self._plane.get("pods", "-A", "-l", _PLAYS)["items"]
            if pod["metadata"]["name"] in names
        }
        return found if len(found) == len(names) and all(found.values()) else {}


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Place]:
    with cluster.namespace() as namespace, policed_node(cluster, tmp_path) as node:
        objects = rendered("trial", "--set", "pipeline.engine=cronjob", namespace=namespace)
        made = Place(cluster, node)
        node.add(OUTSIDE, [KUBERNETES, MAIL])
        labels = labels_of(objects)
        for component in [*COMPONENTS, "postgresql", "seaweedfs"]:
            made.plan(component, labels[component], namespace)
        for name, where in STRANGERS.items():
            if where is not None:
                cluster.run("create", "namespace", where, check=False)
            made.plan(name, {}, where or namespace)
        made.plan("dns", {"k8s-app": "kube-dns"}, "kube-system")
        cluster.apply(*(found for found in objects if found["kind"] == "NetworkPolicy"))
        try:
            made.start()
            yield made
        finally:
            made.stop()


def labels_of(objects: list[Object]) -> dict[str, dict[str, str]]:
    """Return the labels that the chart gives to the pods of each component."""
    templates = [template for found in objects for template in templates_in(found)]
    labels: list[dict[str, str]] = [one["metadata"].get("labels", {}) for one in templates]
    return {one["app.kubernetes.io/component"]: one for one in labels if one}


def templates_in(found: Object) -> Iterator[Object]:
    """Yield the pod templates in an object."""
    kind = found["kind"]
    if kind == "Pod":
        yield found
    elif kind == "CronJob":
        yield found["spec"]["jobTemplate"]["spec"]["template"]
    elif kind in {"Deployment", "StatefulSet", "Job"}:
        yield found["spec"]["template"]
    elif kind == "ConfigMap" and "pod.json" in found["data"]:
        yield json.loads(found["data"]["pod.json"])


def expected(source: str) -> set[str]:
    """Return what a pod has to reach, and nothing else."""
    if source in STRANGERS:
        more = {"monitoring": MONITORING_REACHES, "gateway": GATEWAYS_REACH}
        return {"dns", "kubernetes", "mail"} | more.get(source, set())
    reached = {target for component, target in NEEDED if component == source}
    return reached | {"dns"} | ({"kubernetes"} if source in KUBERNETES_CALLERS else set())


def test_exactly_the_needed_connections_come_about(place: Place) -> None:
    everything = {*PORTS, "dns", "kubernetes", "mail"}
    sources = place.address.keys() - {"dns"}
    free = {source: everything - {source} for source in sources}
    # A single try may be lost while the node's network settles.
    wait_until(lambda: place.passing() == free, lambda: ("nothing is enforced", place.passing()))
    wanted = {source: expected(source) for source in sources}
    with place.node.enforcing():
        wait_until(lambda: place.passing() == wanted, lambda: (place.passing(), place.node.said()))
        assert place.passing() == wanted
