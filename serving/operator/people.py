"""Check people's requests (promote, abort, reinstate), and word their ledger entries. Pure."""

from serving.operator.judgement import not_worse, shown
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutSpec, ModelRolloutStatus, VersionRef


def may_promote(spec: ModelRolloutSpec, evidence: Evidence | None) -> bool:
    """Return whether a requested promotion is allowed.

    Without sufficient evidence, the request must carry a name and a reason.
    """
    named = bool((spec.promote_by or "").strip() and (spec.promote_reason or "").strip())
    return named or not_worse(spec.analysis, evidence)


def promotion(spec: ModelRolloutSpec, evidence: Evidence | None) -> str:
    """Return the ledger's reason for a promotion."""
    who = (spec.promote_by or "").strip() or "A person"
    why = (spec.promote_reason or "").strip()
    known = (
        shown(spec.analysis, evidence)
        if not_worse(spec.analysis, evidence)
        else "The evidence did not show that it is good enough."
    )
    return f"{who} promoted it{': ' + why.rstrip('.') if why else ''}. {known}"


def given_up(spec: ModelRolloutSpec) -> bool:
    """Return whether the trial of the spec's version was aborted and not requested again."""
    return spec.abort == spec.version.digest


def giving_up(spec: ModelRolloutSpec) -> str:
    """Return the ledger's reason for an aborted trial."""
    who = (spec.abort_by or "").strip() or "A person"
    why = (spec.abort_reason or "").strip().rstrip(".")
    return f"{who} ended its trial without a judgement{': ' + why if why else ''}."


def to_reinstate(spec: ModelRolloutSpec, status: ModelRolloutStatus) -> VersionRef | None:
    """Return the rejected version that a named person reinstates with a reason, or `None`."""
    if not (spec.reinstate_by or "").strip() or not (spec.reinstate_reason or "").strip():
        return None
    if spec.reinstate in status.reinstated:
        return None
    return next((ref for ref in status.rejected if ref.digest == spec.reinstate), None)


def reinstating(spec: ModelRolloutSpec) -> str:
    """Return the ledger's reason for a reinstated version."""
    why = (spec.reinstate_reason or "").strip().rstrip(".")
    return f"{(spec.reinstate_by or '').strip()} reinstated it: {why}."
