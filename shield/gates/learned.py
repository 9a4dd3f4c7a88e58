"""Gates on what was learnt: from whom, and at whose cost."""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def recall_on_corrections(limits: GateLimits) -> Gate:
    """Refuse a challenger that does no better on what users had to correct.

    Held-out corrections are campaigns that taught nothing. Scams among them are judged by recall; a
    batch of false alarms only is judged by how many of them are still flagged.
    """

    def gate(given: GateInput) -> Finding:
        name, seen = "corrections", given.corrections
        if given.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        if seen.challenger.n == 0:
            return Finding(
                gate=name,
                passed=False,
                message="No correction was held out, so nothing shows that the challenger learnt. "
                "More corrections from more campaigns are needed.",
            )
        return Finding(
            gate=name,
            passed=_no_worse(seen),
            message=f"{_told(seen)} The challenger must not be below the champion.",
            evidence={
                "scams": seen.challenger.scams,
                "caught": seen.challenger.tp,
                "championCaught": seen.champion.tp,
                "hams": seen.challenger.hams,
                "flagged": seen.challenger.fp,
                "championFlagged": seen.champion.fp,
            },
        )

    return gate


def _no_worse(seen: Comparison) -> bool:
    if seen.challenger.scams:
        return seen.challenger.tp >= seen.champion.tp
    return seen.challenger.fp <= seen.champion.fp


def _told(seen: Comparison) -> str:
    scams, hams = seen.challenger.scams, seen.challenger.hams
    said = []
    if scams:
        said.append(f"of {scams} scams it flags {seen.challenger.tp} (champion {seen.champion.tp})")
    if hams:
        said.append(
            f"of {hams} harmless ones it flags {seen.challenger.fp} (champion {seen.champion.fp})"
        )
    return f"Held-out corrections: {', '.join(said)}."


def old_errors_stay_fixed(limits: GateLimits) -> Gate:
    """Refuse a challenger that has forgotten what earlier corrections taught."""

    def gate(given: GateInput) -> Finding:
        name, seen = "old-errors", given.old_errors
        n = seen.challenger.n
        if given.champion is None or n == 0:
            return Finding(
                gate=name, passed=True, message="Not asked: no champion or no earlier corrections."
            )
        worse, luck = (seen.lost - seen.won) / n, sign_test(seen.lost, seen.won)
        return Finding(
            gate=name,
            passed=worse <= limits.slice_drop or luck > 1 - limits.confidence,
            message=f"Of {n} held-out corrections of earlier batches {seen.lost} are wrong again "
            f"and {seen.won} are right for the first time ({100 * -worse:+.1f} points, "
            f"p = {luck:.3f}); at most {100 * limits.slice_drop:.1f} points may be lost.",
            evidence={"n": n, "lost": seen.lost, "won": seen.won, "p": luck},
        )

    return gate


def nobody_decides_alone(limits: GateLimits) -> Gate:
    """Refuse a promotion that one reporter or one campaign alone brings about.

    The probe leaves out each group in turn. Where the rest says that the challenger got worse, the
    case for it rests on that group.
    """

    def gate(given: GateInput) -> Finding:
        name = "influence"
        if given.champion is None or not _no_worse(given.corrections):
            return Finding(
                gate=name, passed=True, message="Not asked: nothing speaks for a promotion."
            )
        for group in given.groups:
            rest = given.corrections.without(group.comparison)
            if rest.challenger.n and not _no_worse(rest):
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"The case rests on one {group.kind} ({group.name}, "
                    f"{group.comparison.challenger.n} of {given.corrections.challenger.n} held-out "
                    f"corrections). Without it: {_told(rest)} Look at what it sent.",
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
            message=f"None of {len(given.groups)} reporters and campaigns decides alone.",
            evidence={"groups": len(given.groups)},
        )

    return gate


def no_phrase_opens_a_door(limits: GateLimits) -> Gate:
    """Refuse a challenger that lets known scams pass because they carry a learned phrase.

    Whoever teaches "with these words it is harmless" can send anything afterwards. Each phrase that
    many corrections share is put behind known scams, and both models are asked.
    """

    def gate(given: GateInput) -> Finding:
        name = "phrases"
        if given.champion is None:
            return Finding(gate=name, passed=True, message="Not asked: there is no champion yet.")
        for probe in given.phrases:
            seen, n = probe.comparison, probe.comparison.challenger.scams
            if n == 0:
                continue
            worse = (seen.scams_lost - seen.scams_won) / n
            luck = sign_test(seen.scams_lost, seen.scams_won)
            if worse > limits.phrase_drop and luck < limits.slice_significance:
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"With {probe.name} behind it, the challenger catches "
                    f"{seen.challenger.tp} of {n} known scams (champion {seen.champion.tp}, "
                    f"p = {luck:.4f}); at most {100 * limits.phrase_drop:.0f} points may be lost. "
                    f"{probe.carriers} corrections carry the phrase and say harmless: look at them "
                    "(its words are in the dataset's phrases.json) and reject what is a lie.",
                    evidence={
                        "phrase": probe.name,
                        "carriers": probe.carriers,
                        "scams": n,
                        "caught": seen.challenger.tp,
                        "championCaught": seen.champion.tp,
                        "p": luck,
                    },
                )
        return Finding(
            gate=name,
            passed=True,
            message=f"None of {len(given.phrases)} phrases that corrections share opens a door.",
            evidence={"phrases": len(given.phrases)},
        )

    return gate
