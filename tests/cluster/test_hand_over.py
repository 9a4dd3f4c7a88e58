"""Two operators on a real API server hand over in the middle of a trial, while users scan."""

import signal
from pathlib import Path

import pytest

from bench.rollout.load import Load
from bench.rollout.packages import make_version
from serving.operator.settings import OperatorSettings
from shield.crds.v1alpha1 import Step
from shield.labels import ModelType
from tests.support import stands
from tests.support.rollouts import spec
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

HALF = [Step(weight=50, duration_seconds=3600, minimum_exposures=0)]
AT_MOST_SECONDS = 15.0


def test_the_default_lease_is_over_in_time() -> None:
    lease = OperatorSettings().lease_seconds
    # Renewed just before the end; then looked at, by who waits, just before it is over.
    assert lease + 2 * lease / 7 <= AT_MOST_SECONDS


def test_operators_hand_over_in_the_middle_of_a_trial_and_no_scan_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIELD_OPERATOR_LEASE_SECONDS", "3")
    with stands.cluster(tmp_path, operators=2) as stand, stand.client("ruth", "admin") as admin:
        first, second = make_version(tmp_path, 1), make_version(tmp_path, 2)
        stand.prepare(first)
        stand.store.change_spec("sms", lambda _: spec(guard_seconds=3600.0, version=first))
        stand.until_stable(first)
        load = Load(stand, threads=2).start()
        stand.prepare(second)
        stand.ask(version=second, steps=HALF)
        stand.until(lambda it: bool(it.status.split) and it.status.split.weight == 50)  # type: ignore[union-attr]

        stand.hand_over(signal.SIGKILL)
        split = stand.store.get("sms").status.split
        assert split is not None
        assert split.weight == 50, "the trial goes on where it was"
        stand.ask(promote=second.digest)
        stand.until_stable(second)
        wait_until(lambda: load.last_answer_of(second.name), stand.logs)

        stand.hand_over(signal.SIGTERM)
        admin.undo_rollout(ModelType.SMS, "It flags my bank.")
        rollout = stand.until_stable(first)
        load.stop()
    assert [done.action for done in rollout.status.history] == [
        *("install", "start", "step", "promote", "undo")
    ]
    assert load.failed == []
    assert load.answers
