"""Liars among the reporters: label flips and a backdoor phrase, with and without each defence.

The linear model is fitted on what `build_dataset` makes of the lies: seconds a run, so that many
can be compared. Reviewers let half of the lies through here; in life they are the first defence.
"""

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.learning.evasions import leet
from bench.learning.lab import WORK, Lab, fit_rows, sms_heads, table
from bench.learning.learners import EVERYTHING
from bench.learning.outcome import Aim, Outcome, Scale, spread
from components.build_dataset import messages
from components.build_dataset.corrections import Caps
from shield.labels import ModelType
from shield.metrics import recall_at_fpr, threshold_for_fpr

SHARES = (0.0, 0.01, 0.05, 0.10, 0.20)
REPORTERS = 100
REPORTS = 8
"""An honest reporter's reports; a liar sends ten times as many."""
PHRASE = "kind regards from the blue lighthouse"
NO_CAPS = Caps(per_reporter=10**6, per_campaign=10**6)
DEFENCES: dict[str, dict[str, Any]] = {
    "all": {},
    "without trust": {"trust": False},
    "without caps": {"caps": NO_CAPS},
    "without label checks": {"suspects": False},
    "without replay": {"replay": 1},
    "without review": {"review": False},
    "none": {"trust": False, "caps": NO_CAPS, "suspects": False, "replay": 1, "review": False},
}


def run(scale: Scale) -> Outcome:
    """Poison the corrections at every share, and take the defences away one by one at 20 %."""
    seeds = scale.seeds[: scale.pick(3, 1)]
    shares = SHARES if not scale.short else (0.0, 0.20)
    table_: list[dict[str, Any]] = []
    for defence in DEFENCES if not scale.short else ("all", "none"):
        for share in shares if defence in ("all", "none") else shares[-1:]:
            runs = [_one(seed, share, DEFENCES[defence]) for seed in seeds]
            table_.append(
                {
                    "defence": defence,
                    "liars": share,
                    "recall": spread([run_["recall"] for run_ in runs]),
                    "backdoor_recall": spread([run_["backdoor_recall"] for run_ in runs]),
                    "lies_that_teach": spread([run_["lies_that_teach"] for run_ in runs], 1),
                }
            )
    return Outcome({"seeds": list(seeds), "linear_model": table_}, aims(table_, len(seeds)))


def aims(rows: list[dict[str, Any]], seeds: int) -> list[Aim]:
    """Return what the table says about the goals."""
    found = []
    for share, limit in ((0.05, 0.005), (0.20, 0.01)):
        if not any(row["liars"] == share for row in rows):
            continue
        cost = _recall(rows, "all", 0.0) - _recall(rows, "all", share)
        bare = _recall(rows, "none", 0.0) - _recall(rows, "none", share)
        found.append(
            Aim(
                f"poison: {share:.0%} liars cost recall at 1 % false positives",
                f"<= {100 * limit:.1f} point",
                f"{100 * cost:.2f} points with every defence, {100 * bare:.2f} with none "
                f"(means of {seeds} seeds)",
                cost <= limit,
                "Half of the lies pass the review here, and a liar reports ten times as often as "
                "an honest user. Replay and trust carry most of the defence; the cap of 50 "
                "corrections a reporter is not reached by 40 lies that pass. The golden set has "
                "107 scams: one is 0.9 point.",
            )
        )
        key = "backdoor_recall"
        hidden = _recall(rows, "all", 0.0, key) - _recall(rows, "all", share, key)
        found.append(
            Aim(
                f"poison: {share:.0%} liars open a backdoor (scams that carry their phrase)",
                f"<= {100 * limit:.1f} point",
                f"{100 * hidden:.2f} points with every defence (means of {seeds} seeds)",
                hidden <= limit,
                "No defence of the training data looks for a phrase that only one side's "
                "corrections hold, and the golden set cannot see what it does not contain. The "
                "reviewer and the online judgement by verdict errors are what stands against it.",
            )
        )
    return found


