"""How far a reporter's record goes: a Beta posterior over their approval rate.

Prior Beta(2, 1): two thirds of what strangers report turn out right, worth three decisions. Trust
orders the queue and weighs samples; it never approves anything.
"""

import math

PRIOR_APPROVED, PRIOR_REJECTED = 2.0, 1.0
NEW_SECONDS = 7 * 86400
"""An account younger than this is new."""


def trust(approved: int, rejected: int) -> float:
    """Return the posterior mean, in (0, 1)."""
    return (approved + PRIOR_APPROVED) / (approved + rejected + PRIOR_APPROVED + PRIOR_REJECTED)


def interval(approved: int, rejected: int, level: float = 0.95) -> tuple[float, float]:
    """Return the central interval of the posterior that holds `level` of it."""
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
