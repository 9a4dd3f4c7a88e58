"""Compute each drift signal from counts by day, without clock or I/O.

Each is a test that may be looked at every day, and that begins anew every day: what is judged is
the average of the evidence since each of the last 365 days (an e-detector, see
`shield.sequential`), so that a change is noticed as soon however long the champion has served
before. False alarms come on average at most `alpha` times a year.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.drift_watch.changes import (
    YEAR,
    Daily,
    begin_of,
    counts_of,
    daily_counts,
    total_of,
    weigh_change,
)
from shield.sequential import (
    Counts,
    log_evidence_above,
    log_evidence_of_a_change,
    log_evidence_unlike,
    log_evidence_worse,
)
from shield.wire import DriftDay, DriftFacts, DriftSignal, DriftVerdict

NAMES = ("misses", "false_alarms", "complaints", "objections", "new_campaigns", "scores")
OPENING_DAYS = 7
"""How long a champion's opening lasts; what users object to later is compared with it."""


@dataclass(frozen=True)
class DriftLimits:
    """What counts as drift."""

    alpha: float = 0.05
    """Retrainings asked for in a year that are not needed, on average, over all signals."""
    more_misses: float = 0.05
    """Allowed rise of the miss rate above the golden one, absolute. Users' scams are newer than the
    golden set's, so some rise is no news."""
    more_false_alarms: float = 0.01
    """Allowed rise of the false-positive rate above the golden one, absolute."""
    more_complaints: float = 0.005
    """Allowed rise of confirmed errors per scan above other versions', absolute."""
    more_objections: float = 0.01
    """Allowed rise of objections per scan above those of the champion's first week, absolute."""
    more_new_campaigns: float = 0.2
    """Allowed rise of the share of campaigns that are unlike all that taught, absolute."""
    strange_scores: float = 0.1
    """Allowed share of messages that are scored like neither class of the golden set."""
    least: int = 50
    """Observations below which a signal says nothing."""
    least_campaigns: int = 20
    """Campaigns below which nothing is said of them."""

    @property
    def share(self) -> float:
        """The false alarms a year that one signal may have."""
        return self.alpha / len(NAMES)


def signals(
    facts: DriftFacts,
    metrics: Mapping[str, Any],
    taught: Counts,
    new: Mapping[int, Counts],
    limits: DriftLimits,
) -> list[DriftSignal]:
    """Return what every signal says.

    Args:
        facts: From the API.
        metrics: Of the champion, as registered: what its evaluation promised.
        taught: Campaigns that taught it, and those of them that are unlike all others.
        new: By day since its release: campaigns that began, and those unlike all that taught.
        limits: What counts as drift.
    """
    recall, fpr = _number(metrics, "goldenRecall"), _number(metrics, "goldenFpr")
    missed = None if recall is None else 1 - recall
    alarms = daily_counts(facts.days, "false_alarms")
    others = [each for each in facts.arms if each.version != facts.version]
    opening = [day.objections for day in facts.days if day.number < OPENING_DAYS]
    objections = {
        day.number: counts_of(day.objections) for day in facts.days if day.number >= OPENING_DAYS
    }
    return [
        _above("misses", daily_counts(facts.days, "misses"), missed, limits.more_misses, limits),
        _above("false_alarms", alarms, fpr, limits.more_false_alarms, limits),
        _worse(
            "complaints",
            daily_counts(facts.days, "complaints"),
            Counts(sum(v.errors for v in others), sum(v.scans for v in others)),
            (limits.more_complaints, limits.least, limits.share),
            ("confirmed errors", "scans", "other versions"),
        ),
        _worse(
            "objections",
            objections,
            total_of(counts_of(each) for each in opening),
            (limits.more_objections, limits.least, limits.share),
            ("objections", "scans", "its first week"),
        ),
        _worse(
            "new_campaigns",
            new,
            taught,
            (limits.more_new_campaigns, limits.least_campaigns, limits.share),
            ("unlike all that taught", "scam campaigns", "those that taught, among themselves"),
        ),
        _unlike(facts.days, metrics.get("goldenScores"), limits),
    ]


def together(all_signals: Sequence[DriftSignal]) -> DriftVerdict:
    """Combine all signals: one that asks for a retraining is enough."""
    said = {signal.says for signal in all_signals}
    for verdict in (DriftVerdict.RETRAIN, DriftVerdict.STEADY):
        if verdict in said:
            return verdict
    return DriftVerdict.CANNOT_TELL


