"""Which of two versions errs more, by the messages on which they disagree.

Both versions score every message of a trial. Where they agree they are both right or both wrong,
so only disagreements tell which one is better. Of these a known share is drawn by lot and decided
by a person who does not know who said what. Let D be +1 where the version on trial is wrong and the
other right, -1 the other way round, 0 where they agree: the mean of D over all messages is the
difference of the two error rates.

The mean is bounded by *betting*. Somebody who claims "the mean is at least m" is offered a bet on
each message: the stake f, a share of the capital at hand, wins if the version on trial does better
than claimed. If the claim is true the capital cannot be expected to grow, so by Ville's inequality
it *ever* reaches `1 / alpha` with a chance of at most `alpha`, however often one looks. Several
stakes are held side by side, because the best one is not known; the capital is their average.

The stake on a message is multiplied by the share at which it could be drawn, which cancels the
weight 1/share of a drawn one: rare draws neither blow up a single decision nor bias the mean. The
share may change as the trial goes on, as long as it depends on the past alone. What is bounded is
the mean over messages, each counted by its share.

Sources: I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
JRSS B 86 (2024), for the bets; I. Waudby-Smith, L. Wu, A. Ramdas, N. Karampatziakis, P. Mineiro,
"Anytime-valid off-policy inference for contextual bandits", ACM/IMS J. Data Sci. (2024; arXiv
2210.10768), for draws of known probability.

What it assumes: nothing about the messages. Stakes are fixed in advance, so with `1 + x <= exp(x)`
the bounds hold for the mean over the messages that have come, even if they are chosen by an
adversary or differ from hour to hour. That these stand for the messages of others needs draws that
do not hang together: see `Paired` for what counts.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

STAKES = tuple(0.05 * 1.5**step for step in range(8))
"""0.05 to 0.85 of the capital: the best is about the mean of D over the decided disagreements."""
_SEARCH_STEPS = 50
_FURTHEST = 64.0
"""So many times the decisions at hand are looked ahead."""
_SECONDS_PER_DAY = 86400.0
_SHORTEST_LOOK_SECONDS = 900.0


class Paired(NamedTuple):
    """What the messages of a trial have shown, where both versions scored them.

    To speak for users who were not asked, at most one draw of each user and of each campaign
    counts: later messages of a user who was drawn, and later disagreements on a campaign that was
    drawn, are in no figure here.
    """

    weight: float
    """Messages that were not drawn, whether the versions agree or not, each counted by the share at
    which it would have been."""
    better: int
    """Drawn and decided: the version on trial was right, the other wrong."""
    worse: int
    """... the other way round."""
    undecided: int = 0
    """Drawn and not decided. They count against whatever is to be shown."""


def log_evidence_below(counts: Paired, margin: float) -> float:
    """Weigh the evidence that the error rate on trial is higher by less than `margin`.

    Args:
        counts: All messages up to some moment.
        margin: Difference of error rates per message, in [-1, 1].

    Returns:
        Natural logarithm of the evidence. Take the claim "higher by at least `margin`" as refuted
        at level alpha when it reaches `log(1 / alpha)`. Without messages it is 0.

    Raises:
        ValueError: Counts that cannot be, or a margin outside [-1, 1].
    """
    if min(counts) < 0 or not all(map(math.isfinite, counts)):
        raise ValueError(f"Messages are counted from 0 on, not {counts}.")
    if not -1 <= margin <= 1:
        raise ValueError(f"A margin is a difference of rates from -1 to 1, not {margin}.")
    return _log_capital(counts.weight, counts.better, counts.worse + counts.undecided, margin)


def log_evidence_above(counts: Paired, margin: float) -> float:
    """Weigh the evidence that the error rate on trial is higher by more than `margin`.

    The same as `log_evidence_below` with the versions in each other's place.
    """
    return log_evidence_below(counts._replace(better=counts.worse, worse=counts.better), -margin)


def bounds(counts: Paired, alpha: float) -> tuple[float, float]:
    """Return the lowest and highest difference of error rates that is not refuted, in [-1, 1].

    Both hold together, at every moment of the trial, but for a chance of `alpha`.
    """
    enough = -math.log(alpha / 2)
    below = _least(lambda margin: log_evidence_below(counts, margin) >= enough)
    above = -_least(lambda margin: log_evidence_above(counts, -margin) >= enough)
    return above, below


def decisions_missing(counts: Paired, margin: float, alpha: float) -> int | None:
    """Return how many more decisions "not worse than `margin`" takes, if it goes on like this.

    None if it does not lead there: nothing was decided yet, or the version on trial does no better
    than the margin so far.
    """
    decided = counts.better + counts.worse
    if not decided:
        return None
    enough = -math.log(alpha)

    def shown(times: float) -> bool:
        """Tell whether so many times what was seen would do."""
        better, worse = times * counts.better, times * counts.worse
        return _log_capital(times * counts.weight, better, worse, margin) >= enough

    if shown(1.0):
        return 0
    if not shown(_FURTHEST):
        return None
    low, high = 1.0, _FURTHEST
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return math.ceil((high - 1) * decided)


def share_to_draw(
    per_day: float, disagreements: int, drawn: int, seconds: float, waiting: int
) -> float:
    """Return the share at which the next disagreement is drawn, so that reviewers keep up.

    It depends on the past alone, never on the message at hand: that keeps the draws fair.

    Args:
        per_day: Decisions that reviewers are willing to make in a day.
        disagreements: That could have been drawn in the last `seconds`.
        drawn: ... of which so many were.
        seconds: Since the trial began, at most a day.
        waiting: Drawn and not decided yet, however old.
    """
    if drawn >= per_day or waiting >= per_day:
        return 0.0
    looked = min(max(seconds, _SHORTEST_LOOK_SECONDS), _SECONDS_PER_DAY)
    expected = (disagreements + 1) * _SECONDS_PER_DAY / looked
    return min(1.0, per_day / expected)


def _log_capital(weight: float, better: float, worse: float, margin: float) -> float:
    """Return the logarithm of the capital of who bets against "higher by at least `margin`"."""
    # A message of share p that was not drawn multiplies the capital by 1 + f*p*m. The logarithm is
    # concave in p, so p*log(1 + f*m) is at most that: the sum of shares is all that must be kept.
    own = min(margin, 0.0)  # the same p*m of one that was drawn, taken at its worst
    capitals = []
    for stake in STAKES:
        left = 1 + stake * (own - 1)  # of the capital, after a lost bet
        if left > 0 or not worse:
            capital = weight * math.log1p(stake * margin) + better * math.log1p(stake * (own + 1))
            capitals.append(capital + (worse * math.log(left) if worse else 0.0))
    if not capitals:
        return -math.inf
    best = max(capitals)
    total = math.fsum(math.exp(capital - best) for capital in capitals)
    return best + math.log(total / len(STAKES))


def _least(shown: Callable[[float], bool]) -> float:
    """Return the least margin that `shown` holds for, or 1: it holds for all above one."""
    low, high = -1.0, 1.0
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
