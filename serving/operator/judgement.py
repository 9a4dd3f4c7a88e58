"""Whether what a version has shown speaks against it. Pure.

Each check answers one question and names its fault; the first fault decides. Rates are judged by an
always-valid test (`shield.sequential`), so looking often rejects nobody who does not deserve it,
and no traffic is no evidence. The level is shared equally between the tests that can reject by
chance. Slowness is no fault: it may be the machine's, so it holds a rollout and rejects nobody.
"""

from collections.abc import Callable
from typing import NamedTuple

from shield.crds.v1alpha1 import Analysis, ArmEvidence, Evidence
from shield.sequential import Counts, convincing, log_evidence_above, log_evidence_worse


class Fault(NamedTuple):
    """Something that speaks against a version."""

    reason: str
    """One CamelCase word, for conditions and events."""
    message: str
    """A sentence with the figures."""


Check = Callable[[Analysis, ArmEvidence, ArmEvidence], Fault | None]
"""Given the analysis, the version on trial and the one it is compared with."""


def requests_fail(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Too many requests failed, and the other version did not fail as often."""
    counts, others = _failures(trial), _failures(baseline)
    if counts.events < analysis.minimum_failures or counts.rate <= others.rate:
        return None
    evidence = log_evidence_above(counts, analysis.max_failure_rate)
    if not convincing(evidence, _share(analysis)):
        return None
    return Fault(
        "RequestsFailed",
        f"{counts.events} of {counts.trials} requests failed; at most "
        f"{analysis.max_failure_rate:.1%} may.",
    )


def answers_stop(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Its servers are reached and answer nothing any more, and the other version answers.

    A rate over a whole trial notices late that a version which was fine has died. At a tolerable
    failure rate of 1 %, five failures in a row come by chance once in 10^10 requests. Servers that
    are not reached are another matter: they may be starting.
    """
    count = trial.failures_in_a_row - trial.unreached_in_a_row
    if count < analysis.max_failures_in_a_row or baseline.failures_in_a_row:
        return None
    return Fault("AnswersStop", f"Its last {count} requests failed, one after the other.")


def down_after_a_crash(analysis: Analysis, evidence: Evidence | None) -> bool:
    """Tell whether users meet what a crash has left: nobody who answers, but the other version."""
    if evidence is None or evidence.stable.failures_in_a_row:
        return False
    return evidence.candidate.failures_in_a_row >= analysis.max_failures_in_a_row


def verdicts_shift(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """It calls far more, or far fewer, messages a scam: swapped labels, a wrong tokenizer, NaN."""
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


def verdicts_are_wrong(
    analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence
) -> Fault | None:
    """Reviewers confirmed more wrong verdicts than the error budget allows."""
    ours = Counts(min(trial.verdict_errors, trial.exposures), trial.exposures)
    theirs = Counts(min(baseline.verdict_errors, baseline.exposures), baseline.exposures)
    return _worse("VerdictErrors", "were wrong, as reviewers confirmed", analysis, ours, theirs)


def users_object(analysis: Analysis, trial: ArmEvidence, baseline: ArmEvidence) -> Fault | None:
    """Users report more wrong verdicts than the error budget allows."""
    ours = Counts(min(trial.reports, trial.exposures), trial.exposures)
    theirs = Counts(min(baseline.reports, baseline.exposures), baseline.exposures)
    return _worse("UserReports", "were reported as wrong by users", analysis, ours, theirs)


def answers_are_slow(analysis: Analysis, evidence: Evidence) -> bool:
    """Tell whether more of the latest answers of the version on trial are slow than may be.

    What counts is what each server has spent itself; both versions alike, with what came from a
    cache or from a server just started left out. The bound is the same for both, and so a message
    that takes long, because it is long, speaks against neither.
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
    verdicts_are_wrong,
    users_object,
)
_SHARED_BY = 4  # the checks that test a rate: all but a row of failures


def first_fault(analysis: Analysis, evidence: Evidence) -> Fault | None:
    """Return the first fault of the version on trial, or None."""
    for check in CHECKS:
        fault = check(analysis, evidence.candidate, evidence.stable)
        if fault is not None:
            return fault
    return None


def _share(analysis: Analysis) -> float:
    return analysis.alpha / _SHARED_BY


def _failures(arm: ArmEvidence) -> Counts:
    return Counts(arm.failures, arm.failures + arm.exposures)


def _positives(arm: ArmEvidence) -> Counts:
    return Counts(min(arm.positives, arm.exposures), arm.exposures)


def _worse(
    reason: str, what: str, analysis: Analysis, ours: Counts, theirs: Counts
) -> Fault | None:
    evidence = log_evidence_worse(ours, theirs, analysis.error_budget)
    if not convincing(evidence, _share(analysis)):
        return None
    return Fault(
        reason,
        f"{ours.events} of its {ours.trials} verdicts {what}, {theirs.events} of {theirs.trials} "
        f"of the other version; the budget is {analysis.error_budget:.2%} more.",
    )
