"""Scans during a rollout: arms, failures, shadow, and how fast a new split is followed."""

import asyncio
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.rollouts.changing import updated
from serving.operator.judgement import verdicts_shift
from shield.client import ShieldClient
from shield.crds.evidence import ArmEvidence
from shield.crds.v1alpha1 import Analysis
from shield.errors import Forbidden, Unavailable
from shield.labels import FeedbackType, ModelType, ScanType
from shield.routing import Arm
from shield.wire import ReviewAction
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import http
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server, version_ref
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def trial(api: RunningApi, since: datetime, **analysis: Any) -> None:
    """Mark the rollout as a trial that began at `since`."""
    store = api.services.rollouts
    if analysis:
        changed = store.get("sms").spec.model_copy(update={"analysis": Analysis(**analysis)})
        store.change_spec("sms", lambda _: changed)
    found = store.get("sms")
    status = found.status.model_copy(update={"rollout_started": since})
    store.write_status(found, status)


def wait_for_weight(api: RunningApi, weight: float) -> None:
    router = api.services.router
    wait_until(lambda: (split := router.split(ModelType.SMS)) and split.weight == weight)


def wait_for_exposures(client: ShieldClient, count: int) -> None:
    """Wait until the shadow has scored so many copies: it does so after the user's answer."""
    wait_until(lambda: client.evidence(ModelType.SMS).candidate.exposures >= count)


def test_a_failing_candidate_is_answered_for_by_the_stable_arm_and_its_failure_is_counted(
    tmp_path: Path, database_url: str
) -> None:
    failing = threading.Event()
    failing.set()
    with (
        model_server() as stable,
        model_server(failing=failing) as broken,
        running_api(tmp_path, database_url) as api,
    ):
        store = api.services.rollouts
        deploy(store, stable, candidate="sms-v2", candidate_url=broken, weight=100)
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("ann") as ann, api.client("op", "operator") as operator:
            scan = ann.scan(ScanType.TEXT, "you win")
            assert (scan.arm, scan.model_version, scan.verdict) == ("stable", "sms-v1", "spam")
            seen = operator.evidence(ModelType.SMS)
            assert (seen.candidate.exposures, seen.candidate.failures) == (0, 1)
            assert (seen.stable.exposures, seen.stable.positives) == (1, 1)
            failing.clear()
            healed = ann.scan(ScanType.TEXT, "you win again")
            assert (healed.arm, healed.model_version) == ("candidate", "sms-v2")


@pytest.mark.parametrize("shadow", [False, True])
def test_by_one_users_messages_alone_no_version_is_rejected_for_its_share_of_scams(
    tmp_path: Path, database_url: str, shadow: bool
) -> None:
    """One who sends a version what others do not is no proof that the version is another."""
    with (
        model_server() as stable,
        model_server(judge=lambda text: 0.9 if "win" in text else 0.1) as other,
        running_api(tmp_path, database_url) as api,
    ):
        store = api.services.rollouts
        deploy(
            store,
            stable,
            candidate="sms-v2",
            candidate_url=other,
            weight=0 if shadow else 100,
            shadow=shadow,
        )
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("ann") as ann, api.client("ben") as ben:
            for number in range(40):
                ann.scan(ScanType.TEXT, f"you win prize number {number}")
            ben.scan(ScanType.TEXT, "see you at eight")
        with api.client("op", "operator") as operator:
            wait_for_exposures(operator, 41)
            seen = operator.evidence(ModelType.SMS)
    arm = seen.candidate
    assert (arm.exposures, arm.positives, arm.counted, arm.counted_positives) == (41, 40, 2, 1)
    others = ArmEvidence(exposures=90, positives=18)
    assert verdicts_shift(Analysis(), arm, others) is None


