"""Who may talk to whom: the rendered NetworkPolicies, read as Kubernetes reads them.

`make e2e` tries the same connections between real pods.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.chart import Object, one, rendered
from tests.support.connections import (
    COMPONENTS,
    GATEWAYS_REACH,
    KUBERNETES_CALLERS,
    MONITORING_REACHES,
    NEEDED,
    PORTS,
)

pytestmark = pytest.mark.xdist_group("cluster")
NS = "shield"


@dataclass(frozen=True)
class Pod:
    """One end of a connection."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = NS


def ours(component: str) -> Pod:
    names = {"name": "antispam-shield", "instance": "antispam-shield", "component": component}
    return Pod({f"app.kubernetes.io/{key}": value for key, value in names.items()})


def step(namespace: str = NS) -> Pod:
    """A pod of Kubeflow Pipelines, with the labels that our compiled pipeline gives it."""
    return Pod({"antispamshield.io/api-token": "true", "pipeline/runid": "1"}, namespace)


OUTSIDE = Pod({}, "elsewhere")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system")


class Policies:
    """All NetworkPolicies of a rendering."""

    def __init__(self, objects: list[Object]) -> None:
        self._all = [found for found in objects if found["kind"] == "NetworkPolicy"]

    def allow(self, source: Pod, target: Pod, port: int) -> bool:
        """Tell whether a connection passes both ends."""
        return self._passes("Egress", source, target, port) and self._passes(
            "Ingress", target, source, port
        )

    def _passes(self, direction: str, subject: Pod, peer: Pod, port: int) -> bool:
        side, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        selected = [
            found["spec"]
            for found in self._all
            if found["metadata"]["namespace"] == subject.namespace
            and direction in found["spec"]["policyTypes"]
            and _selects(found["spec"]["podSelector"], subject.labels)
        ]
        if not selected:  # no policy: open
            return True
        return any(
            ("ports" not in rule or port in {entry["port"] for entry in rule["ports"]})
            and (peers not in rule or any(_is(entry, peer) for entry in rule[peers]))
            for spec in selected
            for rule in spec.get(side) or []
        )


def _is(entry: Object, peer: Pod) -> bool:
    names = {"kubernetes.io/metadata.name": peer.namespace}
    if "namespaceSelector" in entry:
        if not _selects(entry["namespaceSelector"], names):
            return False
    elif peer.namespace != NS:
        return False
    return _selects(entry.get("podSelector", {}), peer.labels)


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


@pytest.fixture(scope="module")
def trial() -> Policies:
    return Policies(rendered("trial", "--set", "pipeline.engine=cronjob"))


def pairs() -> Iterator[tuple[str, str, int]]:
    for source in [*COMPONENTS, "postgresql", "seaweedfs"]:
        for target, port in PORTS.items():
            if source != target:
                yield source, target, port


def test_exactly_the_needed_connections_pass(trial: Policies) -> None:
    passing = {
        (source, target, port)
        for source, target, port in pairs()
        if trial.allow(ours(source), ours(target), port)
    }
    assert passing == {(source, target, PORTS[target]) for source, target in NEEDED}


def test_strangers_reach_nothing_and_gateways_only_the_api(trial: Policies) -> None:
    for target, port in PORTS.items():
        assert not trial.allow(OUTSIDE, ours(target), port), target
        assert not trial.allow(Pod({"app": "stranger"}), ours(target), port), target
        gateway = Pod({}, "envoy-gateway-system")
        assert trial.allow(gateway, ours(target), port) == (target in GATEWAYS_REACH), target
        reader = Pod({}, "monitoring")
        assert trial.allow(reader, ours(target), port) == (target in MONITORING_REACHES), target


def test_everybody_may_ask_for_names(trial: Policies) -> None:
    assert all(trial.allow(ours(component), DNS, 53) for component in COMPONENTS)


def test_only_who_calls_the_kubernetes_api_gets_out_to_it(trial: Policies) -> None:
    server = Pod({}, "default")
    callers = {found for found in COMPONENTS if trial.allow(ours(found), server, 6443)}
    assert callers == KUBERNETES_CALLERS


def test_the_steps_of_kubeflow_reach_the_api_and_the_bucket() -> None:
    """They carry no labels of the release: without a peer of their own every step would hang."""
    policies = Policies(rendered("kubeflow", "--set", "trial.seaweedfs.enabled=true"))
    assert policies.allow(step(), ours("api"), 8000)
    assert policies.allow(step(), ours("seaweedfs"), 8333)
    assert not policies.allow(step("elsewhere"), ours("api"), 8000)
    assert not policies.allow(step(), ours("operator"), 8080)
    assert policies.allow(ours("pipeline-deploy"), Pod({"app": "ml-pipeline"}, "kubeflow"), 8888)
    apart = Policies(rendered("kubeflow", "--set", "pipeline.kfp.namespace=team"))
    assert apart.allow(step("team"), ours("api"), 8000)
    assert not apart.allow(step(), ours("api"), 8000)


def test_a_job_that_keeps_native_objects_gets_out_to_the_kubernetes_api() -> None:
    server = Pod({}, "default")
    for native in ("true", "false"):
        policies = Policies(rendered("kubeflow", "--set", f"pipeline.kfp.nativeObjects={native}"))
        assert policies.allow(ours("pipeline-deploy"), server, 6443) == (native == "true")


def test_with_kserve_the_api_and_knative_reach_the_proxy_of_a_model_server() -> None:
    plain = Policies(rendered("trial"))
    kserve = Policies(rendered("trial", "--set", "serving.backend=kserve"))
    activator = Pod({"app": "activator"}, "knative-serving")
    assert kserve.allow(ours("api"), ours("model-server"), 8012)
    assert kserve.allow(ours("api"), activator, 8012)
    assert kserve.allow(activator, ours("model-server"), 8012)
    assert not kserve.allow(OUTSIDE, ours("model-server"), 8012)
    assert not plain.allow(activator, ours("model-server"), 8012)


def test_the_deploying_account_may_what_kfp_asks_for() -> None:
    """KFP's API server calls a recurring run `jobs`, and its launcher reads one Secret."""
    role: dict[str, Any] = one(rendered("kubeflow"), "Role", "-pipeline")
    may = {
        (group, resource, verb, *rule.get("resourceNames", []))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    for verb in ("create", "get", "list", "delete"):
        for resource in ("jobs", "pipelines", "experiments"):
            assert ("pipelines.kubeflow.org", resource, verb) in may
    assert {entry for entry in may if entry[1] == "secrets"} == {
        ("", "secrets", "get", "mlpipeline-minio-artifact")
    }