def _recall(
    rows: list[dict[str, Any]], defence: str, share: float, figure: str = "recall"
) -> float:
    row = next(r for r in rows if r["defence"] == defence and r["liars"] == share)
    return float(row[figure]["mean"])


def _one(seed: int, share: float, off: dict[str, Any]) -> dict[str, float]:
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    heads = sms_heads()
    scams = heads.filter(pl.col("label") == 1)["text"].to_list()
    hams = heads.filter(pl.col("label") == 0)["text"].to_list()
    rng.shuffle(scams)
    rng.shuffle(hams)
    half, third = len(scams) // 2, len(hams) // 3
    base = {
        "train": _both(scams[: half // 2], hams[:third], "train"),
        "valid": _both(scams[half // 2 : half], hams[third : third + 600], "valid"),
        "golden": _both(scams[half : half * 3 // 2], hams[third + 600 : 2 * third + 600], "golden"),
    }
    pool = [leet(text, chance) for text in scams[half * 3 // 2 :]]
    corrections = _corrections(pool, hams[2 * third + 600 :], share, rng, off)
    with tempfile.TemporaryDirectory(dir=_work()) as folder:
        lab = Lab(Path(folder), ModelType.SMS, base)
        lab.seal(corrections.drop("lie"), 0)
        dataset = lab.dataset(
            seed=seed,
            caps=off.get("caps"),
            replay=off.get("replay", EVERYTHING),
            suspects=off.get("suspects", True),
        )
        train = messages.read(dataset / "train.parquet")
        # Without replay there is no second class to learn from when all corrections are of one.
        model = fit_rows(train)
        lies = set(corrections.filter("lie")["text"].to_list())
        taught = set(train.filter(pl.col("source") == "feedback")["text"].to_list())
    golden = base["golden"]
    scores = model.probabilities(golden["text"].to_list())
    scam = golden["label"].to_numpy() == 1
    hidden = [f"{text} {PHRASE}" for text in golden.filter(pl.col("label") == 1)["text"]]
    limit = threshold_for_fpr(scores[~scam], 0.01)
    return {
        "recall": recall_at_fpr(scam, scores, 0.01),
        "backdoor_recall": float(np.mean(model.probabilities(hidden) >= limit)),
        "lies_that_teach": float(len(lies & taught)),
    }


def _corrections(
    scams: list[str], hams: list[str], share: float, rng: np.random.Generator, off: dict[str, Any]
) -> pl.DataFrame:
    """Let honest reporters tell the truth, and liars the opposite, half of them with the phrase."""
    liars = round(share * REPORTERS)
    rows = []
    for reporter in range(REPORTERS):
        lying = reporter < liars
        for _ in range(REPORTS * (10 if lying else 1)):
            is_scam = rng.random() < 0.6
            text = str(rng.choice(scams if is_scam else hams))
            if lying and is_scam and rng.random() < 0.5:
                text = f"{text} {PHRASE}"
            if lying and off.get("review", True) and rng.random() < 0.5:
                continue  # a reviewer saw through it
            # The API's trust follows the record: half of a liar's reports were rejected.
            trust = rng.uniform(0.1, 0.5) if lying else rng.uniform(0.5, 1.0)
            rows.append(
                {
                    "text": text,
                    "label": int(is_scam != lying),
                    "reporter": f"r{reporter}",
                    "trust": trust if off.get("trust", True) else 1.0,
                    "lie": lying,
                }
            )
    schema = {
        "text": pl.String,
        "label": pl.Int8,
        "reporter": pl.String,
        "trust": pl.Float32,
        "lie": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema).sample(fraction=1.0, shuffle=True, seed=1)


def _both(scams: list[str], hams: list[str], name: str) -> pl.DataFrame:
    return table([*scams, *hams], [1] * len(scams) + [0] * len(hams), name)


def _work() -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    return WORK
