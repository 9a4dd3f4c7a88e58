"""Does the gate let the better ones through and the worse ones not? Simulated cycles, real chain.

Each cycle draws per-message verdicts for golden set, held-out corrections and frozen ham from true
rates, counts them into a `GateInput`, and asks `shield.gates.decide`. Only the verdicts are drawn;
the decisions are the product's.
"""

from typing import Any

import numpy as np

from bench.learning.outcome import Aim, Outcome, Scale
from shield.gates import PROMOTE, Comparison, GateInput, GoldenRecord, decide
from shield.labels import ModelType
from shield.metrics import wilson_interval

GOLDEN_SIZES = (1000, 2000, 4000)
SCAM_SHARE = 0.14
"""As in the SMS corpus."""
DISAGREEMENT = 0.02
"""Share of golden messages on which two fine-tunings of a model differ, the difference apart."""
CORRECTIONS = 40
BUDGET = 0.05
"""Wide: here scams and harmless messages are drawn with the same accuracy, 97 %."""
EARLY, LATE = slice(0, 5), slice(30, 40)
"""Weeks 1 to 5, and 31 to 40."""


def comparison(
    rng: np.random.Generator, scams: int, hams: int, right: float, change: float, differ: float
) -> Comparison:
    """Draw the verdicts of a champion that is right with `right`, and of its challenger.

    Args:
        rng: Source of chance.
        scams: Messages of the positive class.
        hams: Messages of the negative class.
        right: The champion's true accuracy, the same on both classes.
        change: True accuracy of the challenger minus the champion's.
        differ: True share of messages on which they differ, at least |change|.
    """
    lost, won = (differ - change) / 2, (differ + change) / 2
    shares = np.array([lost, won, max(0.0, right - lost), max(0.0, 1 - right - won)])
    shares /= shares.sum()
    scam = rng.multinomial(scams, shares)
    ham = rng.multinomial(hams, shares)
    return Comparison(
        tp=int(scam[1] + scam[2]),
        fn=int(scam[0] + scam[3]),
        fp=int(ham[0] + ham[3]),
        tn=int(ham[1] + ham[2]),
        scams_lost=int(scam[0]),
        scams_won=int(scam[1]),
        hams_lost=int(ham[0]),
        hams_won=int(ham[1]),
    )


def cycle(
    rng: np.random.Generator,
    golden: Comparison,
    corrections: Comparison,
    record: GoldenRecord | None,
) -> str:
    """Return the outcome of the gate for one challenger; all else about it is in order."""
    given = GateInput(
        model_type=ModelType.SMS,
        champion="champion",
        challenger="challenger",
        fresh_feedback=200,
        golden_digest="golden",
        budget=BUDGET,
        golden=golden,
        corrections=corrections,
        record=record,
        int8_compared=golden.challenger.n,
        int8_flips=int(rng.binomial(golden.challenger.n, 0.001)),
    )
    return decide(given).outcome