def test_failures_in_a_row_are_counted_and_those_that_found_no_server_apart(
    tmp_path: Path, database_url: str
) -> None:
    failing = threading.Event()
    failing.set()
    (nobody,) = free_ports(1)
    with (
        model_server() as stable,
        model_server(failing=failing) as broken,
        running_api(tmp_path, database_url) as api,
        api.client("ann") as ann,
        api.client("op", "operator") as operator,
    ):
        store = api.services.rollouts

        def row() -> tuple[int, int, int]:
            seen = operator.evidence(ModelType.SMS)
            assert seen.stable.failures_in_a_row == 0
            return (
                seen.candidate.failures,
                seen.candidate.failures_in_a_row,
                seen.candidate.unreached_in_a_row,
            )

        deploy(store, stable, candidate="sms-v2", candidate_url=broken, weight=100)
        trial(api, api.clock())
        wait_for_weight(api, 100)
        for _ in range(2):
            ann.scan(ScanType.TEXT, "hello")
        assert row() == (2, 2, 0)
        failing.clear()
        ann.scan(ScanType.TEXT, "hello")
        assert row() == (2, 0, 0), "an answer ends the row"
        url = f"http://127.0.0.1:{nobody}"
        deploy(store, stable, candidate="sms-v2", candidate_url=url, weight=99)
        wait_for_weight(api, 99)
        for user in range(3):
            ann.scan(ScanType.TEXT, f"hello {user}")
        assert row() == (5, 3, 3)


def test_a_failing_stable_arm_is_a_503_with_retry_after_and_the_failure_is_counted(
    tmp_path: Path,
) -> None:
    failing = threading.Event()
    with model_server(failing=failing) as url, running_api(tmp_path) as api:
        deploy(api.services.rollouts, url)
        wait_for_split(api)
        failing.set()
        with http(api, "ann") as client:
            answer = client.post("/api/v2/scans", json={"scanType": "text", "text": "hello"})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        with api.services.sessions() as session:
            from api.tables import ArmFailure, Scan

            assert session.query(ArmFailure).count() == 1
            assert session.query(Scan).count() == 0


def test_without_any_model_a_scan_says_so(tmp_path: Path) -> None:
    with (
        running_api(tmp_path) as api,
        api.client("ann") as ann,
        pytest.raises(Unavailable, match="Calls cannot be judged yet"),
    ):
        ann.scan(ScanType.VOICE, "hello")


def test_a_changed_split_reaches_scans(tmp_path: Path, database_url: str) -> None:
    with (
        model_server() as one,
        model_server() as other,
        running_api(tmp_path, database_url) as api,
    ):
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=100)
        wait_for_weight(api, 100)
        with api.client("ann") as ann:
            assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v2"
            for round_ in range(10):
                weight = 0 if round_ % 2 == 0 else 100
                expected = "sms-v1" if weight == 0 else "sms-v2"
                deploy(store, one, candidate="sms-v2", candidate_url=other, weight=weight)
                # How soon is measured by `make bench-rollout`.
                wait_until(
                    lambda is_=expected: ann.scan(ScanType.TEXT, "hello").model_version == is_  # type: ignore[misc]
                )


def test_an_undo_is_in_force_when_it_is_asked_for_though_no_operator_is_at_work(
    tmp_path: Path, database_url: str
) -> None:
    with (
        model_server() as good,
        model_server() as bad,
        running_api(tmp_path, database_url) as api,
        api.client("ann") as ann,
        api.client("ada", "admin") as ada,
    ):
        store = api.services.rollouts
        deploy(store, bad, version="sms-v2", fallback="sms-v1", fallback_url=good)
        wait_for_split(api)
        assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v2"
        ada.undo_rollout(ModelType.SMS, "It flags my bank.")
        for _ in range(20):  # longer than the watch takes: what it tells changes nothing
            assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v1"
            time.sleep(0.02)
        assert ada.rollout(ModelType.SMS).status.split == store.get("sms").status.split


def test_an_undo_during_a_trial_takes_everybody_off_the_candidate_at_once(tmp_path: Path) -> None:
    with (
        model_server() as one,
        model_server() as other,
        running_api(tmp_path) as api,
        api.client("ann") as ann,
        api.client("ada", "admin") as ada,
    ):
        deploy(api.services.rollouts, one, candidate="sms-v2", candidate_url=other, weight=100)
        wait_for_weight(api, 100)
        assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v2"
        ada.undo_rollout(ModelType.SMS, "It flags my bank.")
        assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v1"


def test_an_undo_of_a_version_that_was_only_asked_for_takes_back_that_version(
    tmp_path: Path,
) -> None:
    with (
        model_server() as stable,
        model_server() as former,
        running_api(tmp_path) as api,
        api.client("ann") as ann,
        api.client("ada", "admin") as ada,
    ):
        store = api.services.rollouts
        deploy(store, stable, version="sms-v2", fallback="sms-v1", fallback_url=former)
        wait_for_split(api)
        asked = version_ref("sms-v3")  # no operator has begun its trial yet
        store.change_spec("sms", updated(lambda _: {"version": asked}))
        changed = ada.undo_rollout(ModelType.SMS, "Wrong file.")
        assert (changed.spec.undo, changed.spec.abort) == (None, asked.digest)
        assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v2"
        # The next one is about the stable version again.
        assert ada.undo_rollout(ModelType.SMS, "It flags my bank.").spec.undo is not None
        assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v1"


