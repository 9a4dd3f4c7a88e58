"""The operator against a real API server, with kwok playing the pods: the story of a rollout."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shield.crds.v1alpha1 import ModelRollout, Phase, Step
from tests.cluster.controlplane import ControlPlane
from tests.support.operators import Ward, operating, ward
from tests.support.rollouts import version

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

QUICK = [Step(weight=10, duration_seconds=0.5, minimum_exposures=0)]


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Ward]:
    with ward(cluster, tmp_path) as found:
        yield found


def stable_is(name: str) -> Callable[[ModelRollout], bool]:
    return lambda it: it.status.stable is not None and it.status.stable.name == name


def events(place: Ward) -> list[str]:
    found = place.plane.get("events", "-n", place.namespace)["items"]
    return [one["reason"] for one in found if one["involvedObject"]["kind"] == "ModelRollout"]


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_version_is_installed_released_promoted_and_taken_back(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"), steps=QUICK)
        first = place.until(stable_is("sms-v1"))
        assert first.status.split is not None
        assert first.status.split.stable_url.endswith(f".{place.namespace}.svc:8080")

        place.kubectl(
            *("patch", "mro", "sms", "--type=merge", "-p"),
            json.dumps({"spec": {"version": version("sms-v2").model_dump()}}),
        )
        place.until(
            lambda it: bool(it.status.split) and it.status.split.weight == 10  # type: ignore[union-attr]
        )
        promoted = place.until(stable_is("sms-v2"))
        assert promoted.status.last_known_good == version("sms-v1")
        deployments = place.plane.get("deployments", "-n", place.namespace)["items"]
        assert len(deployments) == 2, "the last known good version stays warm"
        stable = place.plane.get("service", "sms-stable", "-n", place.namespace)
        digest = version("sms-v2").digest.removeprefix("sha256:")[:40]
        wait_for(
            lambda: (
                place.plane.get("service", "sms-stable", "-n", place.namespace)["spec"]["selector"][
                    "antispamshield.io/digest"
                ]
                == digest
            )
        )
        assert stable["metadata"]["ownerReferences"][0]["uid"] == promoted.uid

        began = time.monotonic()
        place.kubectl(
            "patch", "mro", "sms", "--type=merge", "-p", '{"spec":{"undo":"1","undoReason":"bad"}}'
        )
        back = place.until(stable_is("sms-v1"))
        assert time.monotonic() - began < 5
        assert [ref.name for ref in back.status.rejected] == ["sms-v2"]
        refused = place.kubectl(
            *("patch", "mro", "sms", "--type=merge", "-p", '{"spec":{"paused":true}}')
        )
        assert "patched" in refused
        wait_for(lambda: len(place.plane.get("deployments", "-n", place.namespace)["items"]) == 1)
        wait_for(
            lambda: {"Installed", "RolloutStarted", "Promoted", "TakenBack"} <= set(events(place))
        )


def test_what_others_change_in_a_deployment_is_put_right_again(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"))
        place.until(stable_is("sms-v1"))
        name = place.plane.get("deployments", "-n", place.namespace)["items"][0]["metadata"]["name"]
        place.kubectl("scale", "deployment", name, "--replicas=0")
        wait_for(
            lambda: (
                place.plane.get("deployment", name, "-n", place.namespace)["spec"]["replicas"] == 1
            )
        )


def test_an_operator_that_died_is_replaced_and_the_story_goes_on(place: Ward) -> None:
    first = place.start("one")
    place.ask(version=version("sms-v1"), steps=QUICK)
    place.until(stable_is("sms-v1"))
    with operating(place, "two"):
        wait_for(lambda: "started" in (place.folder / "two.log").read_text(), seconds=120)
        first.send_signal(signal.SIGKILL)
        first.wait()
        place.ask(version=version("sms-v2"))
        place.until(stable_is("sms-v2"))
    lease = place.plane.get("lease", "antispam-shield-operator", "-n", place.namespace)
    assert lease["spec"]["leaseTransitions"] == 1


def test_an_api_server_that_goes_and_comes_back_is_survived(place: Ward) -> None:
    with operating(place) as process:
        place.ask(version=version("sms-v1"), steps=QUICK)
        place.until(stable_is("sms-v1"))
        place.plane.stop_api_server()
        time.sleep(2)
        place.plane.start_api_server()
        assert process.poll() is None
        place.ask(version=version("sms-v2"))
        place.until(stable_is("sms-v2"), seconds=60)


def test_an_idle_operator_writes_nothing(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"), guard_seconds=0.0)
        before = place.until(lambda it: it.status.phase is Phase.HEALTHY)
        time.sleep(1)
        settled = place.store.get("sms").resource_version
        objects = place.plane.get("deployments,services", "-n", place.namespace)["items"]
        time.sleep(4)
        assert place.store.get("sms").resource_version == settled
        again = place.plane.get("deployments,services", "-n", place.namespace)["items"]
        assert [one["metadata"]["resourceVersion"] for one in again] == [
            one["metadata"]["resourceVersion"] for one in objects
        ]
        assert before.status.observed_generation == 1


def test_an_uninstall_never_hangs_whatever_is_removed_first(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"))
        place.until(stable_is("sms-v1"))
    # The operator is gone; nothing may wait for it.
    assert (
        place.plane.get("mro", "sms", "-n", place.namespace)["metadata"].get("finalizers") is None
    )
    place.kubectl("delete", "mro", "sms", "--timeout=10s")
    wait_for(lambda: not place.plane.get("deployments,services", "-n", place.namespace)["items"])
