"""Gates on whether the corrections were learnt, and on what was lost for it.

Held-out corrections decide. Of a few corrections only one or two are held out, and a challenger
that learnt may miss both: then the corrections used for training count as well. Fitting those is no
proof of learning, but a model that does not fit them has learnt nothing.
"""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def learnt_the_corrections(limits: GateLimits) -> Gate:
    """Refuse a challenger that is no better than the champion on users' corrections.

    Held-out corrections belong to campaigns that were not used for training. The challenger must
    fix more of them than it breaks, and may not get much worse on the scams or on the harmless
    messages among them. If too few are held out to tell, it must fix those used for training.
    """

    def gate(inputs: GateInput) -> Finding:
        name, counts = "corrections", inputs.corrections
        if inputs.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        if counts.challenger.n + inputs.taught.challenger.n == 0:
            return Finding(
                gate=name,
                passed=False,
                message="No correction was held out, so it is unknown whether the challenger "
                "learnt. Approve more corrections, from more campaigns.",
            )
        paid = _paid_by(counts, limits)
        why = ""
        if not learnt(inputs, limits):
            why = " The challenger must fix more of them than it breaks."
        elif paid:
            why = (
                f" Too many of the {paid} among them are wrong now: beyond one message, at most "
                f"{100 * limits.slice_drop:.0f} points may be lost."
            )
        return Finding(
            gate=name,
            passed=not why,
            message=f"{told(counts)}{_told_of_taught(inputs, limits)}{why}",
            evidence={
                "scams": counts.challenger.scams,
                "caught": counts.challenger.tp,
                "championCaught": counts.champion.tp,
                "hams": counts.challenger.hams,
                "flagged": counts.challenger.fp,
                "championFlagged": counts.champion.fp,
                "won": counts.won,
                "lost": counts.lost,
                "taughtWon": inputs.taught.won,
                "taughtLost": inputs.taught.lost,
            },
        )

    return gate


def too_few_to_tell(counts: Comparison, limits: GateLimits) -> bool:
    """Tell whether a challenger that learnt may by chance have fixed none of these.

    A challenger that learnt is expected to fix `learnt_share` of what the champion gets wrong, so
    it fixes none of seven in one case of seventeen, and none of eight in one of twenty-five.
    """
    return (1 - limits.learnt_share) ** _missed(counts) > 1 - limits.confidence


def learnt(inputs: GateInput, limits: GateLimits) -> bool:
    """Tell whether the challenger fixed more than it broke.

    If the champion makes no error, there is nothing to fix: compared at the budget of the
    challenger, it may be right where its users were shown a wrong verdict.
    """
    held, taught = inputs.corrections, inputs.taught
    if held.won != held.lost or not too_few_to_tell(held, limits):
        return held.won > held.lost
    missed = _missed(taught)
    if missed == 0:
        return held.challenger.n > 0 and _missed(held) == 0 and taught.lost == 0
    return taught.won > taught.lost and taught.won >= limits.learnt_share * missed


def rests_on_what_was_taught(inputs: GateInput, limits: GateLimits) -> bool:
    """Tell whether only the corrections used for training show that the challenger learnt."""
    return inputs.corrections.won <= inputs.corrections.lost and learnt(inputs, limits)


def _missed(counts: Comparison) -> int:
    return counts.champion.fn + counts.champion.fp


def _told_of_taught(inputs: GateInput, limits: GateLimits) -> str:
    held, taught = inputs.corrections, inputs.taught
    if held.won != held.lost or not too_few_to_tell(held, limits) or not taught.challenger.n:
        return ""
    return (
        f" These are too few to tell. Of {_missed(taught)} corrections in the training data that "
        f"the champion gets wrong, the challenger gets {taught.won} right; it gets {taught.lost} "
        "others wrong."
    )


def _paid_by(counts: Comparison, limits: GateLimits) -> str:
    """Return the class that got worse by more than is allowed; empty if none did."""
    classes = (
        ("scams", counts.scams_lost - counts.scams_won, counts.challenger.scams),
        ("harmless messages", counts.hams_lost - counts.hams_won, counts.challenger.hams),
    )
    for name, worse, n in classes:
        if worse > max(1, limits.slice_drop * n):
            return name
    return ""


def told(counts: Comparison) -> str:
    """Return what both models say of held-out corrections, as a sentence."""
    scams, hams = counts.challenger.scams, counts.challenger.hams
    said = [] if scams + hams else ["none"]
    if scams:
        said.append(
            f"of {scams} scams it flags {counts.challenger.tp} (champion {counts.champion.tp})"
        )
    if hams:
        said.append(
            f"of {hams} harmless ones it flags {counts.challenger.fp} "
            f"(champion {counts.champion.fp})"
        )
    return f"Held-out corrections: {', '.join(said)}."


def old_errors_stay_fixed(limits: GateLimits) -> Gate:
    """Refuse a challenger that has forgotten what earlier corrections taught."""

    def gate(inputs: GateInput) -> Finding:
        name, counts = "old-errors", inputs.old_errors
        n = counts.challenger.n
        if inputs.champion is None or n == 0:
            return Finding(
                gate=name, passed=True, message="Not asked: no champion or no earlier corrections."
            )
        worse, luck = (counts.lost - counts.won) / n, sign_test(counts.lost, counts.won)
        return Finding(
            gate=name,
            passed=worse <= limits.slice_drop or luck > 1 - limits.confidence,
            message=f"Of {n} held-out corrections of earlier batches {counts.lost} are wrong again "
            f"and {counts.won} are right for the first time ({100 * -worse:+.1f} points, "
            f"p = {luck:.3f}); at most {100 * limits.slice_drop:.1f} points may be lost.",
            evidence={"n": n, "lost": counts.lost, "won": counts.won, "p": luck},
        )

    return gate
