"""What came since each day, and whether it speaks of a change. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from shield.sequential import Counts, log_evidence_of_a_change
from shield.wire import DriftDay, Tally

YEAR = 365
"""Days that share alpha."""
Daily = Mapping[int, Counts]
"""Counts by day since the release; days without any are left out."""


class Change(NamedTuple):
    """How strongly counts by day speak of a change."""

    evidence: float
    """Natural logarithm, averaged over the days on which the change may have come."""
    begin: str
    """The day that says most, in words; without evidence the first."""
    counts: Counts
    """What came since that day."""


def weigh_change(daily: Daily, weigh: Callable[[Counts], float]) -> Change:
    """Weigh what came since each of the latest 365 days.

    Args:
        daily: At least one day.
        weigh: Returns the natural logarithm of the evidence of counts.
    """
    numbers = sorted(daily)[-YEAR:]
    since: list[Counts] = []
    for number in reversed(numbers):
        since.append(total_of([daily[number], *since[-1:]]))
    since.reverse()
    weighed = [weigh(counts) for counts in since]
    evidence = log_evidence_of_a_change(weighed, YEAR)
    start = weighed.index(max(weighed)) if evidence > 0 else 0
    return Change(evidence, begin_of(numbers[start]), since[start])


def begin_of(number: int) -> str:
    """Return a day in words, counted from the release."""
    return "its release" if number == 0 else f"day {number} after its release"


def daily_counts(days: Sequence[DriftDay], name: str) -> Daily:
    """Return one tally of each day, by the name of its field."""
    return {day.number: counts_of(getattr(day, name)) for day in days}


def counts_of(tally: Tally) -> Counts:
    """Return a tally of the API as counts."""
    return Counts(tally.events, tally.trials)


def total_of(parts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    events = trials = 0
    for part in parts:
        events, trials = events + part.events, trials + part.trials
    return Counts(events, trials)
