"""One challenger before the gates: verdicts are drawn, the decisions are the product's."""

from typing import Any

import numpy as np

from shield.gates import PROMOTE, Comparison, GateInput, GoldenRecord, decide
from shield.labels import ModelType
from shield.metrics import wilson_interval

SCAM_SHARE = 0.14
"""As in the SMS corpus."""
DISAGREEMENT = 0.02
"""Share of golden messages on which two fine-tunings of a model differ, the difference apart."""
CORRECTIONS = 40
BUDGET = 0.05
"""Wide: here scams and harmless messages are drawn with the same accuracy, 97 %."""


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
