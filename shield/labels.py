"""The model types with all that the system knows of them, and their label vocabulary.

A new model type is a member of `ModelType`, one of `ScanType`, and a record in `MODEL_TYPES`. The
API, the pages, the command line, the chart's schema and the phone's scripts are made from these.

Scam is the positive class everywhere. Any word that is not in this file is refused: a label that
nobody knows must never be read as "harmless".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

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


SURE_FROM = 0.9
"""Confidence from which a verdict is sure where nothing says by data how sure it is: a version of
an earlier release gave it."""


class Certainty(StrEnum):
    """Whether a verdict may be told as one."""

    SURE = "sure"
    UNSURE = "unsure"
    """Too near to the operating point, or nothing in the text that could be judged."""

    @classmethod
    def by_confidence(cls, confidence: float) -> "Certainty":
        """Return how sure a verdict is of which its confidence alone is known."""
        return cls.SURE if confidence >= SURE_FROM else cls.UNSURE


class Labels(NamedTuple):
    """The two labels of a model type, in the order of a model's output columns."""

    negative: str
    positive: str


@dataclass(frozen=True, kw_only=True)
class TypeRecord:
    """All facts about one model type that are the same everywhere."""

    model_type: ModelType
    scan_type: ScanType
    """What the phone sends for this model."""
    labels: Labels
    label_words: Labels
    """The labels as people say them: "It is ...", in the order of `labels`."""
    title: str
    """Its messages in the plural: a tab, a heading."""
    noun: str
    """One of its messages."""
    covers: str
    """What its messages are, for developers of apps."""
    icon: str
    """A symbol of `api/pages/templates/icons.svg`."""
    channel: Literal["sms", "mail", "call"] | None = None
    """Which messages of the book of scams teach it; None: the book has none."""
    first_training_messages: int | None = None
    """Most messages of a first training on a machine without an accelerator; None: all."""
    corpus: str
    """What its base corpus is, for the model card."""


MODEL_TYPES: dict[ModelType, TypeRecord] = {
    record.model_type: record
    for record in (
        TypeRecord(
            model_type=ModelType.SMS,
            scan_type=ScanType.TEXT,
            labels=Labels("ham", "spam"),
            label_words=Labels("harmless", "a scam"),
            title="Messages",
            noun="Message",
            covers="SMS and chat",
            icon="message",
            channel="sms",
            corpus="the UCI SMS Spam Collection (Almeida, Hidalgo and Yamakami, 2011; CC BY 4.0)",
        ),
        TypeRecord(
            model_type=ModelType.PHISHING,
            scan_type=ScanType.PHISHING,
            labels=Labels("safe", "phishing"),
            label_words=Labels("safe", "phishing"),
            title="Phishing",
            noun="Mail or link",
            covers="Mails and web addresses",
            icon="link",
            channel="mail",
            first_training_messages=2000,  # mails fill whole windows
            corpus="the SpamAssassin public mail corpus",
        ),
        TypeRecord(
            model_type=ModelType.VOICE,
            scan_type=ScanType.VOICE,
            labels=Labels("ham", "spam"),
            label_words=Labels("harmless", "a scam"),
            title="Calls",
            noun="Call",
            covers="Transcripts of calls",
            icon="phone",
            channel="call",
            first_training_messages=2000,
            corpus=(
                "text and mail corpora made to look like transcripts (lower case, no punctuation, "
                "fillers, recognition errors). No real call was in them: until real transcripts "
                "are added with `shieldctl corpus add`, expect less on real calls than the figures "
                "say"
            ),
        ),
    )
}
"""Every model type, in the order in which people are shown them."""

MODEL_OF_SCAN: dict[ScanType, ModelType] = {
    record.scan_type: record.model_type for record in MODEL_TYPES.values()
}
LABELS: dict[ModelType, Labels] = {
    record.model_type: record.labels for record in MODEL_TYPES.values()
}
EVERY_LABEL = sorted({label for labels in LABELS.values() for label in labels})


def type_names() -> str:
    """Return the names of the model types as a sentence lists them: `sms, phishing or voice`."""
    *others, last = MODEL_TYPES
    return f"{', '.join(others)} or {last}"


def is_scam(label: str) -> bool:
    """Tell whether a label is the scam class; no word means one class here and the other there.

    Raises:
        UnknownLabel: No model type has such a label.
    """
    for model_type, labels in LABELS.items():
        if label in labels:
            return is_positive(model_type, label)
    raise UnknownLabel(label, "any of the", EVERY_LABEL)


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


def claim_of(model_type: ModelType, told: str, label: str) -> FeedbackType:
    """Return what it says of a verdict that a message is of `label`."""
    if told == label:
        return FeedbackType.CONFIRMED
    scam = is_positive(model_type, told)
    return FeedbackType.FALSE_POSITIVE if scam else FeedbackType.FALSE_NEGATIVE


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
