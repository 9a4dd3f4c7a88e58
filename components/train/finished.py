"""Keep the package of a finished training, so that a repeated run need not train again.

Looked up before torch is loaded: a run that was killed after `train` passes it in a second.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from components.shared.messages import file_digest
from shield.packages import ModelPackage
from shield.packages.manifest import MANIFEST, WEIGHTS

PACKAGE, CURVES = "package", "curves.html"


def inputs_digest(
    dataset: Path, start: Path, recipe: Mapping[str, Any], extra: Any, linear: Path | None
) -> str:
    """Return what a training follows from, as 32 hex digits: data, weights, every choice."""
    watched = dataset / "watched.parquet"
    ham = dataset / "frozen_ham.parquet"
    parts = {
        "train": file_digest(dataset / "train.parquet"),
        "valid": file_digest(dataset / "valid.parquet"),
        "frozen_ham": file_digest(ham) if ham.is_file() else None,
        "watched": file_digest(watched) if watched.is_file() else None,
        "weights": file_digest(start / WEIGHTS),
        "recipe": dict(recipe),
        "torch": metadata.version("torch"),
        "extra": extra,
        "linear": None if linear is None else file_digest(linear),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def keep(folder: Path, model: Path, curves: Path | None) -> None:
    """Copy a finished package into `folder`, whole or not at all."""
    fresh = folder / ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(model, fresh)
    if curves is not None:
        shutil.copyfile(curves, folder / CURVES)
    shutil.rmtree(folder / PACKAGE, ignore_errors=True)
    fresh.rename(folder / PACKAGE)


def take(folder: Path, model: Path, curves: Path | None) -> ModelPackage | None:
    """Copy a package that was finished before into `model`; `None` when there is none."""
    kept = folder / PACKAGE
    if not (kept / MANIFEST).is_file():
        return None
    package = ModelPackage.open(kept)
    for name in package.manifest.files:
        package.read(name)  # refuses what a crash or a bad disk has left behind
    shutil.copytree(kept, model, dirs_exist_ok=True)
    if curves is not None and (folder / CURVES).is_file():
        curves.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / CURVES, curves)
    return ModelPackage.open(model)
