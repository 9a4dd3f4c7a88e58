"""The trials that are simulated, and what is asked of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.outcome import Aim, Outcome
from bench.trials import before, now
from bench.trials.before import Told
from bench.trials.world import DAY_SECONDS, Messages, World, draw
from shield.sequential import Counts

Judge = Callable[[Messages, np.random.Generator], Told]

REPORTING = (0.05, 0.1, 0.3, 0.6)
WORSE, EQUAL, BETTER = World(difference=0.03), World(), World(difference=-0.01)
AT_THE_MARGIN = World(difference=now.MARGIN)
UNEQUAL = replace(WORSE, misses=1.0, stable_misses=0.0, reporting=0.6, misses_reported=0.1)
"""Errs more, by missing; misses are reported a tenth as often as false alarms."""
COMPLAINERS = World(complaining=0.01, clustered=True, users=1000)
"""Most report nothing, a few report whatever they see; no two users are alike otherwise either."""
HARD = replace(WORSE, stable_alone=0.035)
"""The versions disagree on a tenth of the messages: more luck among the decided."""


@dataclass(frozen=True)
class Row:
    """One world, judged many times by one rule."""

    rule: str
    what: str
    world: World
    judge: Judge
    trials: int
    """Times, at full size."""


def _half(reporting: float) -> Row:
    world = replace(WORSE, reporting=reporting)
    return Row("before", f"A/B, {reporting:.0%} of errors reported", world, before.half, 30)


def _paired(what: str, world: World, trials: int = 200, days: int = 14) -> Row:
    return Row("now", what, replace(world, days=days), now.paired, trials)


def _within_300(messages: Messages, rng: np.random.Generator) -> Told:
    return now.paired(messages, rng, most=300)


def rows() -> list[Row]:
    """Return all that is simulated, today's figures first."""
    # 300 decisions at 60 a day take less than six days.
    within = [
        Row("now", f"{rate:.0%} of errors reported", world, _within_300, 100)
        for rate in REPORTING
        for world in (
            replace(WORSE, reporting=rate, days=6),
            replace(HARD, reporting=rate, clustered=True, days=6),
        )
    ]
    return [
        Row("before", "canary, default steps", replace(WORSE, days=3), before.canary, 100),
        *(_half(rate) for rate in REPORTING),
        Row("before", "A/B, misses seldom reported", UNEQUAL, before.half, 30),
        Row("before", "A/B, some report everything", COMPLAINERS, before.half, 100),
        *within,
        Row(
            "now",
            "misses seldom reported",
            replace(UNEQUAL, clustered=True, days=6),
            _within_300,
            100,
        ),
        _paired("some report everything", COMPLAINERS),
        _paired("equal", EQUAL),
        _paired("equal", replace(EQUAL, clustered=True)),
        _paired("equal, few users", replace(EQUAL, clustered=True, users=500)),
        _paired("worse by the margin", AT_THE_MARGIN),
        _paired("worse by the margin", replace(AT_THE_MARGIN, clustered=True)),
        _paired("worse by the margin, few", replace(AT_THE_MARGIN, clustered=True, users=500)),
        _paired("better", BETTER, 100, days=7),
        _paired("better", replace(BETTER, clustered=True), 100, days=7),
        _paired("better, churning", replace(BETTER, stable_alone=0.03, clustered=True), 100, 7),
    ]


def run(seed: int = 0, *, short: bool = False) -> Outcome:
    """Simulate every row; `short` proves that it runs, with few trials of small worlds."""
    told = [_figures(row, number, seed, short) for number, row in enumerate(rows())]
    one_user = before.reports_reject(Counts(17, 100), Counts(2, 900))
    figures = {"seed": seed, "rows": told, "one_user_with_17_reports_rejects_before": one_user}
    return Outcome(figures, aims(told))


def _figures(row: Row, number: int, seed: int, short: bool) -> dict[str, Any]:
    trials = min(row.trials, 3) if short else row.trials
    ended = []
    for trial in range(trials):
        rng = np.random.default_rng([seed, number, trial])
        ended.append(row.judge(draw(row.world, rng), rng))
    settled = [end for end in ended if end.rejected or end.promoted]
    return {
        "rule": row.rule,
        "what": row.what,
        "world": str(row.world),
        "difference_points": round(100 * row.world.difference, 2),
        "disagree": round(row.world.disagree, 4),
        "clustered": row.world.clustered,
        "trials": trials,
        "rejected": round(float(np.mean([end.rejected for end in ended])), 4),
        "promoted": round(float(np.mean([end.promoted for end in ended])), 4),
        "days": _median([end.seconds / DAY_SECONDS for end in settled]),
        "scans_of_the_candidate": _median([end.scans for end in ended if end.scans]),
        "decisions": _median([end.decided for end in settled if end.decided]),
    }


def _median(values: list[Any]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def aims(told: list[dict[str, Any]]) -> list[Aim]:
    """Return what the figures say about the goals."""
    new = [row for row in told if row["rule"] == "now"]
    worse = [row for row in new if row["difference_points"] == 3]
    caught = [row["rejected"] for row in worse if row["disagree"] < 0.1]
    hard = [row["rejected"] for row in worse if row["disagree"] >= 0.1]
    refused = [row["rejected"] for row in new if row["difference_points"] <= 0]
    let_in = [row["promoted"] for row in new if row["difference_points"] == 0.5]
    better = [row["promoted"] for row in new if row["difference_points"] == -1]
    return [
        _aim("3 points worse: caught within 300 decided disagreements", ">= 95 %", min(caught)),
        _aim(
            "the same, where the versions disagree on a tenth of all messages",
            ">= 95 %",
            min(hard),
            "Of 300 decided some 42 more than half speak against the version, since reviewers err "
            "in some: chance has its part. No trial let it in; the others were still going on.",
        ),
        _aim("equal or better: rejected in two weeks", "<= 5 %", max(refused)),
        _aim("worse by the margin: promoted in two weeks", "<= 5 %", max(let_in)),
        _aim("1 point better: promoted within 7 days", ">= 80 %", min(better)),
    ]


def _aim(name: str, goal: str, worst: float, note: str = "") -> Aim:
    """Compare the worst of the rows with a goal like `>= 95 %`."""
    limit = float(goal.split()[1]) / 100
    met = worst >= limit if goal.startswith(">") else worst <= limit
    return Aim(f"{name}, at worst of all rows", goal, f"{worst:.1%}", met, "" if met else note)
