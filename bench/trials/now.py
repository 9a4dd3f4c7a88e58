"""The rule of this product, by the very functions that the operator judges with."""

from collections import Counter, deque

import numpy as np

from bench.trials.before import Told
from bench.trials.world import DAY_SECONDS, Bools, Floats, Ints, Messages
from shield.paired import Paired, log_evidence_above, log_evidence_below, share_to_draw
from shield.sequential import convincing

ALPHA = 0.05
LEVEL = ALPHA / 3
"""Worse, failing more, calling other shares a scam: each may reject, so they share the level.
Promotion is held to the same, which leaves room for users whose messages hang together."""
MARGIN = 0.005
PER_DAY = 60.0
MOST_A_DAY = 1
MOST_OF_A_USER = 5
REVIEWERS_ERR = 0.03
DECIDED_AFTER_SECONDS = 7200.0
"""On average; reviewers take them in the order in which they were drawn."""


def paired(
    messages: Messages,
    rng: np.random.Generator,
    *,
    per_day: float = PER_DAY,
    margin: float = MARGIN,
    most: int | None = None,
) -> Told:
    """Draw disagreements, let reviewers decide, and judge after each decision.

    Args:
        messages: Of the trial.
        rng: For the lots, and what reviewers do.
        per_day: Decisions that reviewers make in a day.
        margin: That the version on trial may be worse by.
        most: Decisions after which the trial ends without a judgement.
    """
    drawn, weights, decided_at = _draws(messages, rng, per_day)
    worse = messages.trial_errs[drawn] ^ (rng.random(drawn.size) < REVIEWERS_ERR)
    counts = np.cumsum(worse)
    for number in range(1, drawn.size + 1):
        if most is not None and number > most:
            return Told(False, False, float(decided_at[number - 2]), decided=number - 1)
        bad = int(counts[number - 1])
        seen = Paired(float(weights[number - 1]), number - bad, bad)
        at = float(decided_at[number - 1])
        if convincing(log_evidence_above(seen, 0.0), LEVEL):
            return Told(True, False, at, decided=number)
        if convincing(log_evidence_below(seen, margin), LEVEL):
            return Told(False, True, at, decided=number)
    return Told(False, False, float(messages.seconds[-1]), decided=int(drawn.size))


def _draws(
    messages: Messages, rng: np.random.Generator, per_day: float
) -> tuple[Ints, Floats, Floats]:
    """Return which messages are drawn, the weight up to each, and when each is decided."""
    counts = _countable(messages)
    disagree = np.flatnonzero((messages.trial_errs != messages.stable_errs) & counts)
    lots = rng.random(disagree.size)
    waits = rng.exponential(DECIDED_AFTER_SECONDS, disagree.size)
    of_user: Counter[int] = Counter()
    full: dict[int, int] = {}
    recent: deque[float] = deque()
    recent_drawn: deque[float] = deque()
    pending: deque[float] = deque()
    drawn: list[int] = []
    decided_at: list[float] = []
    shares = np.zeros(disagree.size + 1)
    for number, place in enumerate(disagree.tolist()):
        now, user = float(messages.seconds[place]), int(messages.user[place])
        for times in (recent, recent_drawn):
            while times and times[0] < now - DAY_SECONDS:
                times.popleft()
        while pending and pending[0] <= now:
            pending.popleft()
        share = share_to_draw(per_day, len(recent), len(recent_drawn), now, len(pending))
        shares[number] = share
        if user in full:
            continue
        recent.append(now)
        if lots[number] >= share:
            continue
        of_user[user] += 1
        if of_user[user] == MOST_OF_A_USER:
            full[user] = place
        recent_drawn.append(now)
        drawn.append(place)
        decided_at.append(max(now + waits[number], decided_at[-1] if decided_at else 0.0))
        pending.append(decided_at[-1])
    # Each message could have been drawn at the share of the next disagreement.
    per_message = shares[np.searchsorted(disagree, np.arange(messages.user.size))]
    first = np.full(int(messages.user.max()) + 1, messages.user.size)
    for user, last in full.items():
        first[user] = last
    per_message[~counts | (np.arange(messages.user.size) >= first[messages.user])] = 0.0
    at = np.array(drawn, dtype=np.int64)
    per_message[at] = 0.0
    return at, np.cumsum(per_message)[at], np.array(decided_at)


def _countable(messages: Messages) -> Bools:
    """Return which messages count: no repetition, and the first few of a user on a day."""
    n = messages.user.size
    new = np.ones(n, dtype=np.bool_)
    of_campaigns = np.flatnonzero(messages.campaign >= n)
    new[of_campaigns] = False
    new[of_campaigns[np.unique(messages.campaign[of_campaigns], return_index=True)[1]]] = True
    days = (messages.seconds // DAY_SECONDS).astype(np.int64)
    place = np.flatnonzero(new)
    group = messages.user[place] * (int(days.max()) + 1) + days[place]
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    began = np.maximum.accumulate(
        np.where(np.r_[True, ranked[1:] != ranked[:-1]], np.arange(ranked.size), 0)
    )
    counts = np.zeros(n, dtype=np.bool_)
    counts[place[order[np.arange(ranked.size) - began < MOST_A_DAY]]] = True
    return counts
