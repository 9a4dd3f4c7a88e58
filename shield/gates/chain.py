"""The shape of a decision, apart from what is decided.

After cert-manager's policy chains: a gate is a function, a policy is a list of them, and the order
of the list is the order in which reasons are given.
"""

from collections.abc import Callable, Sequence

from shield.crds.base import Wire
from shield.gates.evidence import GateInput

PROMOTE = "promote"
"""Outcome of a decision without refusal."""

Evidence = dict[str, float | int | str | None]


class Finding(Wire):
    """What one gate saw."""

    gate: str
    """Slug of the gate, e.g. `golden-accuracy`."""
    passed: bool
    message: str
    """One sentence with the numbers, for people."""
    evidence: Evidence = {}
    """The numbers alone."""


class Refusal(Wire):
    """Why a challenger may not be promoted."""

    reason: str
    """Slug of the gate that refused."""
    message: str
    evidence: Evidence = {}


Gate = Callable[[GateInput], Finding]


class Decision(Wire):
    """The verdict on a challenger, with everything that led to it."""

    outcome: str
    """`promote`, or the slug of the first gate that refused."""
    message: str
    refusal: Refusal | None
    findings: list[Finding]
    """One per gate, in the order of the chain, those after the first refusal included."""


def first_refusal(gates: Sequence[Gate], inputs: GateInput) -> Refusal | None:
    """Return the refusal of the first gate that does not pass, or None if all pass."""
    for gate in gates:
        finding = gate(inputs)
        if not finding.passed:
            return _refusal(finding)
    return None


def _refusal(finding: Finding) -> Refusal:
    return Refusal(reason=finding.gate, message=finding.message, evidence=finding.evidence)


def judge(inputs: GateInput, gates: Sequence[Gate]) -> Decision:
    """Run every gate and decide by the first refusal.

    Args:
        inputs: What `evaluate` measured.
        gates: The policy, in the order in which reasons are given.
    """
    findings = [gate(inputs) for gate in gates]
    refused = [finding for finding in findings if not finding.passed]
    if not refused:
        return Decision(
            outcome=PROMOTE,
            message=f"All {len(findings)} gates passed.",
            refusal=None,
            findings=findings,
        )
    refusal = _refusal(refused[0])
    also = f" ({len(refused) - 1} more refused as well)" if len(refused) > 1 else ""
    return Decision(
        outcome=refusal.reason,
        message=refusal.message + also,
        refusal=refusal,
        findings=findings,
    )
