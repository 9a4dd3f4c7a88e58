"""Train, judge, sign and register a linear first version of model types, in seconds.

    python -m cli.first_version --model-type sms --model-type voice --data-dir D [--json]
    python -m cli.first_version --model-type sms --data-dir D --part train  # then --part register

On a cluster the two parts are two containers: what trains never has the signing key. The second
leaves a model type alone for which a version has been asked for.

The steps are those of every version, without the transformer: corpus, linear model, package,
evaluation, gates, registration, rollout. The corpus is cut as `pipelines.base` cuts it, so that the
transformer that comes later is judged on the same golden messages.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pipelines.local import StepProgress
from pipelines.run import progress_printer
from shield.client import ShieldClient
from shield.errors import Invalid, NotFound, ShieldError, Unavailable
from shield.gates import PROMOTE, Decision, GateLimits
from shield.labels import MODEL_TYPES, ModelType, type_names
from shield.wire import RunOutcome, RunUpdate

REASON = "the first version, which serves until the transformer is trained"
TRIGGER = "first version"
MOST_LONG = 1000
"""Messages that teach where they are as long as mails; the transformer learns from more."""
QUICK = 600
_API_SECONDS = {"both": 120.0, "register": 600.0}
"""The services start while the model is trained. On a cluster their images are fetched meanwhile;
longer than this nobody waits for them."""
_SECONDS = "seconds.json"
_RETRY_SECONDS = 0.2

Tell = Callable[[StepProgress], None]
Part = Literal["both", "train", "register"]
"""What a call does."""


@dataclass
class First:
    """What became of a model type's first version."""

    model_type: str
    version: str | None = None
    """None: it is not served; `message` says why."""
    message: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    """By step."""


def first_version(
    kind: ModelType,
    seed: int,
    folder: Path,
    tell: Tell,
    *,
    quick: bool = False,
    part: Part = "both",
) -> First:
    """Make and release the linear first version of a model type.

    Args:
        kind: The model type.
        seed: Seed of all random draws.
        folder: A directory to work in: empty, or with what `train` has left for `register`.
        tell: Called as steps begin and end.
        quick: Use few messages and no bound on recall: tries the procedure, not the model.
        part: `train` alone, which needs no signing key; `register` alone, which trains nothing; or
            both.

    Raises:
        Unavailable: The API does not answer.
        ShieldError: `train` alone failed; otherwise `message` says so.
    """
    from components.shared.environment import StepSettings, open_client

    first, run_id = First(kind), f"first-{kind}-{seed}"
    if part == "register":
        first.seconds = _left_by_training(folder)
    else:
        try:
            _train(first, kind, seed, run_id, folder, tell, quick)
        except ShieldError as error:
            if part == "train":
                raise
            first.message = error.message
    if part == "train":
        (folder / _SECONDS).write_text(json.dumps(first.seconds))
        first.message = "trained; `--part register` signs it and has it served"
        return first
    with open_client(StepSettings()) as client:
        _wait_for(client, _API_SECONDS[part])
        asked = _asked_for(client, kind) if part == "register" else None
        if asked:
            first.version, first.message = asked, f"{asked} was asked for before"
            return first
        client.start_run(run_id, kind, trigger=TRIGGER)
        outcome = RunOutcome.FAILED
        if not first.message:
            try:
                outcome = _release(client, first, kind, run_id, folder, tell)
            except ShieldError as error:
                first.message = error.message
        client.finish_run(
            run_id,
            RunUpdate(
                outcome=outcome,
                message=first.message[:2000],
                version=first.version,
                steps={name: {"seconds": seconds} for name, seconds in first.seconds.items()},
            ),
        )
    return first


def _left_by_training(folder: Path) -> dict[str, float]:
    try:
        seconds: dict[str, float] = json.loads((folder / _SECONDS).read_text())
    except FileNotFoundError as error:
        raise Invalid(
            f"{folder} holds no trained first version. Run this command with --part train first, "
            "with the same --model-type, --seed and --data-dir."
        ) from error
    return seconds


def _asked_for(client: ShieldClient, kind: ModelType) -> str | None:
    """Return the version that serves or is on its way there, if there is one."""
    try:
        return client.rollout(kind).spec.version.name
    except NotFound:
        return None


