"""The drift watch through its graph and its command: one run is the look and what it asks for."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.shared.corpus_store import publish
from pipelines.drift_graph import drift_watching
from pipelines.graph import STEPS
from pipelines.local import LocalRun, LocalRunner
from shield.artifacts.opening import open_store
from shield.labels import ModelType, ScanType
from shield.metrics import score_bins
from shield.packages import load_private_key, push, sign
from shield.wire import DRIFT_TRIGGER, BatchStatus, RunOutcome, RunRead, VersionRequest
from tests.support.corpora import small_sms_corpus
from tests.support.learning import World, learning_world
from tests.support.packages import signed_package
from tests.support.tiny import tiny_encoder

pytestmark = [pytest.mark.xdist_group("drift"), pytest.mark.timeout(1800)]

# So small a model judges nothing well; what is shown here does not hang on how well.
LENIENT = {"int8Flips": 1.0, "int8Harm": 1.0, "recallHarm": 1.0}
FAST = {"start": "base", "epochs": 1, "learning_rate": 1e-3, "max_tokens": 32, "replay": 200}
GOLDEN = {"ham": score_bins([0.001] * 400), "scam": score_bins([0.999] * 100)}
"""A champion that was sure of everything when it was judged."""


@dataclass
class Watched:
    """A champion that scores everything 0.5 by now, and people who correct it."""

    world: World
    corpus: Path
    encoder: Path

    def corrections(self) -> int:
        """Let users scan, report the verdicts on some messages, and a reviewer approve."""
        with self.world.api.client("ann") as ann:
            for number in range(60):  # as many different messages as a look needs
                ann.scan(ScanType.TEXT, f"word{'abcdefghij'[number % 10]} " * (number + 1))
        table = pl.read_parquet(self.corpus / "traffic.parquet").sort("id")
        parts = [table.filter(pl.col("label") == label).head(60) for label in (0, 1)]
        return self.world.correct(pl.concat(parts).select("text", "label").rows())

    def graph(self, run_id: str) -> LocalRun:
        runner = LocalRunner(
            self.world.folder / "runs" / run_id,
            {**self.world.environment, "SHIELD_BASE_MODEL": str(self.encoder)},
        )
        given = {"model_type": "sms", "run_id": run_id, "min_feedback": 10, "limits": LENIENT}
        return runner.run(drift_watching, {**given, **FAST})

    def run_of(self, run_id: str) -> RunRead:
        with self.world.service() as client:
            return next(run for run in client.runs() if run.run_id == run_id)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with learning_world(tmp_path, judge=lambda _: 0.5) as (world, url):
        corpus = small_sms_corpus()
        publish(open_store(world.api.artifacts_root), corpus)
        package = tmp_path / "package"
        shutil.copytree(signed_package(0).package.path, package)
        sign(package, load_private_key(tmp_path / "keys/signing.pem"))
        pushed = push(open_store(world.api.artifacts_root), package)
        request = VersionRequest(
            digest=pushed.digest, uri=pushed.uri, metrics={"goldenScores": GOLDEN}
        )
        with world.service() as client:
            version = client.register_version(ModelType.SMS, request)
        world.make_stable(version.ref, ModelType.SMS, url)
        yield Watched(world, corpus, tiny_encoder())


def test_a_look_without_drift_starts_nothing_and_is_recorded(watched: Watched) -> None:
    done = watched.graph("drift-quiet")
    assert done.succeeded, done.error
    assert list(done.seconds) == ["drift_watch", "finish_run"]
    run = watched.run_of("drift-quiet")
    assert (run.trigger, run.outcome) == (DRIFT_TRIGGER, RunOutcome.SKIPPED)
    assert run.message.startswith("cannot_tell: ")


def test_drift_retrains_in_the_same_run_whose_reason_stays_on_record(watched: Watched) -> None:
    count = watched.corrections()
    done = watched.graph("drift-loud")
    assert done.succeeded, done.error
    assert {"drift_watch", *STEPS, "finish_run"} <= set(done.seconds)
    run = watched.run_of("drift-loud")
    with watched.world.service() as client:
        (batch,) = client.batches(model_type=ModelType.SMS)
        made = client.version(ModelType.SMS, run.version or "")
    assert run.trigger == DRIFT_TRIGGER
    assert run.outcome in (RunOutcome.SUCCEEDED, RunOutcome.REFUSED), run.message
    assert (batch.count, batch.run_id, made.run_id) == (count, run.run_id, run.run_id)
    look: dict[str, Any] = run.steps["drift"]
    assert (look["verdict"], look["champion"]) == ("retrain", "sms-v1")
    assert "are scored like neither class" in look["reason"]
    scores = made.metrics["goldenScores"]
    assert sum(scores["ham"]) + sum(scores["scam"]) == made.metrics["goldenSize"]


def test_the_command_asks_for_corrections_and_keeps_the_reason_where_they_are_too_few(
    watched: Watched,
) -> None:
    watched.corrections()
    command = [sys.executable, "-m", "pipelines.drift", "--model-type", "sms", "--json"]
    command += ["--run-id", "drift-early", "--set", "min_feedback=500"]
    command += ["--runs-dir", str(watched.world.folder / "runs")]
    done = subprocess.run(
        command,
        env={**os.environ, **watched.world.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["verdict"] == "retrain"
    assert told["retraining"]["run_id"] == "drift-early"
    assert told["retraining"]["outcome"] == "skipped"
    run = watched.run_of("drift-early")
    assert (run.trigger, run.outcome) == (DRIFT_TRIGGER, RunOutcome.SKIPPED)
    # Everything is flagged: reports on the scams are confirmations, which do not count.
    assert run.message == "60 approved corrections; 500 are needed."
    assert run.steps["drift"]["verdict"] == "retrain"
    assert run.steps["collect"]["seconds"] > 0
    with watched.world.service() as client:
        assert client.batches(status=BatchStatus.LEASED) == []
