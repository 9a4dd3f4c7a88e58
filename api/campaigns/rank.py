"""Rank items of the review queue by the value of a decision.

An item's key is its creation time minus a bonus, in seconds; the smallest key comes first. The
bonus is bounded (five days; six for the few items that a trial waits for), so an item waits at most
that long behind newer ones and none starves. Keys do not change with time, so that an index on them
is the queue.
"""

import math
from datetime import datetime

from api.kit.trust import Record, mean
from api.tables import Feedback
from shield.wire import Rank, RankReason

HOUR = 3600.0
FIRST_SECONDS = 6 * 24 * HOUR
"""Bonus of items that a trial waits for: ahead of all others of the same time; few a day."""
_REPORTERS_HOURS = 24.0
_UNCERTAINTY_HOURS = 24.0
_REACH_HOURS = 72.0
_REACH_HOURS_PER_DOUBLING = 9.0


def item_bonus_seconds(trust: float, probability: float) -> float:
    """Return the bonus of one report for a trusted reporter and an uncertain model.

    Args:
        trust: Lower bound of the reporter's approval rate, 0 to 1.
        probability: The model's scam probability, 0 to 1.
    """
    return HOUR * (_REPORTERS_HOURS * trust + _UNCERTAINTY_HOURS * uncertainty(probability))


def uncertainty(probability: float) -> float:
    """Return the model's uncertainty: 1 at probability 0.5, 0 at 0 or 1."""
    return 1 - abs(2 * probability - 1)


def reach_bonus_seconds(reach: int) -> float:
    """Return the bonus for the number of a campaign's scans; it grows with each doubling."""
    hours = _REACH_HOURS_PER_DOUBLING * math.log2(max(1, reach))
    return HOUR * min(_REACH_HOURS, hours)


def explain(
    feedback: Feedback, *, record: Record, probability: float, reach: int, now: datetime
) -> Rank:
    """Return an item's rank with the reasons for it."""
    age_hours = max(0.0, (now - feedback.created_at).total_seconds() / HOUR)
    unsure = uncertainty(probability)
    reasons = [
        RankReason(
            name="reporters",
            value=_REPORTERS_HOURS * record.trust(now),
            text=f"reporter right in about {mean(record.approved, record.rejected):.0%} of cases",
        ),
        RankReason(
            name="uncertainty",
            value=_UNCERTAINTY_HOURS * unsure,
            text=f"model {'unsure' if unsure > 0.5 else 'sure'}",
        ),
        RankReason(
            name="reach",
            value=reach_bonus_seconds(reach) / HOUR,
            text=f"{reach} {'scan' if reach == 1 else 'scans'} like it",
        ),
        RankReason(name="age", value=age_hours, text=f"waits for {_span(age_hours)}"),
    ]
    score = sum(reason.value for reason in reasons)
    strongest = sorted(reasons, key=lambda reason: -reason.value)
    return Rank(
        score=round(score, 3),
        reason=", ".join(reason.text for reason in strongest),
        reasons=reasons,
    )


def _span(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
