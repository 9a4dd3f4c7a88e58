"""Fine-tune a classifier and write it as a model package, not yet signed.

Returns the result of the same training, if there is one, before torch is imported: importing it
takes longer than a repeated run should. The training itself is in `training.py`.
"""

import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard

from components.shared.base_model import base_directory
from components.shared.environment import StepSettings
from components.train.finished import inputs_digest, keep, take
from components.train.recipe import Recipe
from shield.errors import Invalid
from shield.packages import ModelPackage
from shield.packages.manifest import MANIFEST

STARTS = ("champion", "base", "better")


def run(
    dataset: Path,
    champion: Path | None,
    model: Path,
    *,
    settings: StepSettings,
    recipe: Recipe,
    run_id: str | None,
    created_at: datetime | None,
    linear: Path | None = None,
    fpr_budget: float = 0.01,
    curves: Path | None = None,
    checkpoint_seconds: float = 15.0,
) -> ModelPackage:
    """Train on `dataset/train.parquet` and write the package into `model`.

    Args:
        dataset: Directory from `build_dataset`.
        champion: Package to go on from; None, a directory without manifest, or a package without an
            encoder: the base model.
        model: Directory to write.
        settings: The base model, threads, and where checkpoints are kept.
        recipe: Every choice of the training.
        run_id: Goes into the manifest.
        created_at: Goes into the manifest; taken from the inputs, never from a clock.
        linear: The linear half, from `baseline`; None: the encoder alone predicts.
        fpr_budget: Share of harmless messages that may be flagged; sets the operating point.
        curves: HTML file for the loss curves.
        checkpoint_seconds: Time between two checkpoints.

    Raises:
        Invalid: A class is missing, or the loss is no longer a number.
        Misconfigured: The base model is not there.
    """
    parent = ModelPackage.open(champion) if _has_encoder(champion) else None
    start = parent.path if parent is not None else base_directory(settings)
    made_with = [run_id, created_at.isoformat() if created_at else None, fpr_budget]
    digest = inputs_digest(dataset, start, recipe.as_json(), made_with, linear)
    checkpoints = (settings.checkpoint_dir or model.parent / "checkpoints") / digest
    finished = take(checkpoints, model, curves)
    if finished is not None:
        print("train: finished before, taken as it is", file=sys.stderr, flush=True)  # noqa: T201
        return finished
    from components.train.spread import here
    from components.train.training import train_package

    package = train_package(
        dataset,
        start,
        parent,
        model,
        linear=linear,
        checkpoints=checkpoints,
        inputs=digest,
        recipe=recipe,
        run_id=run_id,
        created_at=created_at,
        fpr_budget=fpr_budget,
        curves=curves,
        checkpoint_seconds=checkpoint_seconds,
    )
    if here().rank == 0:
        keep(checkpoints, model, curves)
    return package


def run_from(
    start: str, dataset: Path, champion: Path | None, model: Path, **arguments: Any
) -> ModelPackage:
    """Train from where `start` says; see `run` for the rest.

    Args:
        start: `champion`, `base`, or `better`: from both, and the one is taken whose loss on
            messages never learned is lower; the champion's where they are the same.
        dataset: As in `run`.
        champion: As in `run`.
        model: As in `run`.
        arguments: The other arguments of `run`.

    Raises:
        Invalid: Another `start`.
    """
    if start not in STARTS:
        raise Invalid(f"A training starts from one of {', '.join(STARTS)}, not from {start!r}.")
    if start == "base" or not _has_encoder(champion):
        return run(dataset, None, model, **arguments)
    if start == "better":
        losses = {}
        for name, origin in (("champion", champion), ("base", None)):
            tried = model.with_name(f"{model.name}-from-{name}")
            tried.mkdir(parents=True, exist_ok=True)
            losses[name] = float(
                run(dataset, origin, tried, **arguments).manifest.recipe["valid_loss"]
            )
            shutil.rmtree(tried)
        if losses["base"] < losses["champion"]:
            champion = None
        print(f"train: validation loss {losses}", file=sys.stderr, flush=True)  # noqa: T201
    return run(dataset, champion, model, **arguments)  # trained once: what was kept is taken


def _has_encoder(champion: Path | None) -> TypeGuard[Path]:
    if champion is None or not (champion / MANIFEST).is_file():
        return False
    return ModelPackage.open(champion).manifest.has_encoder
