"""Gates against harm: on the golden set, its slices, everyday ham, and the best ever."""

from shield.gates.chain import Evidence, Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import paired_difference_interval, sign_test


def _nothing_to_compare(gate: str, why: str) -> Finding:
    return Finding(gate=gate, passed=True, message=f"Not asked: {why}.")


def first_model_stands(limits: GateLimits) -> Gate:
    """Refuse a first model that finds too little or cries wolf."""

    def gate(given: GateInput) -> Finding:
        name = "first-model"
        if given.champion is not None:
            return _nothing_to_compare(name, "there is a champion to compare with")
        recall, fpr = given.golden.challenger.recall, given.golden.challenger.fpr
        if recall is None or fpr is None:
            return Finding(
                gate=name,
                passed=False,
                message=f"The golden set has {given.golden.challenger.scams} scams and "
                f"{given.golden.challenger.hams} harmless messages; a first model can be judged "
                "only on both. Add labelled messages with `shieldctl corpus add`.",
            )
        return Finding(
            gate=name,
            passed=recall >= limits.first_recall and fpr <= limits.first_fpr,
            message=f"First model: golden recall {recall:.1%} (at least {limits.first_recall:.0%}) "
            f"and false-positive rate {fpr:.2%} (at most {limits.first_fpr:.2%}) are needed.",
            evidence={"recall": recall, "fpr": fpr},
        )

    return gate


def accuracy_holds(limits: GateLimits) -> Gate:
    """Refuse a fall of golden accuracy, measured or not ruled out."""

    def gate(given: GateInput) -> Finding:
        return _harm(
            "golden-accuracy",
            "fall of golden accuracy",
            given,
            lost=given.golden.lost,
            won=given.golden.won,
            n=given.golden.challenger.n,
            allowed=limits.accuracy_drop,
            harm=limits.accuracy_harm,
            confidence=limits.confidence,
        )

    return gate


def fpr_holds(limits: GateLimits) -> Gate:
    """Refuse a rise of the golden false-positive rate, measured or not ruled out."""

    def gate(given: GateInput) -> Finding:
        return _harm(
            "golden-fpr",
            "rise of the golden false-positive rate",
            given,
            lost=given.golden.hams_lost,
            won=given.golden.hams_won,
            n=given.golden.challenger.hams,
            allowed=limits.fpr_rise,
            harm=limits.fpr_harm,
            confidence=limits.confidence,
        )

    return gate


def _harm(
    name: str,
    what: str,
    given: GateInput,
    *,
    lost: int,
    won: int,
    n: int,
    allowed: float,
    harm: float,
    confidence: float,
) -> Finding:
    if given.champion is None:
        return _nothing_to_compare(name, "there is no champion yet")
    if n == 0:
        return Finding(gate=name, passed=False, message="The golden set has no such messages.")
    # Both bounds of a two-sided interval at 2c - 1 hold one-sided at c.
    change = paired_difference_interval(lost, won, n, confidence=2 * confidence - 1)
    too_large, not_ruled_out = change.estimate > allowed, change.high > harm
    message = (
        f"Points of {what}: {100 * change.estimate:+.2f} on {n} messages (only the champion "
        f"right: {lost}, only the challenger: {won}), with {confidence:.0%} confidence at most "
        f"{100 * change.high:+.2f}. Allowed: {100 * allowed:.2f} measured, and {100 * harm:.2f} "
        "must be ruled out."
    )
    if not_ruled_out and not too_large:
        message += " The set is too small to tell: enlarge the golden set."
    evidence: Evidence = {
        "change": change.estimate,
        "low": change.low,
        "high": change.high,
        "lost": lost,
        "won": won,
        "n": n,
    }
    return Finding(
        gate=name,
        passed=not (too_large or not_ruled_out),
        message=message,
        evidence=evidence,
    )


