"""Judge a version by its evidence. Pure.

Each check tests one condition and returns its fault; the first fault decides. Rates are tested by
an always-valid test (`shield.sequential`), so that frequent checks do not raise the rate of false
rejections; without traffic there is no evidence. The significance level is divided equally between
the tests that can reject by chance. Slowness is not a fault, since the machine may cause it: it
pauses a rollout but does not reject a version.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from shield.crds.evidence import ArmEvidence, Evidence, PairedEvidence
from shield.crds.v1alpha1 import Analysis
from shield.paired import (
    Paired,
    bounds,
    decisions_missing,
    log_evidence_above,
    log_evidence_below,
)
from shield.sequential import Counts, convincing, log_evidence_worse
from shield.sequential import log_evidence_above as log_evidence_of_a_rate


class Fault(NamedTuple):
    """A fault of a version."""

    reason: str
    """Reason as a CamelCase word, for conditions and events."""
    message: str
    """Message with the figures."""


Check = Callable[[Analysis, ArmEvidence, ArmEvidence], Fault | None]
"""A check of the version on trial, given the analysis settings and both arms' evidence."""


def requests_fail(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Check that requests do not fail too often, and more often than the other version's."""
    counts, others = _failures(trial), _failures(baseline)
    if counts.events < analysis.minimum_failures or counts.rate <= others.rate:
        return None
    evidence = log_evidence_of_a_rate(counts, analysis.max_failure_rate)
    if not convincing(evidence, _share(analysis)):
        return None
    return Fault(
        "RequestsFailed",
        f"{counts.events} of {counts.trials} requests failed; at most "
        f"{analysis.max_failure_rate:.1%} may.",
    )


def answers_stop(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Check that reachable servers have not stopped to answer while the other version answers.

    The failure rate over a whole trial detects the sudden death of a good version late. At a
    tolerable failure rate of 1 %, five failures in a row happen by chance once in 10^10 requests.
    Unreachable servers are not counted here, since they may be starting.
    """
    count = trial.failures_in_a_row - trial.unreached_in_a_row
    if count < analysis.max_failures_in_a_row or baseline.failures_in_a_row:
        return None
    return Fault("AnswersStop", f"Its last {count} requests failed, one after the other.")


def down_after_a_crash(analysis: Analysis, evidence: Evidence | None) -> bool:
    """Return whether a crash left the version without a server, so that the other one answers."""
    if evidence is None or evidence.stable.failures_in_a_row:
        return False
    return evidence.candidate.failures_in_a_row >= analysis.max_failures_in_a_row


def verdicts_shift(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Check that the share of scam verdicts is similar: swapped labels, wrong tokenizer, NaN."""
    ours, theirs = _positives(trial), _positives(baseline)
    allowed = analysis.max_verdict_shift
    evidence = max(
        log_evidence_worse(ours, theirs, allowed), log_evidence_worse(theirs, ours, allowed)
    )
    if not convincing(evidence, _share(analysis) / 2):  # two directions
        return None
    return Fault(
        "VerdictsShifted",
        f"It called {ours.rate:.1%} of {ours.trials} messages a scam, the other version "
        f"{theirs.rate:.1%} of {theirs.trials}.",
    )


def answers_are_slow(analysis: Analysis, evidence: Evidence) -> bool:
    """Return whether too many of the latest answers of the version on trial are slow.

    Compares the processing times of both versions' servers, without cached answers and without
    servers that have just started. The bound is the same for both versions, so that long messages
    count against neither.
    """
    ours = Counts(min(evidence.candidate.slow, evidence.candidate.timed), evidence.candidate.timed)
    theirs = Counts(min(evidence.stable.slow, evidence.stable.timed), evidence.stable.timed)
    if min(ours.trials, theirs.trials) < analysis.minimum_latency_samples:
        return False
    return convincing(log_evidence_worse(ours, theirs, analysis.max_slow_share), analysis.alpha)


CHECKS: tuple[Check, ...] = (
    answers_stop,
    requests_fail,
    verdicts_shift,
)
FAILED = ("AnswersStop", "RequestsFailed")
"""Reasons that requests without an answer lead to."""
_SHARED_BY = 3
"""Number of tests that can reject by chance: failures, shift of verdicts, and errors where both
disagree. The proof for a promotion uses the same level, which leaves room for correlated messages
of a user (`bench.trials`)."""


def first_fault(analysis: Analysis, evidence: Evidence) -> Fault | None:
    """Return the first fault of the version on trial, or `None`."""
    for check in CHECKS:
        fault = check(analysis, evidence.candidate, evidence.stable)
        if fault is not None:
            return fault
    return errs_more(analysis, evidence)


def errs_more(analysis: Analysis, evidence: Evidence) -> Fault | None:
    """Check that, by reviewers' decisions on disagreements, the version does not err more."""
    decided = evidence.paired
    if not convincing(log_evidence_above(paired(decided), 0.0), _share(analysis)):
        return None
    return Fault(
        "ErrsMore",
        f"Of {decided.better + decided.worse} messages on which the versions disagree and that "
        f"reviewers decided, it was wrong in {decided.worse}. {_difference(analysis, evidence)}",
    )


def not_worse(analysis: Analysis, evidence: Evidence | None) -> bool:
    """Return whether the error rate is proven not to be higher by more than the budget."""
    if analysis.error_budget >= 1:
        return True
    if evidence is None:
        return False
    evidence_weight = log_evidence_below(paired(evidence.paired), analysis.error_budget)
    return convincing(evidence_weight, _share(analysis))


def shown(analysis: Analysis, evidence: Evidence | None) -> str:
    """Return the proof as a sentence, if `not_worse` holds."""
    if analysis.error_budget >= 1 or evidence is None:
        return "The error budget asks for no proof."
    decided = evidence.paired
    return (
        f"The versions disagree on {decided.disagreements} of {decided.messages} messages; of "
        f"{decided.better + decided.worse} that reviewers decided, it was right in "
        f"{decided.better}. {_difference(analysis, evidence)}"
    )


def missing(analysis: Analysis, evidence: Evidence | None) -> str:
    """Return what is missing for the proof, in sentences that seldom change."""
    decided = PairedEvidence() if evidence is None else evidence.paired
    if not decided.messages:
        met = evidence is not None and bool(evidence.candidate.exposures)
        return (
            "None of the messages may be read by a reviewer (users agree to that in the app, or "
            "not), so it cannot be found out who is right where the versions disagree."
            if met
            else "No messages have come that both versions could score."
        )
    more = decisions_missing(paired(decided), analysis.error_budget, _share(analysis))
    if more is None and decided.better + decided.worse:
        return "So far, where the versions disagree, it does no better than the budget allows."
    if more is None:
        return "No message on which the versions disagree has been decided by a reviewer yet."
    digit = 10 ** (len(str(more)) - 1)
    return (
        f"About {math.ceil(more / digit) * digit} more decisions by reviewers are needed at the "
        "present rate."
    )


def users_object(analysis: Analysis, evidence: Evidence) -> bool:
    """Return whether a larger share of users objects than of the other version's.

    Users differ in what they report, so this is no proof; but no further users are moved to the
    version until reviewers have decided.
    """
    ours, theirs = _votes(evidence.candidate), _votes(evidence.stable)
    evidence_weight = log_evidence_worse(ours, theirs, analysis.error_budget)
    return convincing(evidence_weight, analysis.alpha)


def paired(decided: PairedEvidence) -> Paired:
    """Return the paired counts from which the bounds are computed."""
    return Paired(decided.weight, decided.better, decided.worse, decided.undecided)


def _difference(analysis: Analysis, evidence: Evidence) -> str:
    low, high = bounds(paired(evidence.paired), analysis.alpha)
    return (
        f"Its error rate lies {_points(low)} to {_points(high)} points from the other version's "
        f"(the budget is {100 * analysis.error_budget:.2g})."
    )


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _votes(arm: ArmEvidence) -> Counts:
    return Counts(min(arm.reporters, arm.users), arm.users)


def _share(analysis: Analysis) -> float:
    return analysis.alpha / _SHARED_BY


def _failures(arm: ArmEvidence) -> Counts:
    return Counts(arm.failures, arm.failures + arm.exposures)


def _positives(arm: ArmEvidence) -> Counts:
    if arm.counted is None:
        return Counts(min(arm.positives, arm.exposures), arm.exposures)
    return Counts(min(arm.counted_positives, arm.counted), arm.counted)
