"""Run the weekly retraining of one model type on this machine.

    python -m pipelines.run --model-type sms [--run-id X] [--min-feedback N] [--hand-over] [--json]

With `--hand-over` it stops before the challenger is signed, and leaves it for `pipelines.register`.
The same run id is the same run: after a crash it gets the same batch and finishes the work.
Progress goes to stderr; with `--json` one JSON object per line, and the result alone, as JSON, to
stdout.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from components.finish_run import step as finish_run
from components.finish_run.step import outcome_of
from components.shared import datasets
from components.shared.environment import StepSettings, open_artifacts, open_client
from components.shared.runs import read_outcome
from pipelines import handover
from pipelines.local import LocalRun, LocalRunner, StepProgress, explain
from shield.errors import NotFound, ShieldError
from shield.labels import ModelType
from shield.retraining import RetrainingParameters, checked, parsed
from shield.run_files import RunInputs
from shield.wire import MANUAL, SCHEDULED

_WAITS = "The challenger is judged, and waits to be signed and registered."


@dataclass
class RunResult:
    """How a run ended."""

    run_id: str
    model_type: str
    outcome: str
    """succeeded, refused, skipped or failed; running: what it has made waits to be registered."""
    message: str
    version: str | None = None
    batch: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    report: str | None = None
    """Path of the HTML evaluation."""
    data_card: str | None = None
    directory: str = ""


def new_run_id(model_type: str, now: datetime) -> str:
    """Return an id that sorts by time."""
    return f"{model_type}-{now.astimezone(UTC):%Y%m%dt%H%M%S}-{uuid4().hex[:6]}"


def trigger_of(run_id: str | None) -> str:
    """Return what has started a run, by its name.

    A cluster names the Jobs of a CronJob's schedule after it and the minutes since 1970; those that
    somebody makes from it are named by that person.
    """
    return SCHEDULED if run_id and re.search(r"-\d{8}$", run_id) else MANUAL


def run_weekly(
    *,
    model_type: str,
    runs_dir: Path,
    run_id: str | None = None,
    min_feedback: int = RetrainingParameters.model_fields["min_feedback"].default,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    hand_over: bool = False,
    trigger: str = MANUAL,
    on_progress: Callable[[StepProgress], None] = lambda _: None,
) -> RunResult:
    """Run the graph to its end and write `run.json` into the run's directory.

    Args:
        model_type: Value of a `ModelType`.
        runs_dir: The run's directory is made in it.
        run_id: The run to begin, or to finish.
        min_feedback: Fewer approved corrections than this: the run is skipped.
        seed: Seed of all random draws.
        parameters: Other parameters of the graph.
        env: Added to the environment of the steps.
        hand_over: Leave the judged challenger to whoever signs, instead of registering it.
        trigger: What has started the run.
        on_progress: Called as steps begin and end.

    Raises:
        Invalid: An unknown model type or parameter.
    """
    from pipelines.graph import weekly_retraining, weekly_training

    kind = ModelType(model_type)
    told = {"min_feedback": min_feedback, "seed": seed}
    chosen = checked({**told, **(parameters or {})})  # before anything is made
    name = run_id or new_run_id(kind, datetime.now(UTC))
    directory = runs_dir / name
    directory.mkdir(parents=True, exist_ok=True)
    arguments = {"model_type": kind.value, "run_id": name, "trigger": trigger, **chosen}
    surroundings = {"SHIELD_CHECKPOINT_DIR": str(directory / "checkpoints"), **(env or {})}
    if hand_over and handover.waits(open_artifacts(), name):
        return RunResult(name, kind.value, "running", _WAITS, directory=str(directory))
    graph = weekly_training if hand_over else weekly_retraining
    done = LocalRunner(directory, surroundings, on_progress).run(graph, arguments)
    result = RunResult(name, kind.value, "failed", explain(done), directory=str(directory))
    result.seconds = done.seconds
    result.report = _file(done.outputs.get("evaluate"), "report")
    result.data_card = _file(done.outputs.get("build-dataset"), "card")
    pinned = _file(done.outputs.get("collect"), "inputs")
    if pinned is not None:
        batch = RunInputs.read(Path(pinned)).batch
        result.batch = batch.id if batch else None
    if hand_over and done.succeeded and "gate" in done.outputs:
        handover.leave(open_artifacts(), name, done)
        datasets.forget(open_artifacts(), name)
        result.outcome, result.message = "running", _WAITS
    elif hand_over:
        _end(kind, result, done)
    elif done.succeeded:
        said = read_outcome(open_artifacts(), name)
        ended = outcome_of(said, job_id=said.job_id, state="SUCCEEDED")
        result.outcome, result.message = ended.outcome.value, ended.message
        result.version = ended.version
    _write_whole(directory / "run.json", json.dumps(asdict(result), indent=1).encode())
    if done.succeeded:  # nothing is left to go on with: more than half of what the run occupies
        shutil.rmtree(directory / "checkpoints", ignore_errors=True)
    return result


def _end(kind: ModelType, result: RunResult, done: LocalRun) -> None:
    """Record the end of a run that has nothing to hand over, as `finish_run` does in the graph."""
    settings, store = StepSettings(), open_artifacts()
    try:
        job_id = read_outcome(store, result.run_id).job_id
    except NotFound:
        job_id = ""
    with open_client(settings) as client:
        ended = finish_run.run(
            client,
            store,
            model_type=kind,
            run_id=result.run_id,
            job_id=job_id,
            state="SUCCEEDED" if done.succeeded else finish_run.FAILED,
            error="" if done.succeeded else explain(done),
            engine=settings.engine,
        )
    result.outcome, result.message = ended.outcome.value, ended.message


def _file(folder: Path | None, name: str) -> str | None:
    if folder is None:
        return None
    path = folder / name
    if not path.exists():
        return None
    if name in ("report", "card") and path.is_file():
        # A browser goes by the ending.
        page = path.with_suffix(".html")
        page.unlink(missing_ok=True)
        page.hardlink_to(path)
        return str(page)
    return str(path)


def _write_whole(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    fresh.write_bytes(content)
    fresh.replace(path)


def record_steps(result: RunResult) -> None:
    """Keep the seconds per step with the run in the registry."""
    from shield.wire import RunOutcome, RunUpdate

    with open_client(StepSettings()) as client:
        client.finish_run(
            result.run_id,
            RunUpdate(
                outcome=RunOutcome(result.outcome),
                message=result.message[:2000],
                version=result.version,
                steps={name: {"seconds": value} for name, value in result.seconds.items()},
            ),
        )


def progress_printer(machine: bool) -> Callable[[StepProgress], None]:
    """Return a function that writes progress to stderr, for people or for machines."""

    def tell(step: StepProgress) -> None:
        if machine:
            line = json.dumps(asdict(step))
        elif step.state == "started":
            line = f"  {step.name} ..."
        elif step.state == "running":
            line = f"    {step.detail}"
        else:
            mark = "done" if step.state == "finished" else "FAILED"
            line = f"  {step.name} {mark} in {step.seconds:.1f} s {step.detail}".rstrip()
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    return tell


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 0 unless the run failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.run", description=__doc__)
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--run-id")
    defaults = RetrainingParameters()
    parser.add_argument("--min-feedback", type=int, default=defaults.min_feedback)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument(
        "--runs-dir",
        type=Path,
        default=Path(os.environ.get("SHIELD_HOME", ".")) / "runs",
        help="where the run's directory is made",
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--hand-over", action="store_true", help="leave the challenger to `pipelines.register`"
    )
    parser.add_argument("--trigger", help="what has started it; else its name tells")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        result = run_weekly(
            model_type=options.model_type,
            runs_dir=options.runs_dir,
            run_id=options.run_id,
            min_feedback=options.min_feedback,
            seed=options.seed,
            parameters=parsed(options.set),
            hand_over=options.hand_over,
            trigger=options.trigger or trigger_of(options.run_id),
            on_progress=progress_printer(options.json),
        )
        if result.outcome != "failed":
            record_steps(result)
    except (ShieldError, NotFound, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if options.json:
        print(json.dumps(asdict(result)))  # noqa: T201
    else:
        print(f"{result.run_id}: {result.outcome}. {result.message}")  # noqa: T201
    if result.outcome == "failed":
        print(result.message, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
