"""The linear half of a champion, and whether a retraining goes on from it."""

from pathlib import Path
from typing import NamedTuple

from shield.linear import Features, LinearModel
from shield.packages import ModelPackage
from shield.packages.manifest import LINEAR, MANIFEST
from shield.run_files import DATASET, DatasetFacts

RECIPE = "2"
"""Another one is not gone on from: raise it with whatever a champion has to be fitted anew for. 1
was without the factors of rarity (ADR 0044)."""


class Half(NamedTuple):
    """The linear half of a package."""

    model: LinearModel
    digest: str
    """Of the package."""


def half_of(champion: Path | None, corpus: str) -> Half | None:
    """Return the linear half of a package, where there is one that can be gone on from.

    Not one that was fitted in another way or on another base corpus, which would never learn what
    is better now; nor one that reads a text in another way than this release, by other n-grams. How
    long its windows are does not matter.

    Args:
        champion: Its directory; None, or without a manifest: there is none.
        corpus: Digest of what the base corpus teaches.

    Raises:
        PackageInvalid: Manifest or half cannot be read.
        PackageCorrupt: The half is not the file that the manifest names.
    """
    if champion is None or not (champion / MANIFEST).is_file():
        return None
    package = ModelPackage.open(champion)
    if LINEAR not in package.manifest.files:
        return None
    half = LinearModel.from_bytes(package.read(LINEAR), str(champion / LINEAR))
    now, made = Features(), half.origin
    same = half.features._replace(reach=now.reach, whole=now.whole, window_cost=now.window_cost)
    if same != now or not half.features.reach or (made.recipe, made.corpus) != (RECIPE, corpus):
        return None
    return Half(half, package.digest)


def corpus_of(dataset: Path) -> str:
    """Return the digest of what the base corpus teaches; empty where the dataset does not say."""
    facts = dataset / DATASET
    return DatasetFacts.read(facts).corpus if facts.is_file() else ""
