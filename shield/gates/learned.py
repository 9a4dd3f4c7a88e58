"""Gates on what was learnt, and at whose cost.

What was held out judges. Of a handful of corrections one or two are held out, and a challenger that
learnt may well miss both: there, what was taught is asked as well. Knowing that by heart is no
proof, but a model that learnt nothing does not.
"""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def learnt_the_corrections(limits: GateLimits) -> Gate:
    """Refuse a challenger that does no better on what users had to correct.

    Held-out corrections are campaigns that taught nothing. Where the champion is wrong, some must
    have become right, and more than became wrong; and neither scams nor harmless messages among
    them may pay for it. Where too few are held out to tell, what was taught must have become right.
    """

    def gate(inputs: GateInput) -> Finding:
        name, counts = "corrections", inputs.corrections
        if inputs.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        if counts.challenger.n + inputs.taught.challenger.n == 0:
            return Finding(
                gate=name,
                passed=False,
                message="No correction was held out, so nothing shows that the challenger learnt. "
                "More corrections from more campaigns are needed.",
            )
        paid = _paid_by(counts, limits)
        why = ""
        if not learnt(inputs, limits):
            why = " It has not learnt what it was asked to: more must be won than lost."
        elif paid:
            why = (
                f" The {paid} pay for it: beyond one message, at most "
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
    """Tell whether a challenger that learnt may have fixed none of these by chance.

    One that learnt is expected to fix `learnt_share` of what the champion gets wrong, so it fixes
    none of seven in one case of seventeen, and none of eight in one of twenty-five.
    """
    return (1 - limits.learnt_share) ** _missed(counts) > 1 - limits.confidence


def learnt(inputs: GateInput, limits: GateLimits) -> bool:
    """Tell whether more was won than lost; of what the champion has all right nothing can be won.

    Put at the same budget as the challenger, a champion may be right where its users were not
    served well.
    """
    held, taught = inputs.corrections, inputs.taught
    if held.won != held.lost or not too_few_to_tell(held, limits):
        return held.won > held.lost
    missed = _missed(taught)
    if missed == 0:
        return held.challenger.n > 0 and _missed(held) == 0 and taught.lost == 0
    return taught.won > taught.lost and taught.won >= limits.learnt_share * missed


def rests_on_what_was_taught(inputs: GateInput, limits: GateLimits) -> bool:
    """Tell whether what was held out shows nothing, and what was taught speaks for it."""
    return inputs.corrections.won <= inputs.corrections.lost and learnt(inputs, limits)


def _missed(counts: Comparison) -> int:
    return counts.champion.fn + counts.champion.fp


def _told_of_taught(inputs: GateInput, limits: GateLimits) -> str:
    held, taught = inputs.corrections, inputs.taught
    if held.won != held.lost or not too_few_to_tell(held, limits) or not taught.challenger.n:
        return ""
    return (
        f" These are too few to tell; of {_missed(taught)} corrections that taught and that the "
        f"champion gets wrong, {taught.won} are right now, and {taught.lost} others are wrong."
    )


def _paid_by(counts: Comparison, limits: GateLimits) -> str:
    """Return the class that got worse by more than is forgiven; empty if none did."""
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
