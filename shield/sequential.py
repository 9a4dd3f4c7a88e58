"""Tests that may be looked at after every scan and stopped at any time, at their full level.

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
    seen = _log_mixture(candidate) + _log_mixture(stable)
    if candidate.rate <= stable.rate + margin:
        allowed = _log_likelihood(candidate, candidate.rate) + _log_likelihood(stable, stable.rate)
        return seen - allowed
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
    return seen - _on_edge(candidate, stable, margin, (low + high) / 2)


def log_evidence_above(counts: Counts, limit: float) -> float:
    """Weigh the evidence that a rate exceeds `limit`; read it as `log_evidence_worse`.

    Raises:
        ValueError: Counts that cannot be, or a limit outside [0, 1].
    """
    _check(counts)
    if not 0 <= limit <= 1:
        raise ValueError(f"A limit is a rate from 0 to 1, not {limit}.")
    return _log_mixture(counts) - _log_likelihood(counts, min(counts.rate, limit))


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
