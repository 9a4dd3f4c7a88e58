"""Trust in a reporter, from the Beta posterior of the approval rate of their corrections.

The prior is Beta(2, 1): two thirds of a new reporter's corrections are right, with the weight of
three decisions. Trust is a lower bound of the posterior, so that it takes many decisions to earn.
Old decisions fade, so that a sold or stolen account does not keep its trust. Trust orders the
queue, and weighs votes and samples; it never approves anything. Confirmations of a verdict do not
count: they cost nothing and are nearly always right.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

PRIOR_APPROVED, PRIOR_REJECTED = 2.0, 1.0
LOWER = 0.05
"""Probability that the approval rate is below the trust."""
HALF_LIFE_SECONDS = 180 * 86400.0
"""Half-life of a decision's weight."""
NEW_SECONDS = 7 * 86400
"""An account younger than this is new."""


@dataclass(frozen=True)
class Record:
    """Faded counts of one reporter's decided corrections, as of `at`."""

    approved: float = 0.0
    rejected: float = 0.0
    at: datetime | None = None
    """`None` before the first decision."""

    def faded(self, now: datetime) -> "Record":
        """Return the record faded to `now`."""
        if self.at is None:
            return Record(at=now)
        kept = weight((now - self.at).total_seconds())
        return Record(self.approved * kept, self.rejected * kept, now)

    def trust(self, now: datetime) -> float:
        """Return the reporter's trust at `now`, in (0, 1)."""
        record = self.faded(now)
        return trust(record.approved, record.rejected)

    def decided(self, *, approved: bool, by: int, now: datetime) -> "Record":
        """Return the record with one decision added (`by` 1) or removed (`by` -1)."""
        record = self.faded(now)
        return Record(
            max(0.0, record.approved + by * approved),
            max(0.0, record.rejected + by * (not approved)),
            now,
        )


def weight(age_seconds: float) -> float:
    """Return the weight of a decision of this age, 1 to 0."""
    return float(0.5 ** (max(0.0, age_seconds) / HALF_LIFE_SECONDS))


def trust(approved: float, rejected: float) -> float:
    """Return the lower bound of the posterior, in (0, 1): 0.22 without a record."""
    return _lower(round(approved, 1), round(rejected, 1))


@lru_cache(maxsize=4096)
def _lower(approved: float, rejected: float) -> float:
    return _quantile(LOWER, approved + PRIOR_APPROVED, rejected + PRIOR_REJECTED)


def mean(approved: float, rejected: float) -> float:
    """Return the posterior mean: the expected share of this reporter's correct reports."""
    return (approved + PRIOR_APPROVED) / (approved + rejected + PRIOR_APPROVED + PRIOR_REJECTED)


def interval(approved: float, rejected: float, level: float = 0.95) -> tuple[float, float]:
    """Return the central posterior interval with probability `level`."""
    a, b = approved + PRIOR_APPROVED, rejected + PRIOR_REJECTED
    tail = (1 - level) / 2
    return _quantile(tail, a, b), _quantile(1 - tail, a, b)


def _quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):  # 2**-40: far below what anybody shows
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    Source: Lentz's continued fraction, Numerical Recipes, section 6.4. Written out because the
    API's image does not carry scipy.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-30
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    result = d
    for m in range(1, 500):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + numerator / c
            c = c if abs(c) > tiny else tiny
            result *= d * c
        if abs(d * c - 1) < 1e-12:
            break
    return result