def promoted(
    rng: np.random.Generator, n: int, change: float, on_corrections: float, cycles: int
) -> dict[str, Any]:
    """Return how often a challenger of this true quality is promoted, and why not."""
    scams = round(SCAM_SHARE * n)
    reasons: dict[str, int] = {}
    for _ in range(cycles):
        golden = comparison(rng, scams, n - scams, 0.97, change, DISAGREEMENT)
        fresh = comparison(rng, CORRECTIONS, 0, 0.4, on_corrections, max(0.2, on_corrections))
        outcome = cycle(rng, golden, fresh, None)
        reasons[outcome] = reasons.get(outcome, 0) + 1
    passed = reasons.get(PROMOTE, 0)
    low, high = wilson_interval(passed, cycles)
    return {
        "golden": n,
        "change_points": 100 * change,
        "on_corrections_points": 100 * on_corrections,
        "cycles": cycles,
        "promoted": round(passed / cycles, 4),
        "interval": [round(low, 4), round(high, 4)],
        "refusals": {k: v for k, v in sorted(reasons.items()) if k != PROMOTE},
    }


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
    rng: np.random.Generator, n: int, chains: int, cycles: int, mean: float, spread: float
) -> dict[str, Any]:
    """Follow champions over many cycles; ask each week about an equal and a worse one besides.

    Args:
        rng: Source of chance.
        n: Golden messages.
        chains: How many lines are followed.
        cycles: Weeks.
        mean: Of the true change of the challengers that are promoted where they pass.
        spread: Its standard deviation.
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
            if outcome(new):
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
        "equal_weeks_1_5": _share(equal[:, EARLY]),
        "equal_weeks_31_40": _share(equal[:, LATE]),
        "worse_weeks_1_5": _share(worse[:, EARLY]),
        "worse_weeks_31_40": _share(worse[:, LATE]),
        "true_change_points_mean": round(100 * float(np.mean(ends)), 3),
        "true_change_points_worst_5_percent": round(100 * float(np.quantile(ends, 0.05)), 3),
    }


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


def run(scale: Scale) -> Outcome:
    """Simulate worse, equal and better challengers, and long chains of slightly worse ones."""
    rng = np.random.default_rng(7)
    cycles, chains = scale.pick(1500, 60), scale.pick(100, 3)
    cycles_of_a_line = scale.pick(50, 12)
    sizes = GOLDEN_SIZES if not scale.short else GOLDEN_SIZES[:1]
    grid = [
        promoted(rng, n, change, on_corrections, cycles)
        for n in sizes
        for change, on_corrections in (
            (-0.02, 0.2),
            (-0.01, 0.2),
            (-0.005, 0.2),
            (0.0, 0.2),
            (0.01, 0.2),
            (0.01, 0.01),
        )
    ]
    lines = [
        ageing(rng, n, chains, cycles_of_a_line, mean, spread)
        for n in (sizes[:1] if scale.short else GOLDEN_SIZES)
        for mean, spread in ((0.0, 0.0), (-0.003, 0.004))
    ]
    worse = [row for row in grid if row["change_points"] == -1]
    better = [r for r in grid if r["change_points"] == 1 and r["on_corrections_points"] == 20]
    worst, least = max(r["promoted"] for r in worse), min(r["promoted"] for r in better)
    equal = [row for row in lines if row["challengers_points"][0] == 0]
    kept = min(row["equal_weeks_31_40"] / max(1e-9, row["equal_weeks_1_5"]) for row in equal)
    late = max(row[weeks] for row in equal for weeks in ("worse_weeks_1_5", "worse_weeks_31_40"))
    falling = [row for row in lines if row["challengers_points"][0] < 0]
    tails = {row["golden"]: row["true_change_points_worst_5_percent"] for row in falling}
    stress = next(r for r in grid if r["on_corrections_points"] == 1)
    return Outcome(
        {"single_cycles": grid, "lines_of_50_weeks": lines},
        [
            Aim(
                "gate: 1 point worse is promoted in at most 5 %",
                "<= 5 %",
                f"{worst:.2%} at worst over golden sets of {sizes}",
                worst <= 0.05,
            ),
            Aim(
                "gate: 1 point better is promoted in at least 90 %",
                ">= 90 %",
                f"{least:.2%} at worst over golden sets of {sizes}",
                least >= 0.90,
                "For a challenger that learnt its corrections (+20 points on them). One that is "
                f"only 1 point better on the {CORRECTIONS} held-out corrections too is promoted in "
                f"{stress['promoted']:.0%}: 'not below the champion' on so few is nearly a coin.",
            ),
            Aim(
                "gate: an equal challenger's chance does not fall with age",
                "weeks 31-40 at least 0.8 of weeks 1-5",
                f"{kept:.2f} at worst over golden sets of {sizes}",
                kept >= 0.8,
                "The champion's lead over the first version on the golden set is taken for luck.",
            ),
            Aim(
                "gate: 1 point worse is promoted in at most 5 %, early and late in a line",
                "<= 5 % each week",
                f"{late:.2%} at worst",
                late <= 0.05,
            ),
            Aim(
                "gate: no downward ratchet over 50 cycles (unlucky lines)",
                "95 % of lines end at most 1 point lower in truth",
                ", ".join(f"{tail:+.2f} points with {n}" for n, tail in tails.items()),
                min(tails.values()) >= -1.0,
                "Of challengers that are 0.3 points worse on average. What drifts below the "
                "sampling error of the golden set (0.5 points at 1,000 messages) no gate sees.",
            ),
        ],
    )
