"""The rule before this one: errors that users report, compared between the arms.

It stands here for comparison alone: canary steps that pass by themselves unless a test of the
confirmed errors, or of the reports, rejects; the same tests within a guard window of a day.
"""

from dataclasses import dataclass

import numpy as np

from bench.trials.world import DAY_SECONDS, Bools, Messages
from shield.sequential import Counts, convincing, log_evidence_worse

BUDGET = 0.005
SHARE = 0.05 / 4
GUARD_SECONDS = DAY_SECONDS
_HOUR = 3600.0


@dataclass(frozen=True)
class Told:
    """How a trial ended."""

    rejected: bool
    """Within the guard window included."""
    promoted: bool
    """Met every user, if only until the guard brought the other one back."""
    seconds: float
    """Until it was promoted, or else rejected, or else to the end."""
    scans: int = 0
    """By the version on trial until then."""
    decided: int = 0
    """Messages decided by reviewers, until its end."""


def canary(messages: Messages, rng: np.random.Generator) -> Told:
    """Judge by the default steps: 10 %, then 50 % of the users, an hour and 100 scans each."""
    place = rng.random(int(messages.user.max()) + 1)[messages.user]
    began, on_trial = 0.0, np.zeros(place.size, dtype=np.bool_)
    for weight in (0.10, 0.50):
        arm = (place < weight) & (messages.seconds >= began)
        hundredth = messages.seconds[arm][99]
        ends = max(began + _HOUR, float(hundredth))
        on_trial |= arm & (messages.seconds < ends)
        rejected = _rejected(messages, on_trial, began, ends, ends)
        if rejected is not None:
            return Told(True, False, rejected, int(on_trial.sum()))
        began = ends
    met = int(on_trial.sum())
    everyone = on_trial | (messages.seconds >= began)
    rejected = _rejected(messages, everyone, began, began + GUARD_SECONDS, began + GUARD_SECONDS)
    return Told(rejected is not None, True, began, met)


def half(messages: Messages, rng: np.random.Generator) -> Told:
    """Judge an A/B trial of half the users, to the end of the messages."""
    on_trial = rng.random(int(messages.user.max()) + 1)[messages.user] < 0.5
    end = float(messages.seconds[-1])
    rejected = _rejected(messages, on_trial, 0.0, end, end)
    return Told(rejected is not None, False, end if rejected is None else rejected)


def reports_reject(ours: Counts, theirs: Counts) -> bool:
    """Tell whether these reports reject the version on trial."""
    return convincing(log_evidence_worse(ours, theirs, BUDGET), SHARE)


def _rejected(
    messages: Messages, on_trial: Bools, since: float, until: float, end: float
) -> float | None:
    """Return when the reports reject, looking 100 times or each hour, whichever is more often."""
    wrong = np.where(on_trial, messages.trial_errs, messages.stable_errs)
    errs = np.where(wrong, messages.report, messages.complain)
    looks = np.linspace(since, until, int(max(100, (until - since) / _HOUR)) + 1)[1:]
    places = np.searchsorted(messages.seconds, looks)
    ours, theirs = np.cumsum(on_trial), np.cumsum(~on_trial)
    ours_bad, theirs_bad = np.cumsum(on_trial & errs), np.cumsum(~on_trial & errs)
    before = -1
    for look, place in zip(looks, places - 1, strict=True):
        if place < 0 or ours_bad[place] == before:
            continue  # nothing was reported since: the evidence has not grown
        before = ours_bad[place]
        arm = Counts(int(ours_bad[place]), int(ours[place]))
        if reports_reject(arm, Counts(int(theirs_bad[place]), int(theirs[place]))):
            return float(min(look, end))
    return None
