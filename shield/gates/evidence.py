"""What the gates look at: counts, never messages."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.metrics import Counts

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Comparison(Wire):
    """Verdicts of both models on the same messages; without a champion, of the challenger alone."""

    tp: Count = 0
    """Scams that the challenger flags."""
    fn: Count = 0
    """Scams that the challenger lets through."""
    fp: Count = 0
    """Harmless messages that the challenger flags."""
    tn: Count = 0
    """Harmless messages that the challenger lets through."""
    scams_lost: Count = 0
    """Scams that only the champion flags."""
    scams_won: Count = 0
    """Scams that only the challenger flags."""
    hams_lost: Count = 0
    """Harmless messages that only the challenger flags."""
    hams_won: Count = 0
    """Harmless messages that only the champion flags."""

    @model_validator(mode="after")
    def _disagreements_fit(self) -> Self:
        if (
            self.scams_lost > self.fn
            or self.scams_won > self.tp
            or self.hams_lost > self.fp
            or self.hams_won > self.tn
        ):
            raise ValueError(f"These disagreements do not fit into the verdicts: {self!r}.")
        return self

    @property
    def challenger(self) -> Counts:
        """The challenger's confusion matrix."""
        return Counts(self.tp, self.fn, self.fp, self.tn)

    @property
    def champion(self) -> Counts:
        """The champion's confusion matrix (meaningless when there is no champion)."""
        return Counts(
            tp=self.tp - self.scams_won + self.scams_lost,
            fn=self.fn - self.scams_lost + self.scams_won,
            fp=self.fp - self.hams_lost + self.hams_won,
            tn=self.tn - self.hams_won + self.hams_lost,
        )

    @property
    def lost(self) -> int:
        """Messages that only the champion gets right."""
        return self.scams_lost + self.hams_lost

    @property
    def won(self) -> int:
        """Messages that only the challenger gets right."""
        return self.scams_won + self.hams_won

    def without(self, part: "Comparison") -> "Comparison":
        """Return this comparison with the messages of `part` left out.

        Raises:
            ValueError: `part` is no part of this comparison.
        """
        mine, theirs = self.model_dump(), part.model_dump()
        return Comparison(**{name: mine[name] - theirs[name] for name in mine})


class Slice(Wire):
    """A kind of message within the judged sets, e.g. `length` = `under 40 characters`."""

    dimension: str
    value: str
    comparison: Comparison


class GroupShare(Wire):
    """The part of some corrections that hangs on one reporter or one campaign."""

    kind: str
    """`reporter` or `campaign`."""
    name: str
    """Pseudonym or campaign id: never a user's name or a message."""
    comparison: Comparison


class PhraseProbe(Wire):
    """Known scams with a phrase put behind them that many corrections share."""

    name: str
    """Digest of the phrase: its words are in the dataset's `phrases.json`."""
    carriers: Count
    """Corrections that carry it and say "harmless"."""
    comparison: Comparison


class GoldenRecord(Wire):
    """What earlier versions reached on this very golden set."""

    versions: Annotated[int, Field(ge=1)]
    first: str
    """The first version judged on it: no selection has favoured it yet."""
    first_accuracy: Share
    best: str
    """The best of those that were promoted."""
    best_accuracy: Share


class GateInput(Wire):
    """Everything the gates may know. Written by `evaluate` as `evaluations.json`."""

    model_type: ModelType
    champion: str | None
    """Digest of the champion's package; None for the first model of its type."""
    challenger: str
    """Digest of the challenger's package manifest as it was judged."""
    fresh_feedback: Count
    """Approved corrections in the batch of this run; confirmations of a verdict are none."""
    budget: Annotated[float, Field(gt=0, lt=1)]
    """Share of harmless messages that may be flagged; both models are judged at it."""
    golden_digest: str
    golden: Comparison
    corrections: Comparison = Comparison()
    """Held-out corrections of this batch: campaigns that taught nothing."""
    taught: Comparison = Comparison()
    """Corrections that taught the challenger; counted only where too few were held out to tell."""
    old_errors: Comparison = Comparison()
    """Held-out corrections of earlier batches: what had been learnt must stay learnt."""
    time_forward: Comparison = Comparison()
    """The latest messages, later than all that taught."""
    slices: list[Slice] = []
    judge: list[Slice] = []
    """Kinds of messages in the book's judging half; for people, no gate looks at them."""
    groups: list[GroupShare] = []
    taught_groups: list[GroupShare] = []
    """As `groups`, of the corrections that taught."""
    phrases: list[PhraseProbe] = []
    record: GoldenRecord | None = None
    """None when no earlier version was judged on this golden set."""
    int8_compared: Count
    int8_flips: Count
    """Messages whose verdict differs between the served int8 file and its fp32 origin."""
    int8_lost: Count = 0
    """Of those, the ones that fp32 gets right."""
    int8_won: Count = 0
    """Of those, the ones that int8 gets right."""
    metrics: dict[str, float] = {}
    """Flat figures for the registry and the dashboard; no gate reads them."""
    scores: dict[str, list[int]] = {}
    """Golden messages by the challenger's score, `ham` and `scam`; bins as in
    `shield.metrics.SCORE_EDGES`. The drift watch compares with them what is scanned later."""
    disputed: dict[str, Share] = {}
    """Golden messages whose label every model contradicts with confidence: id to the challenger's
    probability of a scam. Reviewers are asked; no gate reads them."""
    warnings: list[str] = []
    """What a person should know, but what refuses nothing."""
