"""The operator against a real API server, with kwok playing the pods: the story of a rollout."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shield.crds.v1alpha1 import ModelRollout, Phase, Step
from tests.support.controlplane import ControlPlane
from tests.support.crds import established, third_party_crds
from tests.support.operators import Ward, operating, ward
from tests.support.rollouts import version
from tests.support.waiting import PATIENCE, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

QUICK = [Step(weight=10, duration_seconds=0.5, minimum_exposures=0)]
STEADY = [Step(weight=10, duration_seconds=3600, minimum_exposures=0)]
"""For what has to be seen on the way: a busy machine may look away for longer than `QUICK` takes.
"""


@pytest.fixture
def place(cluster: ControlPlane, tmp_path: Path) -> Iterator[Ward]:
    with ward(cluster, tmp_path) as found:
        yield found


def stable_is(name: str) -> Callable[[ModelRollout], bool]:
    return lambda it: it.status.stable is not None and it.status.stable.name == name


def settled(place: Ward) -> str:
    """Return the resource version once nothing has been written for two seconds."""
    looks = [place.store.get("sms").resource_version]

    def still() -> bool:
        looks.append(place.store.get("sms").resource_version)
        return looks[-1] == looks[-2]

    wait_until(still, pause_seconds=2)
    return looks[-1]


def events(place: Ward) -> list[str]:
    found = place.plane.get("events", "-n", place.namespace)["items"]
    return [one["reason"] for one in found if one["involvedObject"]["kind"] == "ModelRollout"]


def test_a_version_is_installed_released_promoted_and_taken_back(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"), steps=STEADY)
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
        place.ask(steps=QUICK)
        promoted = place.until(stable_is("sms-v2"))
        assert promoted.status.last_known_good == version("sms-v1")
        deployments = place.plane.get("deployments", "-n", place.namespace)["items"]
        assert len(deployments) == 2, "the last known good version stays warm"
        budgets = place.plane.get("poddisruptionbudgets", "-n", place.namespace)["items"]
        assert {(one["metadata"]["name"], one["spec"]["maxUnavailable"]) for one in budgets} == {
            (one["metadata"]["name"], 1) for one in deployments
        }
        stable = place.plane.get("service", "sms-stable", "-n", place.namespace)
        digest = version("sms-v2").digest.removeprefix("sha256:")[:40]
        wait_until(
            lambda: (
                place.plane.get("service", "sms-stable", "-n", place.namespace)["spec"]["selector"][
                    "antispamshield.io/digest"
                ]
                == digest
            )
        )
        assert stable["metadata"]["ownerReferences"][0]["uid"] == promoted.uid

        place.kubectl(
            "patch", "mro", "sms", "--type=merge", "-p", '{"spec":{"undo":"1","undoReason":"bad"}}'
        )
        back = place.until(stable_is("sms-v1"))
        assert [ref.name for ref in back.status.rejected] == ["sms-v2"]
        refused = place.kubectl(
            *("patch", "mro", "sms", "--type=merge", "-p", '{"spec":{"paused":true}}')
        )
        assert "patched" in refused
        wait_until(lambda: len(place.plane.get("deployments", "-n", place.namespace)["items"]) == 1)
        wait_until(
            lambda: {"Installed", "RolloutStarted", "Promoted", "TakenBack"} <= set(events(place))
        )


def test_what_others_change_in_a_deployment_is_put_right_again(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"))
        place.until(stable_is("sms-v1"))
        name = place.plane.get("deployments", "-n", place.namespace)["items"][0]["metadata"]["name"]
        place.kubectl("scale", "deployment", name, "--replicas=0")
        wait_until(
            lambda: (
                place.plane.get("deployment", name, "-n", place.namespace)["spec"]["replicas"] == 1
            )
        )


def test_an_operator_that_died_is_replaced_and_the_story_goes_on(place: Ward) -> None:
    first = place.start("one")
    place.ask(version=version("sms-v1"), steps=QUICK)
    place.until(stable_is("sms-v1"))
    with operating(place, "two"):
        wait_until(lambda: "started" in (place.folder / "two.log").read_text())
        first.send_signal(signal.SIGKILL)
        first.wait()
        place.ask(version=version("sms-v2"))
        place.until(stable_is("sms-v2"))
    lease = place.plane.get("lease", "antispam-shield-operator", "-n", place.namespace)
    assert lease["spec"]["leaseTransitions"] >= 1


def test_an_operator_killed_again_and_again_gets_there_and_history_tells_it_once(
    place: Ward,
) -> None:
    with operating(place, "first"):
        place.ask(version=version("sms-v1"), steps=QUICK)
        place.until(stable_is("sms-v1"))
        place.ask(version=version("sms-v2"))
        place.until(lambda it: len(it.status.history) >= 2)
    for number, transitions in enumerate((3, 4)):
        process = place.start(f"killed-{number}")
        place.until(lambda it, enough=transitions: len(it.status.history) >= enough)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with operating(place, "last"):
        rollout = place.until(stable_is("sms-v2"))
    told = [(done.action, done.version.name) for done in rollout.status.history]
    assert told == [
        ("install", "sms-v1"),
        ("start", "sms-v2"),
        ("step", "sms-v2"),
        ("promote", "sms-v2"),
    ]


def test_a_restarted_operator_changes_nothing_that_is_right(place: Ward) -> None:
    """It must have seen everything before it judges: else running servers look absent."""
    with operating(place):
        place.ask(version=version("sms-v1"), steps=STEADY)
        place.until(stable_is("sms-v1"))
        place.ask(version=version("sms-v2"))
        place.until(lambda it: it.status.step_started is not None)
        before = settled(place)
    for number in range(2):
        with operating(place, f"again-{number}"):
            log = place.folder / f"again-{number}.log"
            wait_until(lambda log=log: '"leader"' in log.read_text())  # type: ignore[misc]
            time.sleep(2)
        assert place.store.get("sms").resource_version == before


def test_a_pause_is_told_as_an_event_and_so_is_its_end(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"), steps=QUICK)
        place.until(stable_is("sms-v1"))
        place.ask(version=version("sms-v2"), paused=True)
        place.until(lambda it: it.status.phase is Phase.PAUSED)
        wait_until(lambda: "Paused" in events(place))
        place.ask(paused=False)
        place.until(stable_is("sms-v2"))


def test_a_removed_namespace_takes_everything_along_and_the_operator_lives_on(
    place: Ward,
) -> None:
    with operating(place) as process:
        place.ask(version=version("sms-v1"))
        place.until(stable_is("sms-v1"))
        place.plane.run("delete", "namespace", place.namespace, f"--timeout={PATIENCE}")
        time.sleep(1)
        assert process.poll() is None
        place.plane.run("create", "namespace", place.namespace)
        place.ask(version=version("sms-v1"))
        place.until(stable_is("sms-v1"))


def test_a_route_of_gateway_api_follows_the_split(place: Ward) -> None:
    (crd,) = [path for path in third_party_crds() if path.name.endswith("_httproutes.yaml")]
    established(place.plane, crd)
    place.environment["SHIELD_OPERATOR_GATEWAYS"] = '[{"name": "inside"}]'
    steady = [Step(weight=25, duration_seconds=3600, minimum_exposures=0)]

    def weights() -> dict[str, int]:
        found = place.plane.get("httproutes", "-n", place.namespace)["items"]
        if not found:
            return {}
        (rule,) = found[0]["spec"]["rules"]
        return {one["name"]: one["weight"] for one in rule["backendRefs"]}

    with operating(place):
        place.ask(version=version("sms-v1"), steps=steady)
        wait_until(lambda: weights() == {"sms-stable": 1000})
        place.ask(version=version("sms-v2"))
        wait_until(lambda: weights() == {"sms-stable": 750, "sms-candidate": 250})
        place.ask(undo="1")
        wait_until(lambda: weights() == {"sms-stable": 1000})
    place.kubectl("delete", "mro", "sms", f"--timeout={PATIENCE}")
    wait_until(lambda: not weights())


def test_an_api_server_that_goes_and_comes_back_is_survived(place: Ward) -> None:
    with operating(place) as process:
        place.ask(version=version("sms-v1"), steps=QUICK)
        place.until(stable_is("sms-v1"))
        place.plane.stop_api_server()
        time.sleep(2)
        place.plane.start_api_server()
        assert process.poll() is None
        place.ask(version=version("sms-v2"))
        place.until(stable_is("sms-v2"))


def test_an_idle_operator_writes_nothing(place: Ward) -> None:
    with operating(place):
        place.ask(version=version("sms-v1"), guard_seconds=0.0)
        before = place.until(lambda it: it.status.phase is Phase.HEALTHY)
        found = settled(place)
        objects = place.plane.get("deployments,services", "-n", place.namespace)["items"]
        time.sleep(4)
        assert place.store.get("sms").resource_version == found
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
    place.kubectl("delete", "mro", "sms", f"--timeout={PATIENCE}")
    wait_until(lambda: not place.plane.get("deployments,services", "-n", place.namespace)["items"])
