"""The weekly run through kfp.local: its branches, and what is left when it is killed anywhere."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from api.privacy.retention import look_after
from components.shared.corpus_store import publish
from pipelines.graph import STEPS
from shield.artifacts.opening import open_store
from shield.labels import ModelType
from shield.packages.manifest import SIGNATURE
from shield.wire import BatchStatus, VersionStatus
from tests.support.arms import version_ref
from tests.support.corpora import small_sms_corpus
from tests.support.learning import World, learning_world
from tests.support.tiny import tiny_encoder
from tests.support.traces import in_files, in_store
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.xdist_group("weekly"), pytest.mark.timeout(1800)]

# A model of this size judges nothing well; what is proved here does not hang on how well.
LENIENT = {"firstRecall": 0.0, "recallHarm": 1.0, "int8Flips": 1.0, "int8Harm": 1.0}
WORDS = ["zebrapacket", "quaggabox"]
"""In no corpus: what is left of them is left of what people have sent."""
FAST = {"epochs": 1, "learning_rate": 1e-3, "max_tokens": 32, "replay": 200}


@dataclass
class Learner:
    """A world with a small corpus, and the command that retrains in it."""

    world: World
    url: str
    corpus: Path
    encoder: Path

    def command(self, run_id: str, **parameters: Any) -> list[str]:
        """Return what a user would type."""
        command = [sys.executable, "-m", "pipelines.run", "--model-type", "sms", "--json"]
        command += ["--run-id", run_id, "--min-feedback", "5"]
        command += ["--runs-dir", str(self.world.folder / "runs")]
        for name, value in {"limits": LENIENT, **FAST, **parameters}.items():
            command += ["--set", f"{name}={json.dumps(value)}"]
        return command

    def start(self, run_id: str, **parameters: Any) -> "subprocess.Popen[str]":
        """Start the command as a user would, in a process group of its own."""
        environment = {
            **os.environ,
            **self.world.environment,
            "SHIELD_BASE_MODEL": str(self.encoder),
            "SHIELD_CHECKPOINT_SECONDS": "0",
        }
        return subprocess.Popen(
            self.command(run_id, **parameters),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, run_id: str, **parameters: Any) -> dict[str, Any]:
        """Run to the end and return the result."""
        out, err = self.start(run_id, **parameters).communicate(timeout=1200)
        assert out, err[-3000:]
        found: dict[str, Any] = json.loads(out)
        return found

    def killed(
        self,
        run_id: str,
        name: str,
        state: str,
        *,
        said: str = "",
        times: int = 1,
        **parameters: Any,
    ) -> None:
        """Run until `name` has reported `state`, then kill the runner alone, without a word.

        Args:
            run_id: The run, the same when it is taken up again.
            name: The step.
            state: What it reports.
            said: What the report must say besides.
            times: How many such reports it takes.
            **parameters: Of the run.
        """
        process = self.start(run_id, **parameters)
        assert process.stderr is not None
        seen, heard = [], 0
        for line in process.stderr:
            seen.append(line)
            told = json.loads(line) if line.startswith("{") else {}
            if (told.get("name"), told.get("state")) == (name, state):
                heard += said in (told.get("detail") or "")
            if heard == times:
                break
        else:
            pytest.fail(f"the run ended before {name} was {state}: {''.join(seen)[-3000:]}")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_SECONDS)

    def corrections(self, first: int, count: int) -> int:
        """Let users correct some messages that no set of the corpus holds twice."""
        table = pl.read_parquet(self.corpus / "traffic.parquet").sort("id")
        scams = table.filter(pl.col("label") == 1).slice(first // 2, count // 2)
        hams = table.filter(pl.col("label") == 0).slice(first, count - scams.height)
        rows = pl.concat([scams, hams]).select("text", "label").rows()
        return self.world.correct([(text, label) for text, label in rows])


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    with learning_world(tmp_path) as (world, url):
        corpus = small_sms_corpus()
        publish(open_store(world.api.artifacts_root), corpus)
        # Somebody must answer scans. The registry does not know it: nothing was trained yet.
        world.make_stable(version_ref("sms-v0"), ModelType.SMS, url)
        yield Learner(world, url, corpus, tiny_encoder())


@pytest.mark.parametrize(
    "steps",
    [
        # Where a run changes something outside, or has worked long; between these it only reads.
        pytest.param(("collect", "train", "register", "request_rollout"), id="with an effect"),
        pytest.param(STEPS, id="all", marks=pytest.mark.slow),
    ],
)
def test_killed_after_a_step_it_keeps_its_batch_and_loses_and_repeats_nothing(
    learner: Learner, steps: tuple[str, ...]
) -> None:
    count = learner.corrections(0, 24)
    batches = set()

    def held() -> str:
        with learner.world.service() as client:
            (batch,) = client.batches(model_type=ModelType.SMS)
        assert batch.count == count, "a correction was lost"
        return batch.id

    for step in steps:
        if step == "train":
            learner.killed("the-run", "train", "running")
            batches.add(held())
        learner.killed("the-run", step, "finished")
        batches.add(held())
    with learner.world.service() as client:
        (made,) = client.versions(ModelType.SMS)
    # While the run lay dead its version was promoted: the end of the run must not learn from it.
    learner.world.make_stable(made.ref, ModelType.SMS, learner.url)

    result = learner.run("the-run")

    assert result["outcome"] == "succeeded"
    assert not (learner.world.folder / "runs/the-run/checkpoints").exists(), "a week is kept twice"
    assert len(batches | {result["batch"]}) == 1, "the same run got another batch"
    with learner.world.service() as client:
        (version,) = client.versions(ModelType.SMS)
        (batch,) = client.batches(model_type=ModelType.SMS)
        later = client.lease_batch(ModelType.SMS, "next-week", minimum=1)
    assert version.name == result["version"] == batch.version
    assert version.batches == [batch.id]
    assert batch.status is BatchStatus.ACKNOWLEDGED
    assert (later.outcome, later.count) == ("too_few", 0), "a correction would be trained twice"


def test_killed_in_the_middle_of_training_it_goes_on_to_the_same_model(learner: Learner) -> None:
    learner.corrections(0, 24)
    # A step is kept after it was reported: by the second report there is a first checkpoint.
    learner.killed("broken", "train", "running", said=" steps", times=2, epochs=2)
    kept = list((learner.world.folder / "runs/broken/checkpoints").glob("*/checkpoint.pt"))
    log = learner.world.folder / "runs/broken/steps.log"
    assert kept, "training was killed before its first checkpoint"
    learner.killed("broken", "train", "finished", epochs=2)
    assert '"resumed"' in log.read_text()

    resumed = _train_digest(learner, "broken")
    whole = learner.world.folder / "whole-checkpoints"
    checkpoints = learner.world.folder / "runs/broken/checkpoints"
    checkpoints.rename(whole)  # as if the run had never been trained before
    learner.killed("broken", "train", "finished", epochs=2)

    assert _train_digest(learner, "broken") == resumed


def test_too_few_corrections_are_an_outcome_and_only_collect_runs(learner: Learner) -> None:
    learner.corrections(0, 4)
    result = learner.run("early")
    assert result["outcome"] == "skipped"
    assert list(result["seconds"]) == ["collect", "finish_run"]
    assert "2 approved corrections; 5 are needed" in result["message"]
    with learner.world.service() as client:
        assert client.runs()[0].outcome.value == "skipped"
        assert client.batches(model_type=ModelType.SMS, status=BatchStatus.LEASED) == []


def test_a_refused_challenger_is_recorded_and_its_corrections_come_back(learner: Learner) -> None:
    count = learner.corrections(0, 24)
    result = learner.run("strict", limits={**LENIENT, "firstRecall": 1.0})
    assert result["outcome"] == "refused"
    assert set(STEPS) <= set(result["seconds"]), "a refusal must not skip the record"
    with learner.world.service() as client:
        (version,) = client.versions(ModelType.SMS)
        assert version.status is VersionStatus.REFUSED
        signature = learner.world.api.artifacts_root / version.uri / SIGNATURE
        assert json.loads(signature.read_text())["purpose"] == "record"
        assert "first-model" in (version.refusal or "")
        assert client.runs()[0].outcome.value == "refused"
        (rollout,) = client.rollouts()
        assert rollout.spec.version.name == "sms-v0", "a refused version was proposed"
        again = client.lease_batch(ModelType.SMS, "next-week", minimum=5)
    assert again.count == count


def test_a_run_that_never_had_the_signing_key_is_signed_and_registered_elsewhere(
    learner: Learner,
) -> None:
    learner.corrections(0, 24)
    learner.world.correct(
        [(f"Your {word} waits at the counter, call 0900 77 31", 1) for word in WORDS]
    )
    keyed = {**os.environ, **learner.world.environment, "SHIELD_BASE_MODEL": str(learner.encoder)}
    keyless = {name: value for name, value in keyed.items() if name != "SHIELD_SIGNING_KEY"}

    def done(environment: dict[str, str], *command: str) -> str:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=1200, check=False
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        return ended.stdout

    train = [*learner.command("apart"), "--hand-over"]
    first = json.loads(done(keyless, *train))
    again = json.loads(done(keyless, *train))
    assert (first["outcome"], again["outcome"]) == ("running", "running")
    assert again["seconds"] == {}, "what waits to be registered was trained twice"
    with learner.world.service() as client:
        assert client.versions(ModelType.SMS) == []
    sign = [sys.executable, "-m", "pipelines.register", "--model-type", "sms", "--run-id", "apart"]
    # The run is not over, but nothing needs its messages any more.
    store = open_store(learner.world.api.artifacts_root)
    words = [word.encode() for word in WORDS]
    assert in_files(learner.world.folder / "runs", words) == []
    assert {found.split("/")[0] for found in in_store(store, words)} == {"batches"}
    assert done(keyed, *sign) == "sms-v1\n"
    assert done(keyed, *sign) == "Nothing waits to be registered.\n"
    with learner.world.service() as client:
        (version,) = client.versions(ModelType.SMS)
        (batch,) = client.batches(model_type=ModelType.SMS)
        (run,) = client.runs()
        assert client.rollout(ModelType.SMS).spec.version.name == "sms-v1"
    assert (batch.status, batch.version) == (BatchStatus.ACKNOWLEDGED, "sms-v1")
    assert (run.outcome.value, run.version) == ("succeeded", "sms-v1")
    signature = learner.world.api.artifacts_root / version.uri / SIGNATURE
    assert json.loads(signature.read_text())["purpose"] == "release"
    assert list(store.list("runs/apart/chall")) == []
    for number in range(len(WORDS)):
        with learner.world.api.client(f"user-{number}") as user:
            user.erase_me()
    look_after(learner.world.api.services)
    assert in_files(learner.world.folder, words) == []


def test_an_outage_of_the_api_is_a_failure_never_a_skip(learner: Learner) -> None:
    learner.corrections(0, 4)
    environment = {
        **os.environ,
        **learner.world.environment,
        "SHIELD_API_URL": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        learner.command("dark"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["outcome"] == "failed"
    assert "did not answer" in done.stderr.splitlines()[-1]


def _train_digest(learner: Learner, run_id: str) -> str:
    folder = learner.world.folder / "runs" / run_id / "artifacts"
    newest = max(folder.glob("*/train/model/manifest.json"), key=lambda path: path.stat().st_mtime)
    return newest.read_text()