def test_the_same_user_stays_on_an_arm_and_the_split_has_its_weight(tmp_path: Path) -> None:
    with model_server() as one, model_server() as other, running_api(tmp_path) as api:
        deploy(api.services.rollouts, one, candidate="sms-v2", candidate_url=other, weight=30)
        wait_for_weight(api, 30)
        arms: dict[str, set[Arm]] = {}
        router = api.services.router
        with asyncio.Runner() as loop:
            for user in (f"user{number}" for number in range(300)):
                for _ in range(2):
                    routed = loop.run(router.ask(ModelType.SMS, "hello", user, None))
                    assert routed.answer is not None
                    arms.setdefault(user, set()).add(routed.answer.arm)
    assert all(len(found) == 1 for found in arms.values())
    share = sum(Arm.CANDIDATE in found for found in arms.values()) / len(arms)
    assert 0.2 < share < 0.4


def test_testers_may_force_an_arm_and_that_is_no_evidence(tmp_path: Path) -> None:
    with model_server() as one, model_server() as other, running_api(tmp_path) as api:
        deploy(api.services.rollouts, one, candidate="sms-v2", candidate_url=other, weight=0)
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("rita", "reviewer") as tester, api.client("ann") as ann:
            forced = tester.scan(ScanType.TEXT, "hello", arm=Arm.CANDIDATE)
            assert forced.model_version == "sms-v2"
            with pytest.raises(Forbidden):
                ann.scan(ScanType.TEXT, "hello", arm=Arm.CANDIDATE)
            assert tester.evidence(ModelType.SMS).candidate.exposures == 0


def test_a_shadow_candidate_scores_copies_never_answers_and_is_judged_by_the_same_truth(
    tmp_path: Path,
) -> None:
    def strict(text: str) -> float:
        return 0.9

    with model_server() as one, model_server(judge=strict) as other, running_api(tmp_path) as api:
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=0, shadow=True)
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("ann") as ann, api.client("rita", "reviewer") as rita:
            scan = ann.scan(ScanType.TEXT, "hello friend")
            assert (scan.model_version, scan.verdict) == ("sms-v1", "ham")
            wait_for_exposures(rita, 1)
            item = ann.send_feedback(scan.id, FeedbackType.CONFIRMED)
            rita.review(item.id, ReviewAction.APPROVE)
            seen = rita.evidence(ModelType.SMS)
    assert (seen.stable.decided, seen.stable.verdict_errors) == (1, 0)
    assert (seen.candidate.exposures, seen.candidate.positives) == (1, 1)
    assert (seen.candidate.decided, seen.candidate.verdict_errors) == (1, 1)


def test_what_a_shadow_contradicts_waits_for_a_reviewer_whose_word_counts_for_both_versions(
    tmp_path: Path, database_url: str
) -> None:
    def strict(text: str) -> float:
        return 0.9

    with (
        model_server() as one,
        model_server(judge=strict) as other,
        running_api(tmp_path, database_url) as api,
        api.client("ann") as ann,
        api.client("bob") as bob,
        api.client("rita", "reviewer") as rita,
    ):
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=0, shadow=True)
        trial(api, api.clock(), decisions_per_day=10_000, messages_per_user=5)
        wait_for_split(api)
        ann.set_consent(True)
        ann.scan(ScanType.TEXT, "hello friend")
        ann.scan(ScanType.TEXT, "you win")  # both call this a scam
        bob.scan(ScanType.TEXT, "hello, it is me")  # never agreed that others read along
        wait_for_exposures(rita, 3)
        (item,) = rita.pending().items
        assert item.original_label == "ham"
        confirms = item.feedback_type is FeedbackType.CONFIRMED
        rita.review(item.id, ReviewAction.APPROVE if confirms else ReviewAction.REJECT)
        seen = rita.evidence(ModelType.SMS)
    assert (seen.stable.decided, seen.stable.verdict_errors, seen.stable.reports) == (1, 0, 0)
    assert (seen.candidate.decided, seen.candidate.verdict_errors) == (1, 1)


