"""The label vocabulary, and the only table from (feedback type, prediction) to a label.

Scam is the positive class everywhere. Any word that is not in this file is refused: a label that
nobody knows must never be read as "harmless".
"""

from enum import StrEnum
from typing import NamedTuple

from shield.errors import ContradictoryFeedback, UnknownLabel


class ModelType(StrEnum):
    """Which family of models judges a message."""

    SMS = "sms"
    PHISHING = "phishing"
    VOICE = "voice"


class ScanType(StrEnum):
    """What the phone scanned."""

    TEXT = "text"
    PHISHING = "phishing"
    VOICE = "voice"


class FeedbackType(StrEnum):
    """What the user says of a verdict."""

    FALSE_POSITIVE = "false_positive"
    FALSE_NEGATIVE = "false_negative"
    CONFIRMED = "confirmed"


class Labels(NamedTuple):
    """The two labels of a model type, in the order of a model's output columns."""

    negative: str
    positive: str


MODEL_OF_SCAN: dict[ScanType, ModelType] = {
    ScanType.TEXT: ModelType.SMS,
    ScanType.PHISHING: ModelType.PHISHING,
    ScanType.VOICE: ModelType.VOICE,
}

LABELS: dict[ModelType, Labels] = {
    ModelType.SMS: Labels("ham", "spam"),
    ModelType.PHISHING: Labels("safe", "phishing"),
    ModelType.VOICE: Labels("ham", "spam"),
}


def is_positive(model_type: ModelType, label: str) -> bool:
    """Tell whether `label` is the scam class of `model_type`.

    Raises:
        UnknownLabel: The model type has no such label.
    """
    labels = LABELS[model_type]
    if label not in labels:
        raise UnknownLabel(label, model_type, labels)
    return label == labels.positive


def label_of(model_type: ModelType, positive: bool) -> str:
    """Return the word for the scam class (`positive`) or the harmless class of `model_type`."""
    labels = LABELS[model_type]
    return labels.positive if positive else labels.negative


def corrected_label(
    model_type: ModelType, predicted: str, claim: FeedbackType, actual: str | None = None
) -> str:
    """Return the label that a piece of feedback claims to be right.

    Args:
        model_type: Whose vocabulary applies.
        predicted: What the model had said, one of `LABELS[model_type]`.
        claim: What the user says of it.
        actual: The label named by the user, if any. Left out, it follows from the claim.

    Raises:
        UnknownLabel: A label outside the vocabulary of the model type.
        ContradictoryFeedback: The claim cannot be made of this prediction, or `actual` says
            otherwise.
    """
    was_scam = is_positive(model_type, predicted)
    if claim is FeedbackType.FALSE_POSITIVE and not was_scam:
        raise ContradictoryFeedback(claim, predicted, "only a scam verdict can be a false positive")
    if claim is FeedbackType.FALSE_NEGATIVE and was_scam:
        raise ContradictoryFeedback(
            claim, predicted, "only a harmless verdict can be a false negative"
        )
    truth = was_scam if claim is FeedbackType.CONFIRMED else not was_scam
    if actual is not None and is_positive(model_type, actual) != truth:
        raise ContradictoryFeedback(
            claim, predicted, f"it cannot go with the actual label {actual!r}"
        )
    return label_of(model_type, truth)
