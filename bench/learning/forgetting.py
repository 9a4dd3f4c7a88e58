"""170 hard corrections of one class: is what was known forgotten, and is the lesson learnt?"""

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.learning.evasions import unmarked
from bench.learning.lab import WORK, Lab, both, shuffled
from bench.learning.learners import Transformer
from bench.outcome import Aim, Outcome, Scale
from shield.labels import ModelType

CORRECTIONS = 170


def run(scale: Scale) -> Outcome:
    """Teach scams in two disguises that nothing undoes, half of them held out, naively and ours."""
    seeds = scale.seeds[: scale.pick(3, 1)]
    rows = [_one(seed, way, scale) for seed in seeds for way in ("naive", "ours")]
    ours = [row for row in rows if row["way"] == "ours"]
    falls = [row["golden_accuracy_before"] - row["golden_accuracy_after"] for row in ours]
    recall = min(row["held_out_recall_after"] for row in ours)
    naive = [row for row in rows if row["way"] == "naive"]
    told = ", ".join(
        f"{row['golden_accuracy_before']:.3f} -> {row['golden_accuracy_after']:.3f}"
        for row in naive
    )
    return Outcome(
        {"seeds": list(seeds), "corrections": CORRECTIONS, "runs": rows},
        [
            Aim(
                "forgetting: golden accuracy after 170 one-class corrections",
                "falls by <= 0.2 point",
                f"{-100 * max(falls):+.2f} points at worst, {-100 * float(np.mean(falls)):+.2f} on "
                f"average of {len(seeds)} seeds (naive: {told})",
                max(falls) <= 0.002,
                "A golden set of this size moves in steps of 0.1 point; the table says whether "
                "false alarms or missed scams rose.",
            ),
            Aim(
                "forgetting: recall on held-out corrections",
                ">= 0.95",
                f"{recall:.3f} at worst",
                recall >= 0.95,
                "Held out are other scams in other disguises, not other copies of those taught.",
            ),
        ],
    )


def _one(seed: int, way: str, scale: Scale) -> dict[str, Any]:
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    scams, hams = shuffled(rng)
    known = len(scams) // 2
    if scale.short:
        hams = hams[:900]
    cut = [known // 2, known * 3 // 4]
    third = len(hams) // 3
    base = {
        "train": both(scams[: cut[0]], hams[:third], "train"),
        "valid": both(scams[cut[0] : cut[1]], hams[third : 2 * third], "valid"),
        "golden": both(scams[cut[1] : known], hams[2 * third :], "golden"),
    }
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        lab = Lab(Path(folder), ModelType.SMS, base)
        learner = Transformer.start(way, lab)
        hard = [unmarked(text, chance) for text in scams[known:]]
        taught, held = hard[: len(hard) // 2], hard[len(hard) // 2 :]
        # As many disguises of the same scams as it takes: a flood is reported many times.
        while len(taught) < CORRECTIONS:
            source = chance.choice(scams[known : known + len(hard) // 2])
            taught.append(unmarked(source, chance))
        corrections = pl.DataFrame(
            {
                "text": taught[:CORRECTIONS],
                "label": pl.Series([1] * CORRECTIONS, dtype=pl.Int8),
                "reporter": [f"r{n % 40}" for n in range(CORRECTIONS)],
                "trust": pl.Series([0.8] * CORRECTIONS, dtype=pl.Float32),
            }
        )
        golden = lab.base["golden"]
        before = _measure(learner, golden, held)
        outcome = learner.learn(0, corrections, seed)
        after = _measure(learner, golden, held)
    row: dict[str, Any] = {"seed": seed, "way": way, "outcome": outcome, "held_out": len(held)}
    for name in before:
        row[f"{name}_before"], row[f"{name}_after"] = before[name], after[name]
    return row


def _measure(learner: Transformer, golden: pl.DataFrame, held: list[str]) -> dict[str, float]:
    flagged = learner.flagged(golden["text"].to_list())
    scam = golden["label"].to_numpy() == 1
    return {
        "golden_accuracy": round(float(np.mean(flagged == scam)), 4),
        "golden_recall": round(float(np.mean(flagged[scam])), 4),
        "golden_fpr": round(float(np.mean(flagged[~scam])), 4),
        "held_out_recall": round(float(np.mean(learner.flagged(held))), 4),
    }
