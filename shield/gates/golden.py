"""Gates against harm: on the golden set, its slices, the newest messages, and the best ever.

Champion and challenger are compared at the same budget: `evaluate` puts both where the same share
of harmless messages may be flagged, by the same rule and the same messages.
"""

from shield.gates.chain import Evidence, Finding, Gate
from shield.gates.evidence import Comparison, GateInput
from shield.gates.limits import GateLimits
from shield.metrics import chance_of_at_least, paired_difference_interval, sign_test


def _nothing_to_compare(gate: str, why: str) -> Finding:
    return Finding(gate=gate, passed=True, message=f"Not asked: {why}.")


def first_model_stands(limits: GateLimits) -> Gate:
    """Refuse a first model that finds too little."""

    def gate(inputs: GateInput) -> Finding:
        name = "first-model"
        if inputs.champion is not None:
            return _nothing_to_compare(name, "there is a champion to compare with")
        recall, fpr = inputs.golden.challenger.recall, inputs.golden.challenger.fpr
        if recall is None or fpr is None:
            return Finding(
                gate=name,
                passed=False,
                message=f"The golden set has {inputs.golden.challenger.scams} scams and "
                f"{inputs.golden.challenger.hams} harmless messages; a first model can be judged "
                "only on both. Add labelled messages with `shieldctl corpus add`.",
            )
        return Finding(
            gate=name,
            passed=recall >= limits.first_recall,
            message=f"First model: golden recall {recall:.1%}; at least {limits.first_recall:.0%} "
            "is needed.",
            evidence={"recall": recall},
        )

    return gate


def budget_is_kept(limits: GateLimits) -> Gate:
    """Refuse a model that flags more harmless messages than its budget, beyond what may be luck.

    Inside the budget more false alarms than the champion's refuse nothing: the budget is there to
    be spent.
    """

    def gate(inputs: GateInput) -> Finding:
        flagged, n = inputs.golden.challenger.fp, inputs.golden.challenger.hams
        luck = chance_of_at_least(flagged, n, inputs.budget)
        passed = luck >= 1 - limits.confidence
        return Finding(
            gate="false-alarms",
            passed=passed,
            message=f"{flagged} of {n} harmless golden messages are flagged, with a budget of "
            f"{inputs.budget:.2%} (so many or more by luck: p = {luck:.3f})."
            + (
                ""
                if passed
                else " The operating point does not hold: the frozen messages it was set on are "
                "unlike the golden ones. Add harmless messages with `shieldctl corpus add`."
            ),
            evidence={"flagged": flagged, "n": n, "budget": inputs.budget, "p": luck},
        )

    return gate


def accuracy_holds(limits: GateLimits) -> Gate:
    """Refuse a fall of golden accuracy, measured or not ruled out."""

    def gate(inputs: GateInput) -> Finding:
        return _harm(
            "golden-accuracy",
            "Golden accuracy",
            inputs,
            lost=inputs.golden.lost,
            won=inputs.golden.won,
            n=inputs.golden.challenger.n,
            allowed=limits.accuracy_drop,
            harm=limits.accuracy_harm,
            confidence=limits.confidence,
            luck=luck_of_the_champion(inputs, limits),
        )

    return gate


def recall_holds(limits: GateLimits) -> Gate:
    """Refuse a fall of golden recall at the budget, measured or not ruled out."""

    def gate(inputs: GateInput) -> Finding:
        return _harm(
            "golden-recall",
            "Golden recall at the budget",
            inputs,
            lost=inputs.golden.scams_lost,
            won=inputs.golden.scams_won,
            n=inputs.golden.challenger.scams,
            allowed=limits.recall_drop,
            harm=limits.recall_harm,
            confidence=limits.confidence,
        )

    return gate


def luck_of_the_champion(inputs: GateInput, limits: GateLimits) -> float:
    """Return the fall of golden accuracy that an equally good challenger is expected to show.

    A champion stands where it stands because the golden set was kind to it, again and again. How
    much of its lead over the first version judged on the set, which nobody selected, is luck, is
    told by its size: all of a lead within the sampling error of two versions with nothing in
    common, s^2 = 2 a (1 - a) / n where `a` are right, and s^2 / lead of a larger one. Taking all of
    it for luck would let a line that truly gets better lose what it has gained.

    Of that luck a challenger loses as much as its verdicts are drawn anew: a share `d` of verdicts
    that differ draws d / (2 a (1 - a)) of them.

    Source of the share: the positive-part estimator of James and Stein, "Estimation with Quadratic
    Loss", 1961, for one lead, whose spread is taken to be its own size.
    """
    record, n = inputs.record, inputs.golden.challenger.n
    champion = inputs.golden.champion.accuracy
    if record is None or champion is None or champion <= record.first_accuracy:
        return 0.0
    first = min(max(record.first_accuracy, 0.01), 0.99)
    differ = (inputs.golden.lost + inputs.golden.won) / n
    unlike = 2 * first * (1 - first)
    lead, drawn_anew = champion - record.first_accuracy, min(1.0, differ / unlike)
    return min(limits.luck_most, drawn_anew * min(lead, unlike / n / lead))


