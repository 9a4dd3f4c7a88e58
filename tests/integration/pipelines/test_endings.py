"""How a run ends is told by its own record: in the registry, on the pages, and to the alert.

The states are those of Kubeflow Pipelines: 2.17.0 and 2.16, walked with KFP's own driver and
launcher (only the launcher writes the state of a DAG, and a branch that is not taken starts none);
and those of `kfp.local` 2.17.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.finish_run.step import run
from components.shared.runs import amend_outcome, begin_outcome
from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.labels import ModelType
from shield.wire import DRIFT_TRIGGER, RunOutcome
from tests.support.api import RunningApi, running_api
from tests.support.desk import signed_in


class Ending(NamedTuple):
    """What the steps write, what three engines say, and what must be recorded."""

    name: str
    steps: Callable[[ArtifactStore, str], None]
    kfp_2_17: str
    kfp_2_16: str
    local: str | None
    outcome: RunOutcome
    drift: bool = False


def succeeds(store: ArtifactStore, run_id: str) -> None:
    begin_outcome(store, run_id, run_id)
    amend_outcome(store, run_id, outcome=RunOutcome.SUCCEEDED, version="sms-v2")
    amend_outcome(store, run_id, ended=True)


def too_few(store: ArtifactStore, run_id: str) -> None:
    begin_outcome(store, run_id, run_id)
    amend_outcome(store, run_id, outcome=RunOutcome.SKIPPED, message="4 approved", ended=True)


def leases(store: ArtifactStore, run_id: str) -> None:
    begin_outcome(store, run_id, run_id)


def looks_then(store: ArtifactStore, run_id: str, then: Callable[..., None]) -> None:
    begin_outcome(store, run_id, run_id)
    then(store, run_id)


ENDINGS = [
    Ending("succeeds", succeeds, "COMPLETE", "RUNNING", "SUCCEEDED", RunOutcome.SUCCEEDED),
    Ending("too-few", too_few, "RUNNING", "RUNNING", "SUCCEEDED", RunOutcome.SKIPPED),
    Ending("steady", too_few, "RUNNING", "RUNNING", "SUCCEEDED", RunOutcome.SKIPPED, True),
    Ending(
        "drift-too-few",
        lambda store, run_id: looks_then(store, run_id, too_few),
        *("RUNNING", "RUNNING", "SUCCEEDED", RunOutcome.SKIPPED, True),
    ),
    Ending("train-fails", leases, "FAILED", "RUNNING", "FAILED", RunOutcome.FAILED),
    Ending(
        "train-killed",
        lambda store, run_id: looks_then(store, run_id, leases),
        *("RUNNING", "RUNNING", None, RunOutcome.FAILED, True),
    ),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as api:
        yield api


def ended(api: RunningApi, run_id: str, ending: Ending, state: str) -> RunOutcome:
    store = open_store(api.artifacts_root)
    with api.client("pipeline", "pipeline") as client:
        trigger = DRIFT_TRIGGER if ending.drift else "manual"
        client.start_run(run_id, ModelType.SMS, engine="kfp", trigger=trigger)
        ending.steps(store, run_id)
        return run(
            client, store, model_type=ModelType.SMS, run_id=run_id, job_id=run_id, state=state
        ).outcome


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.name)
@pytest.mark.parametrize("engine", ["kfp_2_17", "kfp_2_16", "local"])
def test_a_run_is_recorded_as_it_ended_whatever_the_engine_says(
    api: RunningApi, ending: Ending, engine: str
) -> None:
    state = getattr(ending, engine)
    if state is None:
        pytest.skip("kfp.local runs processes; a killed one is a failed step")
    assert ended(api, f"{engine}-{ending.name}", ending, state) is ending.outcome


def test_the_statistics_the_runs_page_and_the_alert_tell_the_six_endings_apart(
    tmp_path: Path,
) -> None:
    with running_api(tmp_path, embedded=True) as api:
        for ending in ENDINGS:
            ended(api, ending.name, ending, ending.kfp_2_17)
        token = {"Authorization": f"Bearer {api.token('ann', 'admin', 'reviewer')}"}
        with httpx.Client(base_url=api.url, headers=token, trust_env=False) as http:
            (success,) = (
                metric
                for metric in http.get("/api/v2/feedback/stats").json()["data"]["metrics"]
                if metric["name"] == "retrainingSuccess"
            )
            # One success, two failures; a skip counts neither way, a quiet look not at all.
            assert success["value"] == pytest.approx(1 / 3)
            assert "1 skipped" in success["note"]
            runs = {row["runId"]: row for row in http.get("/api/v2/runs").json()["data"]}
            assert {name: row["outcome"] for name, row in runs.items()} == {
                ending.name: ending.outcome.value for ending in ENDINGS
            }
            assert "were killed" in runs["train-killed"]["message"]
        with signed_in(api) as browser:
            page = browser.get("/review/runs").text
        for ending in ENDINGS:
            row = page[page.index(f'id="{ending.name}"') :]
            assert re.search(rf">\s*{ending.outcome.value}\s*<", row[: row.index("</tr>")])
        assert failing(api) == {"retraining": 1.0, "drift": 1.0}
        ended(api, "next-week", ENDINGS[1], "RUNNING")
        ended(api, "next-day", ENDINGS[2], "RUNNING")
        assert failing(api) == {"retraining": 0.0, "drift": 0.0}, "a quiet week is no failure"


def failing(api: RunningApi) -> dict[str, float]:
    shown = httpx.get(f"{api.url}/metrics", trust_env=False).text
    return {
        sample.labels["kind"]: sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
        if sample.name == "shield_run_failed" and sample.labels["model_type"] == "sms"
    }


def test_a_record_of_an_earlier_run_of_the_same_id_does_not_speak_for_this_one(
    api: RunningApi,
) -> None:
    store = open_store(api.artifacts_root)
    too_few(store, "again")
    with api.client("pipeline", "pipeline") as client:
        client.start_run("again", ModelType.SMS)
        found = run(
            client,
            store,
            model_type=ModelType.SMS,
            run_id="again",
            job_id="another-job",
            state="RUNNING",
        )
    assert found.outcome is RunOutcome.FAILED
    assert "before its first step" in found.message


def test_a_run_whose_first_step_never_started_is_on_record_as_failed(api: RunningApi) -> None:
    with api.client("pipeline", "pipeline") as client:
        found = run(
            client,
            open_store(api.artifacts_root),
            model_type=ModelType.VOICE,
            run_id="no-image",
            job_id="no-image",
            state="FAILED",
            engine="kfp",
        )
    assert (found.outcome, found.engine) == (RunOutcome.FAILED, "kfp")


def test_a_rollout_that_could_not_be_asked_for_is_no_success(api: RunningApi) -> None:
    """`register` has recorded a success; the pods of `request_rollout` were killed."""

    def stopped(store: ArtifactStore, run_id: str) -> None:
        begin_outcome(store, run_id, run_id)
        amend_outcome(store, run_id, outcome=RunOutcome.SUCCEEDED, version="sms-v2")

    ending = Ending("rollout-killed", stopped, "RUNNING", "RUNNING", None, RunOutcome.FAILED)
    assert ended(api, ending.name, ending, "RUNNING") is RunOutcome.FAILED
