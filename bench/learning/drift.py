"""Drift replay: a model that stands still, the naive recipe and ours, month by month."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.learning.lab import WORK, Lab
from bench.learning.learners import Learner, Linear, Transformer
from bench.learning.stream import Stream, feedback, make_stream
from bench.outcome import Aim, Outcome, Scale
from shield.labels import ModelType
from shield.metrics import threshold_for_fpr

WAYS = ("static", "naive", "ours")
GOAL = 0.95
TRIED = {
    "linear": " Tried: corrections weighed three and eight times (no better; paraphrase worse).",
    "transformer": " Before disguised words were marked (ADR 0019) it was 0.908 with spacing and "
    "0.894 with homoglyphs, and static 0.458 and 0.788.",
}


def replay(stream: Stream, learner: Learner, seed: int) -> list[dict[str, Any]]:
    """Walk through the months: meet, report, learn, and be judged on what taught nothing."""
    rows = []
    for place, month in enumerate(stream.months):
        arrival = _recall(learner, stream, month.first_week)
        week = month.first_week["text"].to_list()
        corrections = feedback(month.first_week, learner.flagged(week), 1000 * seed + place)
        outcome = learner.learn(place, corrections, seed)
        rest = month.rest
        flagged = learner.flagged(rest["text"].to_list())
        scam = rest["label"].to_numpy() == 1
        rows.append(
            {
                "month": place + 1,
                "evasion": month.name,
                "tactic": month.tactic,
                "corrections": corrections.height,
                "outcome": outcome,
                "recall_on_arrival": round(arrival, 4),
                "recall": round(_recall(learner, stream, rest), 4),
                "verdict_recall": round(float(np.mean(flagged[scam])), 4),
                "verdict_fpr": round(float(np.mean(flagged[~scam])), 4),
            }
        )
    return rows


def _recall(learner: Learner, stream: Stream, table: pl.DataFrame) -> float:
    """Return recall at the threshold that flags 1 % of all months' harmless messages."""
    threshold = threshold_for_fpr(learner.probabilities(stream.hams), 0.01)
    scams = table.filter(pl.col("label") == 1)["text"].to_list()
    return float(np.mean(learner.probabilities(scams) >= threshold))


def run_family(family: str, scale: Scale, seeds: tuple[int, ...], months: int) -> Outcome:
    """Replay one family of models over some streams."""
    curves: dict[str, list[list[dict[str, Any]]]] = {way: [] for way in WAYS}
    for seed in seeds:
        stream = make_stream(seed, months, keep=0.5 if scale.short else 1.0)
        for way in WAYS:
            WORK.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=WORK) as folder:
                lab = Lab(Path(folder), ModelType.SMS, stream.base)
                start = Linear.start if family == "linear" else Transformer.start
                curves[way].append(replay(stream, start(way, lab), seed))
    return judged(family, curves, seeds, months)


def judged(
    family: str,
    curves: dict[str, list[list[dict[str, Any]]]],
    seeds: tuple[int, ...],
    months: int,
) -> Outcome:
    """Return the figures with what they say about the goals."""
    means = {
        way: [
            round(float(np.mean([curve[place]["recall"] for curve in curves[way]])), 4)
            for place in range(months)
        ]
        for way in WAYS
    }
    every = [row for curve in curves["ours"] for row in curve]
    reports = float(np.mean([row["corrections"] for row in every]))
    released, refused = len(every), sum(row["outcome"] != "promote" for row in every)
    by_mean = sorted(range(months), key=lambda place: means["ours"][place])
    lows = ", ".join(
        f"{curves['ours'][0][place]['evasion']} {means['ours'][place]:.3f}"
        for place in by_mean
        if means["ours"][place] < GOAL
    )
    return Outcome(
        {"seeds": list(seeds), "months": months, "mean_recall": means, "curves": curves},
        [
            Aim(
                f"drift, {family}: ours holds recall at 1 % false positives in every month",
                f">= {GOAL}",
                f"monthly means {min(means['ours']):.3f} to {max(means['ours']):.3f}, lowest "
                f"single month {min(row['recall'] for row in every):.3f}; "
                f"naive {min(means['naive']):.3f} to {max(means['naive']):.3f}, "
                f"static {min(means['static']):.3f} to {max(means['static']):.3f}",
                min(means["ours"]) >= GOAL,
                "Judged in the same month on other scams than those that taught, after one "
                f"learning from one week of reports (some {reports:.0f}). {refused} of {released} "
                f"challengers were refused. Lowest: {lows}. A week in which few scams are missed "
                f"teaches little about the next wording.{TRIED.get(family, '')}",
            ),
            Aim(
                f"drift, {family}: recall of the verdicts that users see, at each way's threshold",
                "ours above static in every month",
                f"mean of months: ours {_verdicts(curves, 'ours', 'verdict_recall'):.3f} at "
                f"{_verdicts(curves, 'ours', 'verdict_fpr'):.2%} false positives, static "
                f"{_verdicts(curves, 'static', 'verdict_recall'):.3f} at "
                f"{_verdicts(curves, 'static', 'verdict_fpr'):.2%}, naive "
                f"{_verdicts(curves, 'naive', 'verdict_recall'):.3f} at "
                f"{_verdicts(curves, 'naive', 'verdict_fpr'):.2%}",
                all(
                    _verdicts(curves, "ours", "verdict_recall", place)
                    > _verdicts(curves, "static", "verdict_recall", place)
                    for place in range(months)
                ),
            ),
        ],
    )


def _verdicts(
    curves: dict[str, list[list[dict[str, Any]]]], way: str, name: str, month: int | None = None
) -> float:
    """Return the mean of a figure over seeds, and over months unless one is given."""
    return float(
        np.mean(
            [
                row[name]
                for curve in curves[way]
                for place, row in enumerate(curve)
                if month is None or place == month
            ]
        )
    )


def run_linear(scale: Scale) -> Outcome:
    """Replay the linear model."""
    return run_family("linear", scale, scale.seeds[: scale.pick(3, 1)], scale.pick(6, 2))


def run_transformer(scale: Scale) -> Outcome:
    """Replay the transformer on two streams; each month is a real fine-tuning and export."""
    return run_family("transformer", scale, scale.seeds[: scale.pick(2, 1)], scale.pick(5, 1))
