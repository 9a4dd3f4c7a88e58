"""Put the phrases that corrections share behind known scams: would they open a door?

`build_dataset` sets aside what it suspects; what it let pass is tried here, on the models
themselves.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from components.evaluate.scoring import Models, Scored, compare, score
from shield.errors import Invalid
from shield.gates import PhraseProbe
from shield.predictor import OPERATING_POINT

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