def _above(
    name: str, daily: Daily, promised: float | None, margin: float, limits: DriftLimits
) -> DriftSignal:
    """Compare the error rate of audited scans with that of the evaluation."""
    counts, title = total_of(daily.values()), name.replace("_", " ")
    if promised is None or counts.trials < limits.least:
        message = f"{title}: {counts.trials} audited scans tell nothing yet."
        return _silent(name, counts, message)
    limit = min(promised + margin, 1.0)
    change = weigh_change(daily, lambda seen: log_evidence_above(seen, limit))
    message = (
        f"{title}: {change.counts.events} of {change.counts.trials} audited scans "
        f"({change.counts.rate:.1%}) since {change.begin}; up to {limit:.1%} was promised."
    )
    return _said(name, change.counts, limit, change.evidence, limits.share, message)


def _worse(
    name: str,
    daily: Daily,
    reference: Counts,
    rule: tuple[float, int, float],
    words: tuple[str, str, str],
) -> DriftSignal:
    """Compare a rate with another that was observed, within an allowed margin."""
    margin, least, share = rule
    what, of, beside = words
    counts, title = total_of(daily.values()), name.replace("_", " ")
    if min(counts.trials, reference.trials) < least:
        message = f"{title}: {counts.trials} {of} beside {reference.trials} of {beside}: too few."
        return _silent(name, counts, message)
    limit = min(reference.rate + margin, 1.0)
    change = weigh_change(daily, lambda seen: log_evidence_worse(seen, reference, margin))
    message = (
        f"{title}: {change.counts.events} {what} of {change.counts.trials} {of} "
        f"({change.counts.rate:.2%}) since {change.begin}; {beside} {reference.rate:.2%}."
    )
    return _said(name, change.counts, limit, change.evidence, share, message)


def _unlike(days: Sequence[DriftDay], golden: object, limits: DriftLimits) -> DriftSignal:
    """Compare the scores of distinct messages with those of the golden set's two classes."""
    name, total = "scores", sum(sum(day.scores) for day in days)
    classes = _bins(golden, max((len(day.scores) for day in days), default=0))
    if classes is None:
        message = "scores: the champion was registered without its golden scores."
        return _silent(name, Counts(0, total), message)
    if total < limits.least or min(sum(part) for part in classes) < limits.least:
        message = f"scores: {total} different messages tell nothing yet."
        return _silent(name, Counts(0, total), message)
    # Half a message in every bin: an empty one is rare, not impossible.
    ham, scam = ([count + 0.5 for count in part] for part in classes)
    allowed = limits.strange_scores
    counts = [0] * len(ham)
    sums: list[tuple[int, list[int], float]] = []
    for day in reversed(days[-YEAR:]):
        counts = [a + b for a, b in zip(counts, day.scores, strict=True)]
        sums.append((day.number, counts, log_evidence_unlike(counts, ham, scam, allowed)))
    evidence = log_evidence_of_a_change([each for _, _, each in reversed(sums)], YEAR)
    asks = evidence >= -math.log(limits.share)
    number, counts, _ = max(sums, key=lambda each: each[2]) if asks else sums[-1]
    total = sum(counts)
    strange = round(total * _strange(counts, ham, scam))
    message = (
        f"scores: about {strange} of {total} different messages ({strange / total:.1%}) since "
        f"{begin_of(number)} are scored like neither class of the golden set; up to {allowed:.0%} "
        "is allowed."
    )
    return _said(name, Counts(strange, total), allowed, evidence, limits.share, message)


def _strange(seen: Sequence[int], ham: Sequence[float], scam: Sequence[float]) -> float:
    """Return the share of scores that no mixture of both classes explains; for display only."""
    total = sum(seen)

    def left(share: float) -> float:
        blend = [
            share * a / sum(scam) + (1 - share) * b / sum(ham)
            for a, b in zip(scam, ham, strict=True)
        ]
        return sum(max(0.0, n / total - p) for n, p in zip(seen, blend, strict=True))

    return min(left(step / 200) for step in range(201))


def _bins(golden: object, size: int) -> tuple[list[int], list[int]] | None:
    if not isinstance(golden, Mapping):
        return None
    ham, scam = golden.get("ham"), golden.get("scam")
    if not (isinstance(ham, list) and isinstance(scam, list) and len(ham) == len(scam) == size):
        return None
    return [int(n) for n in ham], [int(n) for n in scam]


def _silent(name: str, counts: Counts, message: str) -> DriftSignal:
    return DriftSignal(
        name=name,
        says=DriftVerdict.CANNOT_TELL,
        events=counts.events,
        trials=counts.trials,
        message=message,
    )


def _said(
    name: str, counts: Counts, limit: float, evidence: float, alpha: float, message: str
) -> DriftSignal:
    share = max(0.0, evidence / -math.log(alpha))
    return DriftSignal(
        name=name,
        says=DriftVerdict.RETRAIN if share >= 1 else DriftVerdict.STEADY,
        events=counts.events,
        trials=counts.trials,
        limit=limit,
        evidence=round(share, 4) if share < 1 else share,
        message=message,
    )


def _number(metrics: Mapping[str, Any], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else None
