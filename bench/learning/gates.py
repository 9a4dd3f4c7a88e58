"""Does the gate let the better ones through and the worse ones not? Simulated cycles, real chain.

Each cycle draws per-message verdicts for golden set, held-out corrections and frozen ham from true
rates, counts them into a `GateInput`, and asks `shield.gates.decide`. Only the verdicts are drawn;
the decisions are the product's. Lines go through the gates alone, and through the gates and the
trial on fresh messages that follows in life (`bench/trials`).
"""

from typing import Any

import numpy as np

from bench.learning.cycles import CORRECTIONS, DISAGREEMENT, promoted
from bench.learning.exact import chance_to_pass
from bench.learning.lines import ageing
from bench.outcome import Aim, Outcome, Scale

GOLDEN_SIZES = (1000, 2000, 4000)
DIFFERENT = (0.011, 0.015, 0.02, 0.03, 0.04, 0.06)
"""Shares of golden verdicts that differ, for the chances that are reckoned, not drawn."""
LINES = ((0.0, 0.0, False), (0.002, 0.004, False), (-0.003, 0.004, False), (-0.003, 0.004, True))
"""Lines of challengers: mean and spread of their change, and whether a trial follows the gates."""


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
        ageing(rng, n, chains, cycles_of_a_line, mean, spread, trial)
        for n in sizes
        for mean, spread, trial in LINES
    ]
    reckoned: list[dict[str, Any]] = [
        {
            "golden": n,
            "different": differ,
            "worse": round(chance_to_pass(n, -0.01, differ), 5),
            "equal": round(chance_to_pass(n, 0.0, differ), 4),
        }
        for n in sizes
        for differ in (DIFFERENT if not scale.short else (DISAGREEMENT,))
    ]
    better = [r for r in grid if r["change_points"] == 1 and r["on_corrections_points"] == 20]
    worst = max(row["worse"] for row in reckoned if row["different"] == DISAGREEMENT)
    anywhere = max(row["worse"] for row in reckoned)
    least = min(r["promoted"] for r in better)
    alone = [row for row in lines if not row["trial"]]
    equal = [row for row in alone if row["challengers_points"][0] == 0]
    kept = min(row["equal_weeks_31_40"] / max(1e-9, row["equal_weeks_1_5"]) for row in equal)
    late = max(row[weeks] for row in alone for weeks in ("worse_weeks_1_5", "worse_weeks_31_40"))
    falling = [row for row in lines if row["challengers_points"][0] < 0]
    tails, whole = (
        {
            row["golden"]: row["true_change_points_worst_5_percent"]
            for row in falling
            if row["trial"] == trial
        }
        for trial in (False, True)
    )
    stress = next(r for r in grid if r["on_corrections_points"] == 1)
    return Outcome(
        {"single_cycles": grid, "lines_of_50_weeks": lines, "reckoned": reckoned},
        [
            Aim(
                "gate: 1 point worse is promoted in at most 5 %",
                "<= 5 %",
                f"{worst:.2%} at worst over golden sets of {sizes} where {DISAGREEMENT:.0%} of the "
                f"verdicts differ, {anywhere:.2%} at worst where 1.1 to 6 % do. Reckoned for "
                "golden-accuracy alone, not drawn",
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
                "Of the champion's lead over the first version on the golden set as much is taken "
                "for luck as its size allows.",
            ),
            Aim(
                "gate: 1 point worse is promoted in at most 5 %, early and late in a line",
                "<= 5 % each week",
                f"{late:.2%} at worst of lines that stay, get better and get worse",
                late <= 0.05,
            ),
            Aim(
                "gate: no downward ratchet over 50 cycles (unlucky lines)",
                "95 % of lines end at most 1 point lower in truth",
                _told(tails),
                min(tails.values()) >= -1.0,
                "By the gates alone, of challengers that are 0.3 points worse on average. What "
                "drifts below the sampling error of the golden set (0.5 points at 1,000 messages) "
                "no gate sees; what would hold it there (docs/adr/0022) halves an equal "
                "challenger's chance. The trial on fresh messages sees it.",
            ),
            Aim(
                "gate and trial: no downward ratchet over 50 cycles (unlucky lines)",
                "95 % of lines end at most 1 point lower in truth",
                _told(whole),
                min(whole.values()) >= -1.0,
                "The same challengers; who passes the gates must pass a trial of two weeks.",
            ),
        ],
    )


def _told(tails: dict[int, float]) -> str:
    return ", ".join(f"{tail:+.2f} points with {n}" for n, tail in tails.items())
