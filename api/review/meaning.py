"""The meaning of a decision for the claim and for the message. Pure."""

from api.tables import Feedback, KnownCampaign
from shield.errors import AlreadyReviewed
from shield.labels import LABELS, ModelType, is_scam
from shield.wire import Decision, KnownStanding, ReviewAction, ReviewRequest


def truth_of(item: Feedback, action: str) -> str:
    """Return the true label of the message according to a decision."""
    if action == "approve":
        return item.corrected_label
    labels = LABELS[ModelType(item.model_type)]
    return labels.negative if item.corrected_label == labels.positive else labels.positive


def action_of(item: Feedback, request: ReviewRequest) -> ReviewAction:
    """Return whether a decision about the message approves or rejects the claim."""
    if request.action is not None:
        return request.action
    claimed = Decision.SCAM if is_scam(item.corrected_label) else Decision.HARMLESS
    return ReviewAction.APPROVE if request.decision is claimed else ReviewAction.REJECT


def finding(label: str) -> Decision:
    """Return the decision that matches a label: scam or harmless."""
    return Decision.SCAM if is_scam(label) else Decision.HARMLESS


def already(item: Feedback) -> AlreadyReviewed:
    """Return the error for a second decision; its message states the first one."""
    decision = finding(truth_of(item, "approve" if item.status == "approved" else "reject"))
    return AlreadyReviewed(
        f"{item.reviewed_by} has {item.status} {item.id} already: {decision}. Take the next one.",
        reviewedBy=item.reviewed_by,
        decision=item.status,
        found=decision,
    )


def acts(known: KnownCampaign | None) -> str:
    """Return a text on what a decision does to other users' copies of the message."""
    if known is None:
        return ""
    if known.standing == KnownStanding.CONFIRMED:
        return " Other people's copies are answered by it from now on."
    if known.standing == KnownStanding.CHECKING:
        return " Other people's copies are marked as being checked."
    return f" It does not act on other people's copies: {known.why}"