def _train(
    first: First, kind: ModelType, seed: int, run_id: str, folder: Path, tell: Tell, quick: bool
) -> None:
    """Go from the corpus to a verdict of the gates; everything lies in `folder`."""
    from components.baseline import step as baseline
    from components.evaluate import step as evaluate
    from components.gate import step as gate
    from components.prepare_corpus import step as prepare_corpus
    from components.prepare_corpus.first import first_dataset
    from components.shared.environment import StepSettings
    from components.train.linear_only import linear_package

    dataset, linear = folder / "dataset", folder / "linear.safetensors"
    # No correction stands behind a first model, so none is asked for.
    bounds = {"minFeedback": 0, **({"firstRecall": 0.0} if quick else {})}
    limits = GateLimits.model_validate(bounds)
    with _step(first, "prepare_corpus", tell):
        long = MODEL_TYPES[kind].channel == "mail"
        prepare_corpus.run(
            folder / "corpus",
            model_type=kind,
            settings=StepSettings(),
            seed=seed,
            most_train=MOST_LONG if long else 0,
            most_messages=QUICK if quick else 0,
        )
        first_dataset(folder / "corpus", dataset)
    with _step(first, "baseline", tell):
        baseline.run(dataset, linear, seed=seed)
    with _step(first, "package", tell):
        linear_package(dataset, linear, folder / "model", run_id=run_id)
    with _step(first, "evaluate", tell):
        evaluate.run(
            dataset,
            folder / "model",
            None,
            folder / "evaluations.json",
            folder / "report.html",
            seed=seed,
            limits=limits,
        )
    with _step(first, "gate", tell):
        gate.run(folder / "evaluations.json", folder / "verdict.json", limits=limits)


def _release(
    client: ShieldClient, first: First, kind: ModelType, run_id: str, folder: Path, tell: Tell
) -> RunOutcome:
    """Register what was trained and, unless a gate refused it, have it served."""
    from components.register import step as register
    from components.request_rollout import step as request_rollout
    from components.shared.corpus_store import publish
    from components.shared.environment import StepSettings, open_artifacts
    from shield.packages import ModelPackage, PackageSettings
    from shield.run_files import RunInputs

    with _step(first, "register", tell):
        store = open_artifacts()
        publish(store, folder / "corpus")
        recipe = ModelPackage.open(folder / "model").digest.removeprefix("sha256:")[:16]
        RunInputs(model_type=kind, run_id=run_id, recipe=recipe).write(folder / "inputs.json")
        version = register.run(
            client,
            store,
            model=folder / "model",
            evaluations=folder / "evaluations.json",
            verdict=folder / "verdict.json",
            inputs=folder / "inputs.json",
            report=folder / "report.html",
            signing_key=PackageSettings().require_signing_key(),
            code_version=StepSettings().code_version,
        )
    verdict = Decision.model_validate_json((folder / "verdict.json").read_bytes())
    if verdict.outcome != PROMOTE:
        first.message = (
            f"The linear first {kind} model does not stand on its own: {verdict.message} Until the "
            "transformer is trained, nothing answers."
        )
        return RunOutcome.REFUSED
    with _step(first, "request_rollout", tell):
        request_rollout.run(
            client,
            model_type=kind,
            version=version.name,
            outcome=PROMOTE,
            reason=REASON,
            run_id=run_id,
        )
    first.version = version.name
    return RunOutcome.SUCCEEDED


@contextmanager
def _step(first: First, name: str, tell: Tell) -> Iterator[None]:
    shown, started = f"{first.model_type} {name}", time.monotonic()
    tell(StepProgress(shown, "started"))
    try:
        yield
    except ShieldError as error:
        tell(StepProgress(shown, "failed", time.monotonic() - started, error.message))
        raise
    first.seconds[name] = round(time.monotonic() - started, 3)
    tell(StepProgress(shown, "finished", first.seconds[name]))


def _wait_for(client: ShieldClient, seconds: float) -> None:
    """Wait until the API answers. Raises `Unavailable` if it does not in so many seconds."""
    due = time.monotonic() + seconds
    while True:
        try:
            client.runs()
        except Unavailable:
            if time.monotonic() > due:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


@contextmanager
def _folder(runs: Path, kind: ModelType, seed: int, part: Part) -> Iterator[Path]:
    """Give a directory to work in, which outlasts the call where another part goes on in it."""
    if part == "both":
        with tempfile.TemporaryDirectory(dir=runs, prefix=f"first-{kind}-") as folder:
            yield Path(folder)
        return
    kept = runs / f"first-{kind}-{seed}"
    if part == "train":
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
    yield kept


def main(arguments: list[str] | None = None) -> int:
    """Make first versions from the command line, one type after the other."""
    parser = argparse.ArgumentParser(prog="python -m cli.first_version", description=__doc__)
    parser.add_argument(
        "--model-type",
        action="append",
        required=True,
        choices=[kind.value for kind in ModelType],
        help=type_names(),
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="Few messages, to try the way.")
    parser.add_argument("--part", choices=get_args(Part), default="both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    runs = options.data_dir / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    tell = progress_printer(options.json)
    made = []
    for kind in map(ModelType, options.model_type):
        with _folder(runs, kind, options.seed, options.part) as folder:
            try:
                first = first_version(
                    kind, options.seed, folder, tell, quick=options.quick, part=options.part
                )
            except ShieldError as error:
                print(error, file=sys.stderr)  # noqa: T201
                return 1
        said = first.message or f"{first.version} serves"
        good = first.version is not None or options.part == "train"
        tell(
            StepProgress(
                str(kind),
                "finished" if good else "failed",
                sum(first.seconds.values()),
                said,
            )
        )
        made.append(first)
    print(json.dumps({"first": [asdict(each) for each in made]}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
