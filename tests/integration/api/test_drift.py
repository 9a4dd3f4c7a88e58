"""What the drift watch is told: counts since the champion's release; and what it said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.privacy.retention import look_after
from components.drift_watch.signals import DriftLimits
from components.drift_watch.step import run
from shield.artifacts.opening import open_store
from shield.errors import Forbidden, NotFound
from shield.labels import FeedbackType, ModelType
from shield.metrics import SCORE_EDGES, score_bins
from shield.wire import (
    DRIFT_STEP,
    DRIFT_TRIGGER,
    DriftFacts,
    DriftLook,
    DriftVerdict,
    ReviewAction,
    RunOutcome,
    RunUpdate,
    VersionRequest,
)
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import DIGEST, decide, http, report, scan
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.waiting import PATIENCE_SECONDS

DAY_SECONDS = 86400.0
GOLDEN = {
    "goldenRecall": 0.99,
    "goldenFpr": 0.001,
    "goldenScores": {
        "ham": score_bins([0.001] * 300 + [0.02] * 50),
        "scam": score_bins([0.995] * 90 + [0.9] * 30),
    },
}


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[RunningApi]:
    """An API that puts every scan of who agrees into the audit sample."""
    with (
        running_api(tmp_path / "api", database_url, audit_sample_share=1.0) as running,
        model_server() as url,
    ):
        deploy(running.services.rollouts, url)
        wait_for_split(running)
        yield running


def register(api: RunningApi, metrics: dict[str, Any] | None = None) -> None:
    with api.client("pipeline", "pipeline") as pipeline:
        request = VersionRequest(digest=DIGEST, uri="packages/sms/a", metrics=metrics or GOLDEN)
        assert pipeline.register_version(ModelType.SMS, request).name == "sms-v1"


def facts(api: RunningApi) -> DriftFacts:
    with api.client("pipeline", "pipeline") as pipeline:
        return pipeline.drift_facts(ModelType.SMS)


def audited(api: RunningApi, truth: dict[str, str]) -> None:
    """Let a reviewer decide all that waits by what each message really is."""
    with api.client("rita", "reviewer") as rita:
        for item in rita.pending(limit=200).items:
            right = item.corrected_label == truth[item.scan.text]
            rita.review(item.id, ReviewAction.APPROVE if right else ReviewAction.REJECT)


def look(api: RunningApi, folder: Path, run_id: str = "drift-1", **options: Any) -> DriftLook:
    with api.client("pipeline", "pipeline") as pipeline:
        return run(
            pipeline,
            open_store(api.artifacts_root),
            folder / "report.json",
            model_type=ModelType.SMS,
            run_id=run_id,
            now=api.clock(),
            limits=DriftLimits(),
            cache=folder / "cache",
            **options,
        )


def test_audited_scans_of_the_champion_count_as_misses_and_false_alarms(api: RunningApi) -> None:
    register(api)
    truth = {
        "you win a prize": "spam",
        "we win tonight": "ham",
        "pay the parcel fee": "spam",
        "lunch at noon": "ham",
        "see you at home": "ham",
    }
    with api.client("ann") as ann:
        ann.set_consent(True)
    for text in truth:
        scan(api, "ann", text)
    audited(api, truth)
    (day,) = facts(api).days
    assert (day.number, day.misses.events, day.misses.trials) == (0, 1, 2)
    assert (day.false_alarms.events, day.false_alarms.trials) == (1, 3)
    api.clock.move_on(3 * DAY_SECONDS)
    scan(api, "ann", "call the bank back")
    audited(api, {"call the bank back": "spam"})
    first, later = facts(api).days
    assert first == day
    assert (later.number, later.misses.events, later.misses.trials) == (3, 1, 1)


def test_what_is_objected_to_counts_by_arm_and_week_and_a_flood_is_one_message(
    api: RunningApi,
) -> None:
    scan(api, "early", "before the release")
    register(api)
    decide(api, report(api, "bob", "pay the parcel fee").id)
    report(api, "cat", "call this number now")
    for number in range(5):
        scan(api, f"user-{number}", "you win a prize")
    api.clock.move_on(8 * DAY_SECONDS)
    report(api, "dan", "your account is closed")
    report(api, "eve", "lunch at noon", FeedbackType.CONFIRMED)
    seen = facts(api)
    (arm,) = seen.arms
    assert (arm.version, arm.arm, arm.scans, arm.objections, arm.errors) == (
        "sms-v1", "stable", 9, 3, 1,
    )  # fmt: skip
    opening, later = seen.days
    assert (opening.number, later.number) == (0, 8)
    assert (opening.objections.events, opening.objections.trials) == (2, 7)
    assert (later.objections.events, later.objections.trials) == (1, 2)
    assert (opening.complaints.events, opening.complaints.trials) == (1, 7)
    assert len(opening.scores) == len(SCORE_EDGES) + 1
    assert opening.scores == score_bins([0.05] * 2 + [0.95]), "a flood is one message"
    assert later.scores == score_bins([0.05] * 2)


def test_campaigns_are_told_folded_once_they_are_known_to_be_scams(api: RunningApi) -> None:
    decide(api, report(api, "old", "an older trick about taxes").id)
    api.clock.move_on(60.0)
    register(api)
    decide(api, report(api, "bob", "Pay 1.99 at http://fee.example/1 for the parcel").id)
    report(api, "cat", "nobody has decided on this")
    harmless = report(api, "dan", "we win tonight", FeedbackType.FALSE_POSITIVE)
    decide(api, harmless.id)
    (campaign,) = facts(api).campaigns
    assert campaign.text == "pay at for the parcei"
    assert campaign.reports == 1


def test_messages_that_the_clock_or_their_owner_erased_are_no_scores(
    tmp_path: Path, database_url: str
) -> None:
    with (
        running_api(tmp_path / "kept", database_url, retention_days=5.0) as api,
        model_server() as url,
    ):
        deploy(api.services.rollouts, url)
        wait_for_split(api)
        register(api)
        scan(api, "ann", "you win a prize")
        report(api, "bob", "pay the parcel fee")
        api.clock.move_on(6 * DAY_SECONDS)
        look_after(api.services)
        scan(api, "cat", "lunch at noon")
        scan(api, "dan", "you win the lottery")
        with api.client("dan") as dan:
            dan.erase_me()
        kept = [day.scores for day in facts(api).days if any(day.scores)]
        assert kept == [score_bins([0.05])]


def test_only_the_pipeline_and_admins_are_told(api: RunningApi) -> None:
    with api.client("pipeline", "pipeline") as pipeline, pytest.raises(NotFound):
        pipeline.drift_facts(ModelType.SMS)
    with api.client("rita", "reviewer") as rita, pytest.raises(Forbidden):
        rita.drift_facts(ModelType.SMS)


def test_too_little_is_no_steadiness_and_the_look_is_no_retraining(
    api: RunningApi, tmp_path: Path
) -> None:
    register(api)
    said = look(api, tmp_path)
    assert said.verdict is DriftVerdict.CANNOT_TELL
    assert {signal.says for signal in said.signals} == {DriftVerdict.CANNOT_TELL}
    with api.client("pipeline", "pipeline") as pipeline:
        (recorded,) = pipeline.runs()
        success = {each.name: each for each in pipeline.stats().metrics}["retrainingSuccess"]
    assert (recorded.trigger, recorded.outcome) == (DRIFT_TRIGGER, RunOutcome.SKIPPED)
    assert recorded.message.startswith("cannot_tell: ")
    assert success.n == 0
    assert "0 skipped" in success.note


def test_scores_like_nothing_in_the_golden_set_ask_and_the_reason_stays_with_the_run(
    api: RunningApi, tmp_path: Path
) -> None:
    register(api)
    for number in range(60):  # "maybe" is scored 0.5, where the golden set has nothing
        scan(api, f"user-{number % 7}", f"maybe {'abcdefghij'[number % 10] * (number + 3)}")
    said = look(api, tmp_path, goes_on=True)
    asking = [signal for signal in said.signals if signal.says is DriftVerdict.RETRAIN]
    assert said.verdict is DriftVerdict.RETRAIN
    assert [signal.name for signal in asking] == ["scores"]
    assert "60 of 60 different messages" in said.reason
    with api.client("pipeline", "pipeline") as pipeline:
        (recorded,) = pipeline.runs()
    assert recorded.outcome is RunOutcome.RUNNING, "the retraining goes on under the same name"
    assert recorded.message == f"retrain: {said.reason}"
    assert DriftLook.model_validate(recorded.steps[DRIFT_STEP]) == said
    shown = httpx.get(f"{api.url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
    gauges = {
        (sample.name, sample.labels.get("signal")): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
        if sample.name.startswith("shield_drift") and sample.labels["model_type"] == "sms"
    }
    assert gauges["shield_drift_asks", None] == 1
    assert gauges["shield_drift_looked_timestamp_seconds", None] == pytest.approx(
        said.at.timestamp()
    )
    assert gauges["shield_drift_evidence", "scores"] >= 1
    with http(api, "rita", "reviewer", "admin") as client:
        assert client.get("/api/v2/runs/drift-1").json()["data"]["steps"]["drift"]["alpha"] == 0.05


def test_a_retraining_that_drift_asked_for_is_not_repeated_within_a_week(
    api: RunningApi, tmp_path: Path
) -> None:
    register(api)
    for number in range(60):
        scan(api, f"user-{number % 7}", f"maybe {'abcdefghij'[number % 10] * (number + 3)}")
    assert not look(api, tmp_path, "only-a-look").retrains
    assert look(api, tmp_path, "drift-1", goes_on=True).retrains
    assert look(api, tmp_path, "drift-1", goes_on=True).retrains, "the same run, killed, goes on"
    with api.client("pipeline", "pipeline") as pipeline:
        pipeline.finish_run("drift-1", RunUpdate(outcome=RunOutcome.FAILED, message="no disk"))
        assert look(api, tmp_path, "drift-2", goes_on=True).retrains, "a failure is tried again"
        pipeline.finish_run("drift-2", RunUpdate(outcome=RunOutcome.REFUSED, message="slices"))
    api.clock.move_on(DAY_SECONDS)
    again = look(api, tmp_path, "drift-3", goes_on=True)
    assert (again.verdict, again.retrains) == (DriftVerdict.RETRAIN, False)
    assert "drift-2, refused" in again.reason
    api.clock.move_on(7 * DAY_SECONDS)
    assert look(api, tmp_path, "drift-4", goes_on=True).retrains
