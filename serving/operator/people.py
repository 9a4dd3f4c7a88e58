"""What a person who asks for a promotion may do. Pure."""

from serving.operator.judgement import not_worse, shown
from shield.crds.v1alpha1 import Evidence, ModelRolloutSpec


def may_promote(spec: ModelRolloutSpec, evidence: Evidence | None) -> bool:
    """Tell whether the promotion that was asked for may happen.

    With evidence, anybody's word will do. Without, somebody has to stand for it, by name and with a
    reason.
    """
    named = bool((spec.promote_by or "").strip() and (spec.promote_reason or "").strip())
    return named or not_worse(spec.analysis, evidence)


def promotion(spec: ModelRolloutSpec, evidence: Evidence | None) -> str:
    """Return the reason that the ledger gets."""
    who = (spec.promote_by or "").strip() or "A person"
    why = (spec.promote_reason or "").strip()
    known = (
        shown(spec.analysis, evidence)
        if not_worse(spec.analysis, evidence)
        else "The evidence did not show that it is good enough."
    )
    return f"{who} promoted it{': ' + why.rstrip('.') if why else ''}. {known}"
