"""Gates on what was learnt: from whom, and at whose cost."""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def learnt_the_corrections(limits: GateLimits) -> Gate:
    """Refuse a challenger that does no better on what users had to correct.

    Held-out corrections are campaigns that taught nothing. Where the champion is wrong, some must
    have become right, and more than became wrong; and neither scams nor harmless messages among
    them may pay for it.
    """

    def gate(inputs: GateInput) -> Finding:
        name, counts = "corrections", inputs.corrections
        if inputs.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        if counts.challenger.n == 0:
            return Finding(
                gate=name,
                passed=False,
                message="No correction was held out, so nothing shows that the challenger learnt. "
                "More corrections from more campaigns are needed.",
            )
        paid = _paid_by(counts, limits)
        why = ""
        if not _learnt(counts):
            why = " It has not learnt what it was asked to: more must be won than lost."
        elif paid:
            why = (
                f" The {paid} pay for it: beyond one message, at most "
                f"{100 * limits.slice_drop:.0f} points may be lost."
            )
        return Finding(
            gate=name,
            passed=not why,
            message=f"{_told(counts)}{why}",
            evidence={
                "scams": counts.challenger.scams,
                "caught": counts.challenger.tp,
                "championCaught": counts.champion.tp,
                "hams": counts.challenger.hams,
                "flagged": counts.challenger.fp,
                "championFlagged": counts.champion.fp,
                "won": counts.won,
                "lost": counts.lost,
            },
        )

    return gate


def _learnt(counts: Comparison) -> bool:
    """Tell whether more was won than lost; of what the champion has all right nothing can be won.

    Put at the same budget as the challenger, a champion may be right where its users were not
    served well.
    """
    missed = counts.champion.fn + counts.champion.fp
    return counts.won > counts.lost or (missed == 0 and counts.lost == 0)


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


def _speaks_for(counts: Comparison) -> bool:
    return counts.won >= counts.lost


def _told(counts: Comparison) -> str:
    scams, hams = counts.challenger.scams, counts.challenger.hams
    said = []
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


def nobody_decides_alone(limits: GateLimits) -> Gate:
    """Refuse a promotion that one reporter or one campaign alone brings about.

    The probe leaves out each group in turn. Where the rest says that the challenger got worse, the
    case for it rests on that group.
    """

    def gate(inputs: GateInput) -> Finding:
        name = "influence"
        if inputs.champion is None or not _learnt(inputs.corrections):
            return Finding(
                gate=name, passed=True, message="Not asked: nothing speaks for a promotion."
            )
        for group in inputs.groups:
            rest = inputs.corrections.without(group.comparison)
            if rest.challenger.n and not _speaks_for(rest):
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"The case rests on one {group.kind} ({group.name}, "
                    f"{group.comparison.challenger.n} of {inputs.corrections.challenger.n} "
                    f"held-out corrections). Without it: {_told(rest)} Look at what it sent.",
                    evidence={
                        "kind": group.kind,
                        "name": group.name,
                        "messages": group.comparison.challenger.n,
                        "restCaught": rest.challenger.tp,
                        "restChampionCaught": rest.champion.tp,
                    },
                )
        return Finding(
            gate=name,
            passed=True,
            message=f"None of {len(inputs.groups)} reporters and campaigns decides alone.",
            evidence={"groups": len(inputs.groups)},
        )

    return gate


def no_phrase_opens_a_door(limits: GateLimits) -> Gate:
    """Refuse a challenger that lets known scams pass because they carry a learned phrase.

    Whoever teaches "with these words it is harmless" can send anything afterwards. Each phrase that
    many corrections share is put behind known scams, and both models are asked.
    """

    def gate(inputs: GateInput) -> Finding:
        name = "phrases"
        if inputs.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        for probe in inputs.phrases:
            counts, n = probe.comparison, probe.comparison.challenger.scams
            if n == 0:
                continue
            worse = (counts.scams_lost - counts.scams_won) / n
            luck = sign_test(counts.scams_lost, counts.scams_won)
            if worse > limits.phrase_drop and luck < limits.slice_significance:
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"With {probe.name} behind it, the challenger catches "
                    f"{counts.challenger.tp} of {n} known scams (champion {counts.champion.tp}, "
                    f"p = {luck:.4f}); at most {100 * limits.phrase_drop:.0f} points may be lost. "
                    f"{probe.carriers} corrections carry the phrase and say harmless: look at them "
                    "(its words are in the dataset's phrases.json) and reject what is a lie.",
                    evidence={
                        "phrase": probe.name,
                        "carriers": probe.carriers,
                        "scams": n,
                        "caught": counts.challenger.tp,
                        "championCaught": counts.champion.tp,
                        "p": luck,
                    },
                )
        return Finding(
            gate=name,
            passed=True,
            message=f"None of {len(inputs.phrases)} phrases that corrections share opens a door.",
            evidence={"phrases": len(inputs.phrases)},
        )

    return gate
