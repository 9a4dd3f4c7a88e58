"""Always-valid tests: checked after every scan and stopped at any time, they keep their level.

A fixed threshold, or a classical test that is repeated until it fires, rejects a good candidate
sooner or later. Here the evidence is a *mixture likelihood ratio*: the probability of what was seen
under "any rate is possible" (a beta mixture) over the largest probability that the hypothesis
allows. Under the hypothesis it is at most a non-negative martingale that starts at 1, so by Ville's
inequality the chance that it *ever* reaches `1 / alpha` is at most `alpha`, however often one
looks. Nothing is asymptotic: it holds from the first scan on.

Sources: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math.
Statist. 41 (1970), for mixtures; L. Wasserman, A. Ramdas, S. Balakrishnan, "Universal inference",
PNAS 117 (2020), for the largest likelihood in the denominator; R. Johari, P. Koomen, L. Pekelis, D.
Walsh, "Always valid inference", Operations Research 70 (2022), for its use in A/B tests.

What it assumes: within an arm each scan errs with the same chance, whatever came before. Errors
that are found late count as "no error yet" in both arms, which favours the newer version.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

_JEFFREYS = 0.5  # Beta(1/2, 1/2): costs about log(n)/2 against knowing the rate, at every rate
_SEARCH_STEPS = 80  # golden section: 0.618**80 < 1e-16


class Counts(NamedTuple):
    """How often something happened."""

    events: int
    trials: int

    @property
    def rate(self) -> float:
        """Events per trial; 0 without trials."""
        return self.events / self.trials if self.trials else 0.0


def log_evidence_worse(candidate: Counts, stable: Counts, margin: float) -> float:
    """Weigh the evidence that the candidate's rate exceeds the stable one by more than `margin`.

    Args:
        candidate: Bad events of the candidate.
        stable: Bad events of the stable version, over the same time.
        margin: Difference that is allowed, absolute, in [0, 1].

    Returns:
        Natural logarithm of the evidence. Reject "worse by at most `margin`" at level alpha when it
        reaches `log(1 / alpha)`. Without trials of both arms it is never above 0: no traffic is no
        evidence.

    Raises:
        ValueError: Counts that cannot be, or a margin outside [0, 1].
    """
    _check(candidate)
    _check(stable)
    if not 0 <= margin <= 1:
        raise ValueError(f"A margin is a difference of rates from 0 to 1, not {margin}.")
    evidence = _log_mixture(candidate) + _log_mixture(stable)
    if candidate.rate <= stable.rate + margin:
        allowed = _log_likelihood(candidate, candidate.rate) + _log_likelihood(stable, stable.rate)
        return evidence - allowed
    # The best explanation within the hypothesis lies on its edge; along it the likelihood is
    # concave.
    low, high = 0.0, 1.0 - margin
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(_SEARCH_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _on_edge(candidate, stable, margin, left) < _on_edge(candidate, stable, margin, right):
            low = left
        else:
            high = right
    return evidence - _on_edge(candidate, stable, margin, (low + high) / 2)


def log_evidence_above(counts: Counts, limit: float) -> float:
    """Weigh the evidence that a rate exceeds `limit`; read it as `log_evidence_worse`.

    Raises:
        ValueError: Counts that cannot be, or a limit outside [0, 1].
    """
    _check(counts)
    if not 0 <= limit <= 1:
        raise ValueError(f"A limit is a rate from 0 to 1, not {limit}.")
    return _log_mixture(counts) - _log_likelihood(counts, min(counts.rate, limit))


def log_evidence_unlike(
    seen: Sequence[int], one: Sequence[float], other: Sequence[float], strange: float
) -> float:
    """Weigh the evidence that observations are no mixture of two known distributions.

    The hypothesis: each observation is of the one kind or of the other, in any proportion, but for
    a share of at most `strange` that may fall anywhere. A changed proportion is thus no evidence.

    Args:
        seen: Observations per bin.
        one: Weight of each bin in the one distribution, above 0; scaled to a sum of 1.
        other: The same of the other distribution.
        strange: Share that may fall anywhere, in [0, 1).

    Returns:
        Natural logarithm of the evidence, as `log_evidence_worse`.

    Raises:
        ValueError: Bins that do not fit together, or a share outside [0, 1).
    """
    if not len(seen) == len(one) == len(other) or min(*seen, *one, *other, 0) < 0:
        raise ValueError("Both distributions need a weight of at least 0 for every bin.")
    if not 0 <= strange < 1 or not sum(one) or not sum(other):
        raise ValueError(f"Two distributions and a share from 0 to 1 are needed, not {strange}.")
    known = [[weight / sum(part) for weight in part] for part in (one, other)]

    def best(proportion: float) -> float:
        """Return the largest log-likelihood for a proportion; concave in it."""
        floors = [
            (1 - strange) * (proportion * a + (1 - proportion) * b)
            for a, b in zip(*known, strict=True)
        ]
        return _likelihood_above(seen, floors)

    low, high = 0.0, 1.0
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(_SEARCH_STEPS // 2):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if best(left) < best(right):
            low = left
        else:
            high = right
    prior = _JEFFREYS * len(seen)
    mixture = math.lgamma(prior) - math.lgamma(sum(seen) + prior)
    mixture += sum(math.lgamma(n + _JEFFREYS) - math.lgamma(_JEFFREYS) for n in seen)
    return mixture - max(best(at) for at in (0.0, (low + high) / 2, 1.0))


def log_evidence_of_a_change(since: Sequence[float], starts: int) -> float:
    """Average the evidence of tests that each began at another time: an e-detector.

    A test over all that was ever seen notices a change the later, the more had been seen before.
    So one begins anew at each time, and sees what came from then on; their average over a number of
    starts that is fixed beforehand is such a test again (J. Shin, A. Ramdas, A. Rinaldo,
    "E-detectors", New England Journal of Statistics in Data Science 2 (2024)). False alarms come on
    average at most alpha times in `starts` times, and within the first `starts` times with a chance
    of at most alpha, however long it runs.

    Args:
        since: The logarithm of the evidence of all that was seen from each time on, oldest first.
            Only the latest `starts` count.
        starts: So many starts share alpha, at least 1: as many times as alpha is meant for.

    Returns:
        Natural logarithm of the evidence, as `log_evidence_worse`; -inf without any.

    Raises:
        ValueError: Fewer than one start.
    """
    if starts < 1:
        raise ValueError(f"At least one start shares alpha, not {starts}.")
    latest = since[-starts:]
    largest = max(latest, default=-math.inf)
    if largest == -math.inf:
        return -math.inf
    return largest + math.log(sum(math.exp(each - largest) for each in latest) / starts)


def _likelihood_above(seen: Sequence[int], floors: Sequence[float]) -> float:
    """Return the largest sum of n * log(p) over distributions p that keep above `floors`.

    Bins at their floor keep it; the others share what is left in proportion to what was seen.
    """
    free = {bin_ for bin_, n in enumerate(seen) if n}
    while True:
        left = 1 - sum(floor for bin_, floor in enumerate(floors) if bin_ not in free)
        total = sum(seen[bin_] for bin_ in free)
        bound = {bin_ for bin_ in free if seen[bin_] * left < floors[bin_] * total}
        if not bound or bound == free:  # the latter by rounding alone
            break
        free -= bound
    likelihood = 0.0
    for bin_, n in enumerate(seen):
        if n:
            p = n * left / total if bin_ in free else floors[bin_]
            if p <= 0:
                return -math.inf
            likelihood += n * math.log(p)
    return likelihood


def convincing(log_evidence: float, alpha: float) -> bool:
    """Tell whether the evidence suffices at level `alpha`, in (0, 1)."""
    return log_evidence >= -math.log(alpha)


def _on_edge(candidate: Counts, stable: Counts, margin: float, stable_rate: float) -> float:
    return _log_likelihood(candidate, stable_rate + margin) + _log_likelihood(stable, stable_rate)


def _log_likelihood(counts: Counts, rate: float) -> float:
    """Return log(rate**events * (1 - rate)**others), with 0 * log(0) = 0."""
    others = counts.trials - counts.events
    if (counts.events and rate <= 0) or (others and rate >= 1):
        return -math.inf
    return (counts.events * math.log(rate) if counts.events else 0.0) + (
        others * math.log1p(-rate) if others else 0.0
    )


def _log_mixture(counts: Counts) -> float:
    """Return the log of the likelihood, averaged over all rates by the beta mixture."""
    others = counts.trials - counts.events
    return _log_beta(counts.events + _JEFFREYS, others + _JEFFREYS) - _log_beta(
        _JEFFREYS, _JEFFREYS
    )


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _check(counts: Counts) -> None:
    if not 0 <= counts.events <= counts.trials:
        raise ValueError(f"{counts.events} events in {counts.trials} trials cannot be.")