def frozen_ham_stays_quiet(limits: GateLimits) -> Gate:
    """Refuse a model that doubles its alarms in everyday life."""

    def gate(given: GateInput) -> Finding:
        name, seen = "frozen-ham", given.frozen_ham
        n = seen.challenger.n
        if given.champion is None or n == 0:
            return _nothing_to_compare(name, "there is no champion or no frozen ham")
        now = (seen.challenger.tp + seen.challenger.fp) / n
        before = (seen.champion.tp + seen.champion.fp) / n
        most = max(limits.frozen_ham_floor, limits.frozen_ham_factor * before)
        luck = sign_test(seen.hams_lost + seen.scams_won, seen.hams_won + seen.scams_lost)
        return Finding(
            gate=name,
            passed=now <= most or luck > 1 - limits.confidence,
            message=f"{now:.2%} of {n} frozen ordinary messages are flagged, {before:.2%} by the "
            f"champion; more than {most:.2%} refuses unless it may be luck (p = {luck:.3f}).",
            evidence={"rate": now, "championRate": before, "n": n, "p": luck},
        )

    return gate


_DOZEN = 12
"""Slices that may be asked at once at the level of `slice_significance`."""


def no_slice_collapses(limits: GateLimits) -> Gate:
    """Refuse a model that pays for its average with one kind of message."""

    def gate(given: GateInput) -> Finding:
        name = "slices"
        if given.champion is None:
            return _nothing_to_compare(name, "there is no champion yet")
        asked = [
            (part, what, lost, won, n)
            for part in given.slices
            for what, lost, won, n in _both_classes(part.comparison)
            if n >= limits.slice_size
        ]
        # Tactics and languages make a hundred slices: each beyond a dozen would refuse by luck.
        significance = limits.slice_significance * min(1.0, _DOZEN / max(len(asked), 1))
        for part, what, lost, won, n in asked:
            worse, luck = (lost - won) / n, sign_test(lost, won)
            if worse > limits.slice_drop and luck < significance:
                return Finding(
                    gate=name,
                    passed=False,
                    message=f"On {part.dimension} = {part.value!r} {what} got worse by "
                    f"{100 * worse:.1f} points on {n} messages (p = {luck:.4f}); at most "
                    f"{100 * limits.slice_drop:.1f} is allowed. Add such messages to the "
                    "corpus, or look at the corrections about them.",
                    evidence={
                        "dimension": part.dimension,
                        "value": part.value,
                        "worse": worse,
                        "n": n,
                        "p": luck,
                    },
                )
        return Finding(
            gate=name,
            passed=True,
            message=f"None of {len(asked)} slices with at least {limits.slice_size} messages "
            "collapsed.",
            evidence={"slices": len(asked)},
        )

    return gate


def _both_classes(part: Comparison) -> list[tuple[str, int, int, int]]:
    return [
        ("recall", part.scams_lost, part.scams_won, part.challenger.scams),
        ("the false-positive rate", part.hams_lost, part.hams_won, part.challenger.hams),
    ]


def no_ratchet(limits: GateLimits) -> Gate:
    """Refuse what is allowed against the last champion, but not against the best ever."""

    def gate(given: GateInput) -> Finding:
        name, best = "no-ratchet", given.best
        accuracy, fpr = given.golden.challenger.accuracy, given.golden.challenger.fpr
        if best is None or accuracy is None:
            return _nothing_to_compare(name, "no version was judged on this golden set before")
        fell = best.accuracy - accuracy
        rose = 0.0 if fpr is None else fpr - best.fpr
        # A hair of room, so that 0.990 - 0.985 is not refused for the float's sake.
        passed = max(fell, rose) <= limits.best_ever_drop + 1e-12
        return Finding(
            gate=name,
            passed=passed,
            message=f"Golden accuracy {accuracy:.2%} against {best.accuracy:.2%} of "
            f"{best.version}, the best ever on this set ({-100 * fell:+.2f} points), "
            f"false-positive rate {100 * rose:+.2f} points; "
            f"at most {100 * limits.best_ever_drop:.2f} worse is allowed.",
            evidence={"best": best.version, "fell": fell, "fprRose": rose},
        )

    return gate
