"""The objects of a rollout, as they would be applied."""

import copy
from typing import Any

from serving.operator import specs
from shield.crds.v1alpha1 import ModelRollout, Resources, Split
from tests.support.operators import TEMPLATE
from tests.support.rollouts import spec, version

ROLLOUT = ModelRollout(name="sms", uid="u-1", resource_version="1", spec=spec("sms-v1"))


def split(weight: float, *, shadow: bool = False) -> Split:
    return Split(
        stable=version("sms-v1"),
        stable_url="http://a",
        candidate=version("sms-v2"),
        candidate_url="http://b",
        weight=weight,
        shadow=shadow,
    )


def container(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["spec"]["template"]["spec"]["containers"][0]
    return found


def weights(made: dict[str, Any]) -> dict[str, int]:
    return {one["name"]: one["weight"] for one in made["spec"]["rules"][0]["backendRefs"]}


def test_two_versions_differ_in_nothing_but_the_version() -> None:
    one, two = (
        container(specs.deployment(ROLLOUT, version(name), TEMPLATE))
        for name in ("sms-v1", "sms-v2")
    )
    assert one["image"] == two["image"]
    assert {k: v for k, v in one.items() if k != "args"} == {
        k: v for k, v in two.items() if k != "args"
    }
    assert version("sms-v2").digest in two["args"]


def test_the_same_wish_gives_the_same_object() -> None:
    first = specs.deployment(ROLLOUT, version("sms-v1"), TEMPLATE)
    assert first == specs.deployment(ROLLOUT, version("sms-v1"), TEMPLATE)
    assert specs.HASH_ANNOTATION in first["metadata"]["annotations"]


def test_what_the_template_says_stays_unless_the_rollout_says_otherwise() -> None:
    template = {
        "metadata": {"labels": {"team": "safety"}},
        "spec": {
            "nodeSelector": {"pool": "models"},
            "containers": [
                {"name": "model-server", "image": "i", "resources": {"limits": {"cpu": "9"}}},
                {"name": "sidecar", "image": "s"},
            ],
        },
    }
    given = specs.deployment(ROLLOUT, version("sms-v1"), template)
    assert given["spec"]["template"]["metadata"]["labels"]["team"] == "safety"
    assert given["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "models"}
    assert given["spec"]["template"]["spec"]["containers"][1]["image"] == "s"
    assert "cpu" not in container(given)["resources"]["limits"]
    silent = spec("sms-v1", resources=Resources(requests={}, limits={}))
    quiet = ROLLOUT.model_copy(update={"spec": silent})
    kept = container(specs.deployment(quiet, version("sms-v1"), template))
    assert kept["resources"] == {"limits": {"cpu": "9"}}
    assert "args" not in template["spec"]["containers"][0]  # type: ignore[index]


def test_pods_of_a_version_spread_over_nodes_unless_the_template_places_them() -> None:
    made = specs.deployment(ROLLOUT, version("sms-v1"), TEMPLATE)
    pod = made["spec"]["template"]
    (spread,) = pod["spec"]["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"] == made["spec"]["selector"]
    assert spread["matchLabelKeys"] == ["pod-template-hash"], "an upgrade's old pods do not count"
    assert spread["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    placed: dict[str, Any] = copy.deepcopy(TEMPLATE)
    placed["spec"]["affinity"] = {"podAntiAffinity": {}}
    own = specs.deployment(ROLLOUT, version("sms-v1"), placed)["spec"]["template"]["spec"]
    assert "topologySpreadConstraints" not in own


def test_a_disruption_budget_is_of_one_version_and_goes_with_its_deployment() -> None:
    made = specs.deployment(ROLLOUT, version("sms-v1"), TEMPLATE)
    owner = {**made, "metadata": {**made["metadata"], "uid": "u-2"}}
    budget = specs.disruption_budget(ROLLOUT, version("sms-v1"), owner)
    assert budget["spec"]["selector"] == made["spec"]["selector"]
    (reference,) = budget["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["uid"]) == ("Deployment", "u-2")
    assert reference["name"] == made["metadata"]["name"]


def test_a_route_carries_the_weights_of_the_split() -> None:
    route = specs.http_route(ROLLOUT, split(12.5), [{"name": "gateway"}])
    assert weights(route) == {"sms-stable": 875, "sms-candidate": 125}


def test_a_route_sends_nobody_to_a_shadow() -> None:
    route = specs.http_route(ROLLOUT, split(0, shadow=True), [{"name": "gateway"}])
    assert weights(route) == {"sms-stable": 1000}


def test_names_fit_into_kubernetes() -> None:
    long = "a" * 63
    assert len(specs.server_name(long, version("sms-v1").digest)) <= 63
    assert len(specs.arm_name(long, "candidate")) <= 63