def _harm(
    name: str,
    what: str,
    inputs: GateInput,
    *,
    lost: int,
    won: int,
    n: int,
    allowed: float,
    harm: float,
    confidence: float,
    luck: float = 0.0,
) -> Finding:
    if inputs.champion is None:
        return _nothing_to_compare(name, "there is no champion yet")
    if n == 0:
        return Finding(gate=name, passed=False, message="The golden set has no such messages.")
    # Both bounds of a two-sided interval at 2c - 1 hold one-sided at c.
    change = paired_difference_interval(lost, won, n, confidence=2 * confidence - 1)
    too_large, not_ruled_out = change.estimate - luck > allowed, change.high - luck > harm
    moved = "fell" if change.estimate > 0 else "rose" if change.estimate < 0 else "changed"
    message = (
        f"{what} {moved} by {100 * abs(change.estimate):.2f} points ({lost} newly wrong "
        f"and {won} newly right of {n} messages); a fall of {100 * allowed:.2f} is "
        f"allowed. With {confidence:.0%} confidence it fell by {100 * max(0, change.high):.2f} at "
        f"most; the limit is {100 * harm:.2f}."
        + (f" {100 * luck:.2f} more is allowed for the champion's luck here." if luck else "")
    )
    if not_ruled_out and not too_large:
        message += " This is too few to tell: enlarge the golden set."
    evidence: Evidence = {
        "change": change.estimate,
        "low": change.low,
        "high": change.high,
        "lost": lost,
        "won": won,
        "n": n,
        "luck": luck,
    }
    return Finding(
        gate=name,
        passed=not (too_large or not_ruled_out),
        message=message,
        evidence=evidence,
    )


_DOZEN = 12
"""Slices that may be asked at once at the level of `slice_significance`."""


def no_slice_collapses(limits: GateLimits) -> Gate:
    """Refuse a model that pays for its average with one kind of message."""

    def gate(inputs: GateInput) -> Finding:
        name = "slices"
        if inputs.champion is None:
            return _nothing_to_compare(name, "there is no champion yet")
        asked = [
            (part, what, lost, won, n)
            for part in inputs.slices
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
    """Refuse what is allowed against the last champion, but not against the best ever.

    The best of many is partly the luckiest of many: its lead over the first version judged on the
    golden set counts by a share only.
    """

    def gate(inputs: GateInput) -> Finding:
        name, record = "no-ratchet", inputs.record
        accuracy = inputs.golden.challenger.accuracy
        if record is None or record.versions < 2 or accuracy is None:
            return _nothing_to_compare(name, "fewer than two versions were judged on this set")
        lead = record.best_accuracy - record.first_accuracy
        least = record.first_accuracy + limits.best_ever_kept * lead
        return Finding(
            gate=name,
            # A hair of room, so that nothing is refused for the float's sake.
            passed=accuracy >= least - 1e-12,
            message=f"Golden accuracy {accuracy:.2%}; at least {least:.2%} is needed: "
            f"{record.first_accuracy:.2%} of {record.first}, the first on this set, and "
            f"{limits.best_ever_kept:.0%} of the lead of {record.best}, the best ever "
            f"({record.best_accuracy:.2%}).",
            evidence={"best": record.best, "least": least, "accuracy": accuracy},
        )

    return gate


def newest_messages_hold(limits: GateLimits) -> Gate:
    """Refuse a model that does worse on the newest messages, later than all that taught."""

    def gate(inputs: GateInput) -> Finding:
        name, pairs = "time-forward", inputs.time_forward
        n = pairs.challenger.n
        if inputs.champion is None or n == 0:
            return _nothing_to_compare(name, "there is no champion or no message so new")
        worse, luck = (pairs.lost - pairs.won) / n, sign_test(pairs.lost, pairs.won)
        return Finding(
            gate=name,
            passed=worse <= limits.accuracy_drop or luck >= 1 - limits.confidence,
            message=f"Of {n} messages later than all that taught, {pairs.lost} are wrong that the "
            f"champion has right, and {pairs.won} the other way round ({100 * -worse:+.1f} points, "
            f"p = {luck:.3f}); a fall of more than {100 * limits.accuracy_drop:.1f} points that is "
            "no luck refuses.",
            evidence={"n": n, "lost": pairs.lost, "won": pairs.won, "p": luck},
        )

    return gate
