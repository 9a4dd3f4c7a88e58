"""Ask the promotion policy, and write its verdict with the findings of every gate."""

import logging
from pathlib import Path

from pydantic import ValidationError

from shield.errors import Invalid
from shield.gates import PROMOTE, Decision, GateInput, GateLimits, decide

log = logging.getLogger(__name__)


def run(evaluations: Path, verdict: Path, *, limits: GateLimits) -> Decision:
    """Write the decision to `verdict` (JSON) and return it.

    Args:
        evaluations: From `evaluate`.
        verdict: File to write.
        limits: The numbers.

    Raises:
        Invalid: `evaluations` is not what `evaluate` writes.
    """
    try:
        gate_input = GateInput.model_validate_json(evaluations.read_bytes())
    except (OSError, ValidationError) as error:
        raise Invalid(
            f"{evaluations} is not an evaluation ({error}). Run `evaluate` again."
        ) from error
    decision = decide(gate_input, limits)
    verdict.parent.mkdir(parents=True, exist_ok=True)
    verdict.write_text(decision.model_dump_json(by_alias=True, indent=1), encoding="utf-8")
    for finding in decision.findings:
        log.info("%s %s: %s", "ok " if finding.passed else "NO ", finding.gate, finding.message)
    return decision


def as_markdown(decision: Decision) -> str:
    """Return a decision as people read it: the outcome first, then what each gate found.

    A list, not a table: the dashboard shows it in a column as narrow as a phone.
    """
    refused = [finding for finding in decision.findings if not finding.passed]
    passed = [finding for finding in decision.findings if finding.passed]
    outcome = "Promoted" if decision.outcome == PROMOTE else f"Refused: {decision.outcome}"
    lines = [f"# {outcome}", "", decision.message, ""]
    for title, findings in (("refused", refused), ("passed", passed)):
        if findings:
            lines += [f"## {len(findings)} of {len(decision.findings)} gates {title}", ""]
            lines += [
                f"- **{finding.gate}**: {' '.join(finding.message.split())}" for finding in findings
            ]
            lines.append("")
    return "\n".join(lines)
