"""Gates on the judging itself: enough to go by, and the file that will serve."""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import GateInput
from shield.gates.limits import GateLimits
from shield.metrics import sign_test


def enough_feedback(limits: GateLimits) -> Gate:
    """Refuse a release that too few corrections asked for."""

    def gate(inputs: GateInput) -> Finding:
        count, least = inputs.fresh_feedback, limits.min_feedback
        # A first model is made from the base corpora; nobody can have corrected it yet.
        passed = inputs.champion is None or count >= least
        return Finding(
            gate="enough-feedback",
            passed=passed,
            message=f"{count} approved corrections; a release needs {least}."
            + ("" if passed else " Review more feedback, or wait for the next run."),
            evidence={"freshFeedback": count, "minFeedback": least},
        )

    return gate


def int8_agrees(limits: GateLimits) -> Gate:
    """Refuse a package whose served int8 file judges unlike its fp32 origin."""

    def gate(inputs: GateInput) -> Finding:
        n, lost, won = inputs.int8_compared, inputs.int8_lost, inputs.int8_won
        share = inputs.int8_flips / n if n else 1.0
        harm, luck = (lost - won) / max(n, 1), sign_test(lost, won)
        another = share > limits.int8_flips
        worse = harm > limits.int8_harm and luck <= 1 - limits.confidence
        return Finding(
            gate="int8-agrees",
            passed=not (another or worse),
            message=f"{inputs.int8_flips} of {n} verdicts ({share:.2%}) differ between int8 and "
            f"fp32, {lost} for the worse and {won} for the better; at most "
            f"{limits.int8_flips:.0%} may differ, and {limits.int8_harm:.1%} get worse on balance."
            + (" Export the model again, or train it longer." if another or worse else ""),
            evidence={"flips": inputs.int8_flips, "lost": lost, "won": won, "compared": n},
        )

    return gate
