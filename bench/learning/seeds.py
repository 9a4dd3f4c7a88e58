"""The demonstration's learning on many seeds: does every story end well?

As `shieldctl demo` learns, without its API: a first model that has never met some tactics, a week
of reports on them and on ordinary traffic (all that was wrong, half of what was right), a
retraining, the gates; a refusal is followed by one more week. Judged by the half of the tactics
that taught nobody, and by the golden set, at served verdicts. Each seed is kept: a run that was
stopped goes on where it was.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import cli.demo
import components
import shield
from bench.learning.lab import WORK, Lab, kept
from bench.learning.learners import Learner, Linear, Transformer, corrections_in
from bench.outcome import Aim, Outcome, Scale, spread
from cli.demo.story import HELD_BACK, LIMITS, MIN_FEEDBACK
from components.prepare_corpus import step as prepare_step
from components.shared import messages
from components.shared.environment import StepSettings
from shield.gates import GateLimits
from shield.labels import FeedbackType, ModelType

USERS, TRUST, CONFIRMED = 60, 0.8, 0.5
"""Who reports, with which trust, and the share of right verdicts that they say so of."""
LEAST_GAIN, MOST_LOST = 0.10, 0.005
SETS = ("train", "valid", "golden", "frozen_ham")


def run(scale: Scale) -> Outcome:
    """Tell the story by whole versions, transformer and linear half, as the demonstration does."""
    return _run("transformer", partial(Transformer.start, "ours"), scale)


def run_linear(scale: Scale) -> Outcome:
    """Tell it by the linear model alone: seconds for each seed."""
    return _run("linear", partial(Linear.start, "ours"), scale)


def _run(family: str, start: Callable[[Lab], Transformer | Linear], scale: Scale) -> Outcome:
    rows = []
    chosen = scale.seeds[: scale.pick(len(scale.seeds), 1)]
    for place, seed in enumerate(chosen, 1):
        started = time.perf_counter()
        row = kept(
            {"experiment": "seeds", "family": family, "seed": seed, "short": scale.short},
            [*(Path(room.__path__[0]) for room in (components, shield, cli.demo)), Path(__file__)],
            partial(_one, seed, start, scale),
        )
        rows.append(row)
        _tell(
            f"{family}, seed {seed} ({place} of {len(chosen)}): unseen tactic "
            f"{row['recall_before']:.3f} -> {row['recall_after']:.3f}, golden accuracy "
            f"{row['accuracy_before']:.4f} -> {row['accuracy_after']:.4f}, "
            f"{', '.join(row['weeks'])}; {time.perf_counter() - started:.0f} s"
        )
    gains = [row["recall_after"] - row["recall_before"] for row in rows]
    wanted = [min(LEAST_GAIN, (1 - row["recall_before"]) / 2) for row in rows]
    lost = [row["accuracy_before"] - row["accuracy_after"] for row in rows]
    released = [row["weeks"][-1] == "promote" for row in rows]
    refused = [str(row["seed"]) for row, good in zip(rows, released, strict=True) if not good]
    name = f"demo's learning, {family}, {len(rows)} seeds"
    return Outcome(
        {"seeds": list(chosen), "runs": rows, "gain": spread(gains)},
        [
            Aim(
                f"{name}: end with a release",
                "all",
                f"{sum(released)} of {len(rows)}"
                + (f"; refused twice: seed {', '.join(refused)}" if refused else ""),
                all(released),
            ),
            Aim(
                f"{name}: mean gain on the unseen tactic",
                ">= 10 points, or half of what the first model missed",
                f"{100 * float(np.mean(gains)):+.1f} points, wanted "
                f"{100 * float(np.mean(wanted)):.1f}",
                float(np.mean(gains)) >= float(np.mean(wanted)),
            ),
            Aim(
                f"{name}: never a loss on it",
                ">= 0",
                f"{100 * min(gains):+.1f} points at worst",
                min(gains) >= 0,
            ),
            Aim(
                f"{name}: golden accuracy",
                "never more than 0.5 points down",
                f"{-100 * max(lost):+.2f} points at worst",
                max(lost) <= MOST_LOST,
            ),
        ],
    )


def _one(seed: int, start: Callable[[Lab], Transformer | Linear], scale: Scale) -> dict[str, Any]:
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        corpus = Path(work) / "corpus"
        prepare_step.run(
            corpus,
            model_type=ModelType.SMS,
            settings=StepSettings(api_url=None),
            seed=seed,
            hold_back=HELD_BACK,
            most_messages=scale.pick(0, 1500),
        )
        teach, judge, traffic = (
            messages.read(corpus / f"{name}.parquet") for name in ("teach", "judge", "traffic")
        )
        base = {name: messages.read(corpus / f"{name}.parquet") for name in SETS}
        lab = Lab(Path(work) / "lab", ModelType.SMS, base)
        learner = start(lab)
        learner.limits = GateLimits.model_validate({"minFeedback": MIN_FEEDBACK, **LIMITS})
        before = _measured(learner, judge, base["golden"])
        ordinary = traffic.sample(fraction=1.0, seed=seed, shuffle=True)
        third = ordinary.height // 3
        weeks: list[str] = []
        waiting = reports_of(learner, teach[:0], seed)
        for week, met in enumerate(
            (pl.concat([teach, ordinary[:third]]), ordinary[third : 2 * third])
        ):
            waiting = pl.concat([waiting, reports_of(learner, met, seed)])
            weeks.append(learner.learn(week, waiting, seed + week))
            if weeks[-1] == "promote":
                break
            # The corrections are given back, and sealed again with the next week's.
            lab.batches.clear()
        after = _measured(learner, judge, base["golden"])
    row: dict[str, Any] = {"seed": seed, "weeks": weeks, "corrections": corrections_in(waiting)}
    row["confirmed"] = waiting.height - row["corrections"]
    row["judged"] = int(judge["label"].sum())
    for name in before:
        row[f"{name}_before"], row[f"{name}_after"] = before[name], after[name]
    return row


def reports_of(learner: Learner, met: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return what reviewers approve of a week: what was wrong, and half of what was right."""
    wrong = learner.flagged(met["text"].to_list()) != (met["label"].to_numpy() == 1)
    rng = np.random.default_rng(seed)
    told = wrong | (rng.random(met.height) < CONFIRMED)
    found, corrected = met.filter(pl.Series(told)), pl.Series(wrong[told])
    kind = FeedbackType
    claim = (
        pl.when(~corrected)
        .then(pl.lit(kind.CONFIRMED.value))
        .when(pl.col("label") == 1)
        .then(pl.lit(kind.FALSE_NEGATIVE.value))
        .otherwise(pl.lit(kind.FALSE_POSITIVE.value))
    )
    return found.select(
        "text",
        pl.col("label").cast(pl.Int8),
        pl.Series("reporter", [f"r{n}" for n in rng.integers(USERS, size=found.height)], pl.String),
        pl.lit(TRUST, pl.Float32).alias("trust"),
        claim.alias("feedback_type"),
    )


def _measured(learner: Learner, judge: pl.DataFrame, golden: pl.DataFrame) -> dict[str, float]:
    unseen = judge.filter(pl.col("label") == 1)["text"].to_list()
    right = learner.flagged(golden["text"].to_list()) == (golden["label"].to_numpy() == 1)
    return {
        "recall": round(float(np.mean(learner.flagged(unseen))), 4),
        "accuracy": round(float(np.mean(right)), 4),
    }


def _tell(line: str) -> None:
    print(f"seeds: {line}", file=sys.stderr, flush=True)
