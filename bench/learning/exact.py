"""The chance that a challenger passes `golden-accuracy`, reckoned instead of drawn.

Drawn cycles tell 4.6 % from 5.5 % only by tens of thousands: with 1,500 of them the standard error
is half a point.
"""

from scipy.stats import binom

from shield.gates import Comparison, GateInput, GateLimits
from shield.gates.golden import accuracy_holds
from shield.labels import ModelType

_NEGLIGIBLE = 1e-9


def chance_to_pass(n: int, change: float, differ: float) -> float:
    """Return the chance of passing, for a champion without a record, to within 1e-6.

    Args:
        n: Golden messages.
        change: True accuracy of the challenger minus the champion's.
        differ: True share of messages on which exactly one of them is right, more than |change|.
    """
    gate = accuracy_holds(GateLimits())
    loses = (differ - change) / 2 / differ
    total, most = 0.0, 0
    for both in range(n + 1):
        weight = float(binom.pmf(both, n, differ))
        if weight < _NEGLIGIBLE:
            if both > n * differ:
                break
            continue
        # Most losses that pass: one more disagreement allows at most one more of them.
        most = max(0, most - 1)
        while most < both and gate(_given(n, most + 1, both - most - 1)).passed:
            most += 1
        while most >= 0 and not gate(_given(n, most, both - most)).passed:
            most -= 1
        total += weight * float(binom.cdf(most, both, loses))
    return total


def _given(n: int, lost: int, won: int) -> GateInput:
    """Return an evaluation on harmless messages alone, of which half are wrong by both."""
    rest = n - lost - won
    golden = Comparison(
        fp=lost + rest // 2, tn=won + rest - rest // 2, hams_lost=lost, hams_won=won
    )
    return GateInput(
        model_type=ModelType.SMS,
        champion="champion",
        challenger="challenger",
        fresh_feedback=200,
        golden_digest="golden",
        budget=0.5,
        golden=golden,
        int8_compared=1,
        int8_flips=0,
    )