def test_a_candidate_with_too_much_to_do_has_failed_nobody_and_counts_as_slow(
    tmp_path: Path, database_url: str
) -> None:
    with (
        model_server(processor_ms=2.0) as one,
        model_server(overloaded=True) as other,
        running_api(tmp_path, database_url) as api,
        api.client("ann") as ann,
        api.client("rita", "reviewer") as rita,
    ):
        deploy(api.services.rollouts, one, candidate="sms-v2", candidate_url=other, weight=100)
        trial(api, api.clock())
        wait_for_split(api)
        answers = [ann.scan(ScanType.TEXT, "hello friend").model_version for _ in range(6)]
        seen = rita.evidence(ModelType.SMS)
    assert answers == ["sms-v1"] * 6
    assert (seen.candidate.failures, seen.candidate.failures_in_a_row) == (0, 0)
    assert (seen.candidate.timed, seen.candidate.slow) == (6, 6)
    assert seen.candidate.processor_median_ms is None
    assert (seen.stable.timed, seen.stable.slow, seen.stable.processor_median_ms) == (6, 0, 2)


@pytest.mark.parametrize("shadow", [False, True])
def test_what_the_servers_have_spent_is_counted_by_one_bound_for_both_versions(
    tmp_path: Path, database_url: str, shadow: bool
) -> None:
    with (
        model_server(processor_ms=60.0) as one,
        model_server(processor_ms=130.0) as other,
        running_api(tmp_path, database_url) as api,
        api.client("rita", "reviewer") as rita,
    ):
        store = api.services.rollouts
        weight = 0 if shadow else 50
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=weight, shadow=shadow)
        wait_for_split(api)
        trial(api, api.clock())
        for number in range(12):
            with api.client(f"user-{number}") as user:
                user.scan(ScanType.TEXT, "hello friend")
        wait_for_exposures(rita, 12 if shadow else 1)
        seen = rita.evidence(ModelType.SMS)
        trial(api, api.clock() + timedelta(hours=20))
        later = rita.evidence(ModelType.SMS)
    assert seen.slow_above_ms == 120
    assert (seen.stable.timed, seen.stable.slow) == (seen.stable.exposures, 0)
    assert seen.candidate.timed == seen.candidate.slow == seen.candidate.exposures > 0
    assert (seen.stable.processor_median_ms, seen.candidate.processor_median_ms) == (60, 130)
    # The day before a trial says how quick the stable version is, and nothing of the candidate.
    assert (later.slow_above_ms, later.stable.exposures) == (120, 0)
    assert (later.stable.timed, later.candidate.timed) == (seen.stable.timed, 0)


def test_nobody_waits_for_a_shadow_that_hangs(tmp_path: Path) -> None:
    answered = threading.Event()

    def hangs(text: str) -> float:
        answered.wait(PATIENCE_SECONDS)
        return 0.9

    with model_server() as one, model_server(judge=hangs) as other, running_api(tmp_path) as api:
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=0, shadow=True)
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("ann") as ann, api.client("rita", "reviewer") as rita:
            assert ann.scan(ScanType.TEXT, "hello").model_version == "sms-v1"
            assert not answered.is_set(), "the copy is still with the shadow"
            answered.set()
            wait_for_exposures(rita, 1)


def test_a_shadow_that_fails_is_counted_and_felt_by_nobody(tmp_path: Path) -> None:
    failing = threading.Event()
    failing.set()
    with (
        model_server() as one,
        model_server(failing=failing) as other,
        running_api(tmp_path) as api,
    ):
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=0, shadow=True)
        trial(api, api.clock())
        wait_for_split(api)
        with api.client("ann") as ann, api.client("rita", "reviewer") as rita:
            assert ann.scan(ScanType.TEXT, "hello friend").model_version == "sms-v1"
            wait_until(lambda: rita.evidence(ModelType.SMS).candidate.failures_in_a_row == 1)
            assert rita.evidence(ModelType.SMS).stable.failures == 0


def test_scans_go_on_while_the_rollout_store_is_away(tmp_path: Path) -> None:
    from sqlalchemy import text

    with model_server() as url, running_api(tmp_path) as api:
        deploy(api.services.rollouts, url)
        wait_for_split(api)
        with api.services.engine.begin() as connection:
            connection.execute(text("DROP TABLE rollouts"))
        time.sleep(0.2)
        with api.client("ann") as ann:
            assert ann.scan(ScanType.TEXT, "you win").verdict == "spam"
