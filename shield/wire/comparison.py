"""Two versions side by side, judged on the same messages."""

from typing import Literal

from shield.wire.base import Answer


class FigureChange(Answer):
    """One figure of both versions on the messages that both were judged on."""

    figure: Literal["recall", "false positives", "accuracy"]
    messages: int
    """That the figure is a share of: scams, harmless ones, or all."""
    old: float
    new: float
    change: float
    """`new` - `old`."""
    low: float
    high: float
    """Its interval (95 %, paired: Tango's score interval)."""
    lost: int
    """Messages that only the old version got right."""
    won: int
    """Messages that only the new version got right."""
    kind: Literal["good", "bad", ""]
    """Which way it went, where the interval leaves zero out."""


class SetChange(Answer):
    """Both versions on one set, or on one kind of message."""

    name: str
    """`golden`, or e.g. `language: de`."""
    messages: int
    scams: int
    figures: list[FigureChange]
    """Those that are defined: without scams there is no recall."""


class MovedMessage(Answer):
    """A message on which the versions disagree."""

    id: str
    set: str
    scam: bool
    old: float
    new: float
    """What each answered, as the probability of the scam class."""
    won: bool
    """The new version is right, the old one was not; else the other way round."""
    text: str
    """Links, addresses, digits and rare words are masked."""


class Difference(Answer):
    """Something that is not the same in how two versions were made."""

    name: str
    old: str
    new: str


class CurvePoint(Answer):
    """A point of a ROC curve."""

    fpr: float
    recall: float


class VersionComparison(Answer):
    """Two versions, judged on the same messages."""

    old: str
    new: str
    messages: int
    """That both were judged on; 0: `notes` say why, and only the differences are known."""
    sets: list[SetChange] = []
    slices: list[SetChange] = []
    """Kinds of messages by accuracy, the one that lost most first."""
    moved: list[MovedMessage] = []
    """The farthest moved first, lost ones before won ones; `lost` and `won` count them all."""
    lost: int = 0
    won: int = 0
    curves: dict[str, list[CurvePoint]] = {}
    """`old` and `new`: ROC on the golden set."""
    scores: dict[str, dict[str, list[int]]] = {}
    """`old` and `new` -> `ham` and `scam` -> golden messages by score, bins of a twentieth."""
    recipe: list[Difference] = []
    data: list[Difference] = []
    notes: list[str] = []
