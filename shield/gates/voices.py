"""Gates on influence: no single reporter, campaign or phrase may decide."""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import Comparison, GateInput, GroupShare
from shield.gates.learned import learnt, rests_on_what_was_taught, told
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def nobody_decides_alone(limits: GateLimits) -> Gate:
    """Refuse a promotion that depends on one reporter or one campaign.

    Each group is left out in turn. If the challenger is worse on the rest, the promotion depends on
    that group. If too few corrections are held out, those used for training are tested instead: the
    challenger must have fixed some that are not of the group.
    """

    def gate(inputs: GateInput) -> Finding:
        name = "influence"
        if inputs.champion is None or not learnt(inputs, limits):
            return Finding(
                gate=name, passed=True, message="Not asked: no correction supports a promotion."
            )
        on_taught = rests_on_what_was_taught(inputs, limits)
        counts = inputs.taught if on_taught else inputs.corrections
        groups = inputs.taught_groups if on_taught else inputs.groups
        for group in groups:
            rest = counts.without(group.comparison)
            if _decides(group, rest, on_taught):
                what = "corrections in the training data" if on_taught else "held-out corrections"
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"The promotion depends on one {group.kind} ({group.name}, "
                    f"{group.comparison.challenger.n} of {counts.challenger.n} {what}). "
                    f"Without it: {told(rest)} Review what it sent.",
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
            message=f"None of {len(groups)} reporters and campaigns decides alone.",
            evidence={"groups": len(groups)},
        )

    return gate


def _decides(group: GroupShare, rest: Comparison, on_taught: bool) -> bool:
    """Tell whether the promotion depends on a group, by the counts without it."""
    if on_taught:
        return group.comparison.won > 0 and rest.won <= rest.lost
    return rest.challenger.n > 0 and rest.won < rest.lost


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
            message=f"None of {len(inputs.phrases)} phrases that corrections share lets known "
            "scams pass.",
            evidence={"phrases": len(inputs.phrases)},
        )

    return gate
