"""KServe as the backend: the operator patches an InferenceService's canary, and nothing else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.operator.kserve.objects import inference_service
from shield.crds.v1alpha1 import ModelRollout, Step
from shield.kube import Object
from tests.cluster.test_operator import stable_is
from tests.support.chart import one, rendered
from tests.support.controlplane import ControlPlane
from tests.support.crds import established, third_party_crds
from tests.support.kserve import KServe, played_kserve
from tests.support.operators import Ward, operating, ward
from tests.support.rollouts import version
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

QUICK = [Step(weight=10, duration_seconds=1, minimum_exposures=0)]
SLOW = [Step(weight=10, duration_seconds=3600).model_dump(by_alias=True)]
CHART = ("trial", "--set", "serving.backend=kserve")


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Ward]:
    established(cluster, *(path for path in third_party_crds() if "inferences" in path.name))
    with ward(cluster, tmp_path) as found:
        found.environment["SHIELD_KSERVE_ENABLED"] = "true"
        yield found


@pytest.fixture
def kserve(place: Ward) -> Iterator[KServe]:
    kube = place.plane.connect(place.namespace)
    with played_kserve(kube) as playing:
        yield playing
    kube.close()


def predictor(place: Ward) -> dict[str, Any]:
    found = place.plane.get("inferenceservice", "sms", "-n", place.namespace)
    return dict(found["spec"]["predictor"])


def serves(place: Ward) -> str:
    digest = predictor(place)["annotations"]["antispamshield.io/digest"]
    names = {version(f"sms-v{number}").digest: f"sms-v{number}" for number in range(1, 6)}
    return names[digest]


def percent(place: Ward) -> int | None:
    found: int | None = predictor(place).get("canaryTrafficPercent")
    return found


def ask(place: Ward, **fields: object) -> None:
    place.kubectl("patch", "mro", "sms", "--type=merge", "-p", json.dumps({"spec": fields}))


def install(place: Ward) -> None:
    place.ask(version=version("sms-v1"), steps=QUICK, guard_seconds=600)
    place.until(stable_is("sms-v1"))


def on_trial(name: str) -> Callable[[ModelRollout], bool]:
    return lambda it: bool(it.status.candidate and it.status.candidate.name == name)


def test_a_version_is_installed_tried_promoted_and_taken_back(place: Ward, kserve: KServe) -> None:
    with operating(place):
        install(place)
        assert (serves(place), percent(place)) == ("sms-v1", None)

        ask(place, version=version("sms-v2").model_dump(), steps=SLOW)
        place.until(on_trial("sms-v2"))
        wait_until(lambda: (serves(place), percent(place)) == ("sms-v2", 10))
        split = place.until(lambda it: bool(it.status.split and it.status.split.candidate))
        assert split.status.split is not None
        domain = f"{place.namespace}.svc.cluster.local"
        assert split.status.split.stable_url == f"http://sms-predictor-00001.{domain}"
        assert split.status.split.candidate_url == f"http://sms-predictor-00002.{domain}"

        place.ask(steps=QUICK)
        place.until(stable_is("sms-v2"))
        wait_until(lambda: percent(place) == 99)  # the version before stays warm
        guarded = place.until(lambda it: bool(it.status.split and it.status.split.fallback))
        assert guarded.status.split is not None
        assert guarded.status.split.fallback_url == f"http://sms-predictor-00001.{domain}"

        ask(place, undo="1", undoReason="bad")
        back = place.until(stable_is("sms-v1"))
        assert [ref.name for ref in back.status.rejected] == ["sms-v2"]
        assert back.status.split is not None
        assert back.status.split.stable_url == f"http://sms-predictor-00001.{domain}"
        wait_until(lambda: (serves(place), percent(place)) == ("sms-v2", 0))
        for kind in ("deployments", "services"):
            owned = place.plane.get(kind, "-n", place.namespace)["items"]
            assert owned == [], "the operator makes none of its own"
        assert kserve.refused == []


def test_after_the_guard_window_the_version_is_rolled_out(place: Ward, kserve: KServe) -> None:
    with operating(place):
        install(place)
        ask(place, version=version("sms-v2").model_dump(), guardSeconds=3)
        place.until(stable_is("sms-v2"))
        wait_until(lambda: percent(place) is None)
        assert serves(place) == "sms-v2"
        pods = place.plane.get("pods", "-n", place.namespace)
        wait_until(lambda: len(place.plane.get("pods", "-n", place.namespace)["items"]) == 1)
        assert pods


def test_a_candidate_that_is_given_up_makes_room_for_the_next(place: Ward, kserve: KServe) -> None:
    with operating(place):
        install(place)
        ask(place, version=version("sms-v2").model_dump(), steps=SLOW)
        place.until(on_trial("sms-v2"))
        wait_until(lambda: percent(place) == 10)
        ask(place, version=version("sms-v1").model_dump())
        wait_until(lambda: (serves(place), percent(place)) == ("sms-v2", 0))
        ask(place, version=version("sms-v3").model_dump())
        place.until(on_trial("sms-v3"))
        wait_until(lambda: (serves(place), percent(place)) == ("sms-v3", 10))
        assert place.until(stable_is("sms-v1"))


def test_a_version_from_before_the_guard_window_is_brought_up_again(
    place: Ward, kserve: KServe
) -> None:
    with operating(place):
        install(place)
        ask(place, version=version("sms-v2").model_dump(), guardSeconds=2)
        place.until(stable_is("sms-v2"))
        wait_until(lambda: percent(place) is None)
        # Only when KServe has rolled it out is the version before gone, and not just at 0 %.
        wait_until(lambda: len(place.plane.get("pods", "-n", place.namespace)["items"]) == 1)
        ask(place, undo="1", undoReason="bad")
        place.until(stable_is("sms-v1"))
        wait_until(lambda: (serves(place), percent(place)) == ("sms-v1", None))


def test_more_replicas_are_asked_for_without_another_version(place: Ward, kserve: KServe) -> None:
    with operating(place):
        install(place)
        ask(place, replicas=2)
        wait_until(lambda: predictor(place)["minReplicas"] == 2)
        wait_until(lambda: len(place.plane.get("pods", "-n", place.namespace)["items"]) == 2)
        assert (serves(place), percent(place)) == ("sms-v1", None)


def test_deleting_a_rollout_deletes_its_inference_service(place: Ward, kserve: KServe) -> None:
    with operating(place):
        install(place)
        place.kubectl("delete", "mro", "sms", f"--timeout={PATIENCE}")
        wait_until(lambda: not place.plane.get("inferenceservices", "-n", place.namespace)["items"])


def template() -> Object:
    found = one(rendered(*CHART), "ConfigMap", "-model-server")
    return dict(json.loads(found["data"]["pod.json"]))


def test_kserves_own_schema_takes_the_object_and_the_pod_stays_restricted(place: Ward) -> None:
    rollout = place.ask(version=version("sms-v1"))
    made = inference_service(rollout, version("sms-v1"), 10, template(), {"a": "b"})
    place.kubectl(
        *("apply", "--server-side", "--validate=strict", "--dry-run=server", "-f", "-"),
        stdin=json.dumps(made),
    )
    (container,) = made["spec"]["predictor"]["containers"]
    security = container["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["readOnlyRootFilesystem"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["command"] == ["python", "-m", "serving.server"]
    assert "--digest" in container["args"]
    modes = [
        volume["secret"]["defaultMode"]
        for volume in made["spec"]["predictor"]["volumes"]
        if "secret" in volume
    ]
    assert modes == [0o444], "without an fsGroup the server's user reads as anybody"


def test_the_chart_lets_the_operator_patch_and_not_make_deployments() -> None:
    objects = rendered(*CHART)
    rules = one(objects, "Role", "-operator")["rules"]
    verbs = {resource: rule["verbs"] for rule in rules for resource in rule["resources"]}
    assert verbs["inferenceservices"] == ["get", "create", "patch"]
    assert verbs["deployments"] == verbs["services"] == ["get", "list", "watch"]
    deployment = one(objects, "Deployment", "-operator")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    told = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert told["SHIELD_KSERVE_ENABLED"] == "true"
    plain = one(rendered("trial"), "Role", "-operator")["rules"]
    assert not any("inferenceservices" in rule["resources"] for rule in plain)
