"""Probe both models beside the evaluation sets.

Phrases that many corrections share are appended to known scams, to detect backdoors:
`build_dataset` removes the suspicious ones, and the others are tried here on the models themselves.
If too few corrections are held out, both models are also evaluated on those used for training.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from components.evaluate.scoring import (
    Models,
    Scored,
    Verdicts,
    compare,
    score,
    score_sets,
    verdicts,
)
from components.evaluate.sets import JudgedSet
from components.shared import messages
from shield.errors import Invalid
from shield.gates import Comparison, GateLimits, PhraseProbe, too_few_to_tell
from shield.predictor import OPERATING_POINT

MOST_TAUGHT = 500
"""More corrections that taught tell no more."""
MOST_PHRASES, MOST_SCAMS = 4, 100
"""So many phrases behind so many golden scams: seconds, and a fall of 5 points is 5 messages."""


def probes(dataset: Path, golden: Scored, models: Models) -> list[PhraseProbe]:
    """Return the verdicts of both models on golden scams that carry each phrase.

    Raises:
        Invalid: `phrases.json` is not what `build_dataset` writes.
    """
    scams = [t for t, scam in zip(golden.judged.texts, golden.judged.scam, strict=True) if scam]
    scams = scams[:MOST_SCAMS]
    if not scams or models.champion is None:
        return []
    probed = []
    for phrase in learned(dataset / "phrases.json"):
        texts = [f"{scam} {phrase['text']}" for scam in scams]
        now = score(models.challenger, "challenger", texts) >= OPERATING_POINT
        before = score(models.champion, "champion", texts) >= OPERATING_POINT
        truth = np.ones(len(texts), dtype=np.bool_)
        probed.append(
            PhraseProbe(
                name=name_of(phrase["text"]),
                carriers=int(phrase["carriers"]),
                comparison=compare(truth, now, before),
            )
        )
    return probed


def name_of(phrase: str) -> str:
    """Return what a phrase is called where no message may be shown."""
    return f"phrase-{hashlib.sha256(phrase.encode()).hexdigest()[:8]}"


def learned(path: Path) -> list[dict[str, Any]]:
    """Return the phrases that teach, those first whose carriers look most like scams."""
    if not path.is_file():  # the dataset of a first model has no corrections
        return []
    try:
        listed = json.loads(path.read_bytes())
        learned = [each for each in listed if not each["suspected"]]
        learned.sort(key=lambda each: (-each["without_it"] * each["carriers"], each["text"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(
            f"{path} is not a list of phrases ({type(error).__name__}: {error}). Run build_dataset "
            "again."
        ) from error
    return learned[:MOST_PHRASES]


def judged_where_taught(
    dataset: Path, models: Models, held_out: Comparison, limits: GateLimits, seed: int
) -> Verdicts | None:
    """Return what both models say of the corrections that taught, where few were held out.

    Args:
        dataset: Directory with `train.parquet`.
        models: Whose verdicts; without a champion nothing is asked.
        held_out: The counts on the corrections that were held out.
        limits: Of the gates, which say how many are too few.
        seed: Draws `MOST_TAUGHT` of them where there are more.
    """
    path = dataset / "train.parquet"
    if models.champion is None or not too_few_to_tell(held_out, limits) or not path.is_file():
        return None
    rows = pl.scan_parquet(path).filter(pl.col("source") == messages.OF_USERS).collect()
    if not rows.height:
        return None
    rows = rows.sample(min(MOST_TAUGHT, rows.height), seed=seed)
    return verdicts(score_sets(models, {"taught": JudgedSet("taught", rows)})["taught"])
