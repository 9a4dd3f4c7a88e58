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
    """Return a decision as people read it: the outcome first, then what each gate found."""
    outcome = "Promoted" if decision.outcome == PROMOTE else f"Refused: {decision.outcome}"
    lines = [f"# {outcome}", "", decision.message, "", "| | Gate | Finding |", "|---|---|---|"]
    for finding in decision.findings:
        mark = "passed" if finding.passed else "**refused**"
        said = finding.message.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {mark} | {finding.gate} | {said} |")
    return "\n".join(lines) + "\n"
