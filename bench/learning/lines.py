"""Champions over many cycles, by the gates alone or by the gates and the trial that follows."""

from typing import Any

import numpy as np

from bench.learning.cycles import CORRECTIONS, DISAGREEMENT, SCAM_SHARE, comparison, cycle
from bench.trials.now import paired
from bench.trials.world import World, draw
from shield.gates import PROMOTE, Comparison, GoldenRecord

EARLY, LATE = slice(0, 5), slice(30, 40)
"""Weeks 1 to 5, and 31 to 40."""


def drawn(rng: np.random.Generator, right: Any, truth: float, change: float) -> tuple[Any, float]:
    """Return a challenger's verdicts on the golden set, and its true accuracy.

    Every message is followed through all cycles, so that each gate looks at one and the same set,
    as in life.
    """
    lost, won = (DISAGREEMENT - change) / 2, (DISAGREEMENT + change) / 2
    # Rates among the right and the wrong ones that give these shares of all messages.
    fall, rise = min(1.0, lost / truth), min(1.0, won / (1 - truth))
    draw = rng.random(right.size)
    new = np.where(right, draw >= fall, draw < rise)
    return new, truth * (1 - fall) + (1 - truth) * rise


def grown(record: GoldenRecord | None, first: float, accuracy: float) -> GoldenRecord:
    """Return the record of a golden set after another promotion."""
    if record is None:
        record = GoldenRecord(
            versions=1, first="v1", first_accuracy=first, best="v1", best_accuracy=first
        )
    best = max(record.best_accuracy, accuracy)
    return record.model_copy(update={"versions": record.versions + 1, "best_accuracy": best})


def ageing(
    rng: np.random.Generator,
    n: int,
    chains: int,
    cycles: int,
    mean: float,
    spread: float,
    trial: bool = False,
) -> dict[str, Any]:
    """Follow champions over many cycles; ask each week about an equal and a worse one besides.

    Args:
        rng: Source of chance.
        n: Golden messages.
        chains: How many lines are followed.
        cycles: Weeks.
        mean: Of the true change of the challengers that are promoted where they pass.
        spread: Its standard deviation.
        trial: Whether a challenger that passes the gates must pass a trial as well.
    """
    start = 0.97
    scam = np.arange(n) < round(SCAM_SHARE * n)
    ends = []
    passed: dict[float, list[list[bool]]] = {0.0: [], -0.01: []}
    for _ in range(chains):
        right, truth, record = rng.random(n) < start, start, None
        first = float(right.mean())
        asked: dict[float, list[bool]] = {change: [] for change in passed}
        known = grown(None, first, first).model_copy(update={"versions": 1})
        for _ in range(cycles):

            def outcome(new: Any, right: Any = right, known: Any = known) -> bool:
                fresh = comparison(rng, CORRECTIONS, 0, 0.4, 0.2, 0.3)
                return cycle(rng, _counted(scam, right, new), fresh, known) == PROMOTE

            for change, answers in asked.items():
                answers.append(outcome(drawn(rng, right, truth, change)[0]))
            change = float(np.clip(rng.normal(mean, spread), -0.012, 0.012))
            new, its_truth = drawn(rng, right, truth, change)
            if outcome(new) and (not trial or let_in(rng, change)):
                right, truth = new, its_truth
                known = record = grown(record, first, float(new.mean()))
        for change, answers in asked.items():
            passed[change].append(answers)
        ends.append(truth - start)
    shares = {change: np.array(rows) for change, rows in passed.items()}
    equal, worse = shares[0.0], shares[-0.01]
    return {
        "golden": n,
        "chains": chains,
        "cycles": cycles,
        "challengers_points": [round(100 * mean, 2), round(100 * spread, 2)],
        "trial": trial,
        "equal_weeks_1_5": _share(equal[:, EARLY]),
        "equal_weeks_31_40": _share(equal[:, LATE]),
        "worse_weeks_1_5": _share(worse[:, EARLY]),
        "worse_weeks_31_40": _share(worse[:, LATE]),
        "true_change_points_mean": round(100 * float(np.mean(ends)), 3),
        "true_change_points_worst_5_percent": round(100 * float(np.quantile(ends, 0.05)), 3),
    }


def let_in(rng: np.random.Generator, change: float) -> bool:
    """Tell whether a trial of two weeks at 10,000 scans a day, users clustered, lets a version in.

    Args:
        rng: Source of chance.
        change: Its true accuracy minus the champion's.
    """
    alone = (DISAGREEMENT + change) / 2
    world = World(difference=-change, stable_alone=alone, clustered=True)
    return paired(draw(world, rng), rng).promoted


def _share(passed: Any) -> float:
    """Return the share of true values; 0 where no week is so late."""
    return round(float(passed.mean()), 4) if passed.size else 0.0


def _counted(scam: Any, right: Any, new: Any) -> Comparison:
    def n(mask: Any) -> int:
        return int(np.sum(mask))

    return Comparison(
        tp=n(scam & new),
        fn=n(scam & ~new),
        fp=n(~scam & ~new),
        tn=n(~scam & new),
        scams_lost=n(scam & right & ~new),
        scams_won=n(scam & ~right & new),
        hams_lost=n(~scam & right & ~new),
        hams_won=n(~scam & ~right & new),
    )
