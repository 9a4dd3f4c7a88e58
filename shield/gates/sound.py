"""Gates on the judging itself: enough to go by, and the file that will serve."""

from shield.gates.chain import Finding, Gate
from shield.gates.evidence import GateInput
from shield.gates.limits import GateLimits


def enough_feedback(limits: GateLimits) -> Gate:
    """Refuse a release that too few corrections asked for."""

    def gate(given: GateInput) -> Finding:
        found, least = given.fresh_feedback, limits.min_feedback
        # A first model is made from the base corpora; nobody can have corrected it yet.
        passed = given.champion is None or found >= least
        return Finding(
            gate="enough-feedback",
            passed=passed,
            message=f"{found} approved corrections; a release needs {least}."
            + ("" if passed else " Review more feedback, or wait for the next run."),
            evidence={"freshFeedback": found, "minFeedback": least},
        )

    return gate


def int8_agrees(limits: GateLimits) -> Gate:
    """Refuse a package whose served int8 file judges unlike its fp32 origin."""

    def gate(given: GateInput) -> Finding:
        n = given.int8_compared
        share = given.int8_flips / n if n else 1.0
        passed = share <= limits.int8_flips
        return Finding(
            gate="int8-agrees",
            passed=passed,
            message=f"{given.int8_flips} of {n} verdicts ({share:.2%}) differ between int8 and "
            f"fp32; at most {limits.int8_flips:.2%} may."
            + ("" if passed else " Export the model again, or calibrate the quantisation."),
            evidence={"flips": given.int8_flips, "compared": n, "share": share},
        )

    return gate
