"""Comparison of two versions on the same messages."""

from typing import Literal

from shield.wire.base import Answer


class FigureChange(Answer):
    """One figure of both versions on their common messages."""

    figure: Literal["recall", "false positives", "accuracy"]
    messages: int
    """Number of messages that the figure is a share of: scams, harmless ones, or all."""
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
    """Direction of the change, if the interval excludes zero."""


class SetChange(Answer):
    """Both versions on one set or one slice of messages."""

    name: str
    """`golden`, or e.g. `language: de`."""
    messages: int
    scams: int
    figures: list[FigureChange]
    """The figures that are defined: without scams there is no recall."""


class MovedMessage(Answer):
    """A message on which the versions disagree."""

    id: str
    set: str
    scam: bool
    old: float
    new: float
    """Scam probability of each version."""
    won: bool
    """Whether the new version is right and the old one wrong; else the reverse."""
    text: str
    """Links, addresses, digits and rare words are masked."""


class Difference(Answer):
    """A difference in how two versions were trained."""

    name: str
    old: str
    new: str


class CurvePoint(Answer):
    """A point of a ROC curve."""

    fpr: float
    recall: float


class VersionComparison(Answer):
    """Comparison of two versions on the same messages."""

    old: str
    new: str
    messages: int
    """Number of common messages; if 0, `notes` say why, and only `differences` are known."""
    sets: list[SetChange] = []
    slices: list[SetChange] = []
    """Slices of messages by accuracy, the largest loss first."""
    moved: list[MovedMessage] = []
    """Largest changes first, lost messages before won ones; `lost` and `won` count all."""
    lost: int = 0
    won: int = 0
    curves: dict[str, list[CurvePoint]] = {}
    """ROC curves on the golden set, for `old` and `new`."""
    scores: dict[str, dict[str, list[int]]] = {}
    """Golden messages by score in bins of 0.05, for `old` and `new`, then `ham` and `scam`."""
    recipe: list[Difference] = []
    data: list[Difference] = []
    notes: list[str] = []
