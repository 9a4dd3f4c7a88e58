"""Fine-tune, export, find the operating point: from a dataset to the files of a package.

Read top to bottom: what it starts from, what it learns, how, and what comes out. The same inputs,
recipe and number of threads give the same package digest on the same kind of processor.
"""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from components.shared import messages
from components.shared.encoder import (
    load_classifier,
    load_tokenizer,
    pad_id,
    windows,
)
from components.shared.frozen import frozen
from components.shared.progress import Progress, tell
from components.train.card import write_card
from components.train.curves import plot
from components.train.export import export_package
from components.train.first_token import read_first_token_only
from components.train.fitting import Examples, fit
from components.train.operating_point import settle
from components.train.phone import write_judge
from components.train.recipe import Recipe
from components.train.samples import sample_texts
from components.train.spread import here, join, wait_for_first
from shield.labels import LABELS
from shield.linear import LinearModel
from shield.packages import Manifest, Margin, ModelPackage, Preprocessing, pack
from shield.packages.manifest import CARD, LINEAR, TOKENIZER
from shield.run_files import DATASET, DatasetFacts

_VALID_ROWS = 400
"""Messages that the epochs' validation loss is measured on."""


def train_package(
    dataset: Path,
    start: Path,
    parent: ModelPackage | None,
    model: Path,
    *,
    linear: Path | None,
    checkpoints: Path,
    inputs: str,
    recipe: Recipe,
    run_id: str | None,
    created_at: datetime | None,
    fpr_budget: float,
    curves: Path | None,
    checkpoint_seconds: float,
) -> ModelPackage:
    """Train and write the package into `model`. See `components.train.step.run`."""
    facts = DatasetFacts.read(dataset / DATASET)
    device = join()
    _be_deterministic(recipe.threads, recipe.seed, device)

    classifier = load_classifier(start, LABELS[facts.model_type])
    read_first_token_only(classifier)
    tokenizer = load_tokenizer(start, None)
    rules = _preprocessing(recipe)
    pad = pad_id(start)
    train = messages.read(dataset / "train.parquet")
    valid = messages.read(dataset / "valid.parquet")
    watched = _watched(dataset, valid)
    epochs = recipe.passes(train.height, from_champion=parent is not None)
    recipe = recipe.model_copy(update={"epochs": epochs})
    _tell(f"{train.height} messages, {recipe.epochs} epochs, from {_origin(parent)}, on {device}")
    learned = fit(
        classifier,
        _examples(train, tokenizer, rules, recipe.seed),
        _examples(watched, tokenizer, rules, 0),
        recipe,
        pad,
        checkpoints,
        device=device,
        on_step=_progress(),
        checkpoint_seconds=checkpoint_seconds,
    )
    if here().rank:
        wait_for_first()
        return ModelPackage.open(model)
    _tell("exporting to ONNX")
    export_package(
        classifier,
        start / TOKENIZER,
        model,
        max_tokens=recipe.max_tokens,
        sample_texts=sample_texts(train),
    )
    half = None if linear is None else LinearModel.load(linear)
    if linear is not None:
        shutil.copyfile(linear, model / LINEAR)
    manifest = Manifest(
        model_type=facts.model_type,
        preprocessing=rules,
        parent=parent.digest if parent is not None else None,
        batches=facts.batches,
        run_id=run_id,
        recipe={
            **recipe.as_json(),
            "inputs": inputs,
            "dataset": facts.digests,
            "set_aside": facts.set_aside,
            "phrases": facts.phrases.model_dump(by_alias=True),
            "device": device.type,
            **({} if half is None else {"linear": half.origin._asdict()}),
            "valid_loss": round(learned.valid_loss[learned.kept - 1], 6),
        },
        created_at=created_at,
        margin=Margin(encoder=1.0, linear=0.0 if linear is None else 1.0),
    )
    languages = sorted(set(train["language"]) - {""})
    write_card(model / CARD, manifest, facts, learned, languages)
    held_back = frozen(dataset)
    if half is not None:
        write_judge(half, facts.model_type, held_back, fpr_budget, model)
    _tell(f"setting the operating point on {held_back.height} frozen messages")
    settled = settle(pack(model, manifest), held_back, fpr_budget)
    placed = {
        "budget": fpr_budget,
        "flagged": settled.flagged,
        "hams": settled.hams,
        "alone": settled.alone,
    }
    changes = {
        "margin": settled.margin,
        "band": settled.band,
        "cascade": settled.cascade,
        "recipe": {**manifest.recipe, "operating_point": placed},
    }
    if curves is not None:
        plot(
            learned,
            curves,
            title=f"Training of the {facts.model_type} filter, from {_origin(parent)}",
        )
    package = pack(model, manifest.model_copy(update=changes))
    _tell(
        f"{settled.flagged} of {settled.hams} frozen harmless messages flagged, "
        f"{settled.alone:.0%} of the frozen ones answered by the linear half alone, "
        f"package {package.digest[:19]}"
    )
    wait_for_first()
    return package


def _watched(dataset: Path, valid: pl.DataFrame) -> pl.DataFrame:
    """Return what the training is stopped by: frozen messages, and the newest corrections."""
    parts = [valid.sample(min(_VALID_ROWS, valid.height), seed=0)]
    newest = dataset / "watched.parquet"
    if newest.is_file():
        parts.append(messages.read(newest))
    return pl.concat(parts)


def _examples(table: pl.DataFrame, tokenizer: Any, rules: Preprocessing, seed: int) -> Examples:
    """Return one window of each message: of a long one another part is learned in another run."""
    rng = np.random.default_rng(seed)
    by_text = windows(tokenizer, table["text"].to_list(), rules)
    return Examples(
        [of_text[int(rng.integers(len(of_text)))] for of_text in by_text],
        table["label"].to_numpy().astype(np.int64),
        table["weight"].to_numpy().astype(np.float32),
    )


def _preprocessing(recipe: Recipe) -> Preprocessing:
    overlap = min(Preprocessing().window_overlap, (recipe.max_tokens - 2) // 4)
    return Preprocessing(
        max_tokens=recipe.max_tokens, window_overlap=overlap, max_windows=recipe.max_windows
    )


def _be_deterministic(threads: int, seed: int, device: torch.device) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    if device.type == "cpu":
        torch.use_deterministic_algorithms(True)
    # A GPU's fastest kernels sum in any order; there the result is repeatable to rounding only.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _origin(parent: ModelPackage | None) -> str:
    return "the base model" if parent is None else f"the champion {parent.digest[:19]}"


def _progress() -> Callable[[int, int, float], None]:
    """Return a function that tells how far the training is, and how long it lasts at most."""
    progress: Progress | None = None

    def on_step(step: int, steps: int, loss: float) -> None:
        nonlocal progress
        if here().rank:
            return
        if progress is None:  # a training that was killed goes on at a later step
            progress = Progress("train", steps, "steps", done=step - 1)
        progress.add(1, f"loss {loss:.4f}")

    return on_step


def _tell(line: str) -> None:
    if here().rank == 0:
        tell("train", line)
