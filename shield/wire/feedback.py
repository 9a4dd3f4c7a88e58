"""What users say of verdicts, and what reviewers see and decide."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire.base import NO_NUL, Answer, Identifier, Note, Reason
from shield.wire.contests import ContestMark


class FeedbackStatus(StrEnum):
    """Where a correction stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReportFacts(Wire):
    """What a reporter says and the system copies as it is.

    A further fact is one more field here (with a default: older phones do not send it) and a column
    of the same name in `api/tables/feedback.py`. Requests, listings, exports and snapshots have it
    then, and new rows are filled with it.
    """

    feedback_type: FeedbackType


class FeedbackColumns(ReportFacts, Answer):
    """The columns that listings, exports and snapshots share, named as in the table.

    What the system adds to a report, and everybody who reads it should see, is a field here.
    """

    scan_type: ScanType


class FeedbackRequest(ReportFacts):
    """What a user says of a verdict."""

    scan_id: Identifier
    scan_type: ScanType | None = None
    """May be left out: the scan knows it."""
    actual_label: Annotated[str, Field(max_length=32)] | None = None
    """Left out, it follows from `feedbackType` and the verdict."""
    comment: Note | None = None


class FeedbackRead(FeedbackColumns):
    """One correction."""

    id: str
    scan_id: str
    model_type: ModelType
    original_label: str
    corrected_label: str
    comment: str | None = None
    status: FeedbackStatus
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review_notes: str | None = None
    review_tactic: str | None = None
    """The tactic of the book of scams that the reviewer named."""
    review_reason: str | None = None
    """The reason that the reviewer chose from the team's list."""
    undo_until: datetime | None = None
    """A decision may be undone until then, unless a batch has taken it."""
    campaign_id: str | None = None
    batch_id: str | None = None
    """The sealed batch that holds it now."""
    created_at: datetime
    updated_at: datetime


class ExportRead(Answer):
    """Approved corrections."""

    success: Literal[True] = True
    message: str = ""
    batch_id: str | None = None
    """The sealed batch that was asked for."""
    count: int
    data: list["ExportRow"]


class LabelledText(Answer):
    """What an export says of the message itself."""

    id: str
    text: str
    original_label: str
    corrected_label: str


class ExportRow(FeedbackColumns, LabelledText):
    """One approved correction. The CSV has these columns, in this order."""

    timestamp: datetime
    """When it was approved."""


class ScanSummary(Answer):
    """The scan as a reviewer sees it.

    Which version answered, and how sure it was, is left out: who knows it judges with it.
    """

    id: str
    text: str
    verdict: str
    scan_type: ScanType
    created_at: datetime


class CampaignSummary(Answer):
    """The flood that a message belongs to."""

    id: str
    size: int
    """Scans that fell into it."""
    pending: int
    """Items that wait for a decision."""
    reporters: int
    """Distinct users who reported it."""
    variants: list[str] = []
    """Up to five texts of it, those that read otherwise first, the message itself left out."""
    shown: list[str] = []
    """Waiting items whose texts are shown, but for numbers: a decision on the campaign settles
    these (`ReviewRequest.shown`), at most 500. What came later, or reads otherwise, waits."""
    first_seen: datetime
    last_seen: datetime
    burst: bool = False
    """Many new accounts in a short time: look twice."""


class ReporterSummary(Answer):
    """Who reported, by pseudonym, and how far their record goes."""

    pseudonym: str
    trust: float
    """Posterior mean of their approval rate, 0 to 1. Orders the queue; never decides."""
    trust_low: float
    trust_high: float
    """The 95 % interval of the posterior."""
    decided: int
    approved: int
    is_new: bool


class RankReason(Answer):
    """One part of an item's rank."""

    name: Literal["reporters", "uncertainty", "reach", "age"]
    value: float
    text: str


class Rank(Answer):
    """What a decision on the item is worth, and why."""

    score: float
    reason: str
    """All reasons in one sentence."""
    reasons: list[RankReason] = []


class Decision(StrEnum):
    """What a reviewer finds a message to be, whatever was claimed of it."""

    SCAM = "scam"
    HARMLESS = "harmless"


class Proposal(Answer):
    """How the campaign was decided before; proposed, never applied by itself."""

    action: Literal["approve", "reject"]
    decision: Decision
    """The same, said of the message instead of the claim."""
    why: str


class SimilarItem(Answer):
    """A decided message that looks like this one."""

    text: str
    decision: FeedbackStatus
    label: str
    decided_at: datetime
    similarity: float


class CommentRead(Answer):
    """What a reporter wrote."""

    text: str
    at: datetime


class PendingItem(FeedbackRead):
    """One item of the queue."""

    scan: ScanSummary
    campaign: CampaignSummary | None = None
    reporters: list[ReporterSummary] = []
    comments: list[CommentRead] = []
    rank: Rank
    proposal: Proposal | None = None
    tactic: str | None = None
    """The tactic of the book of scams that the words are nearest to, if it is near to any."""
    similar: list[SimilarItem] = []
    contests: list[ContestMark] = []
    """What senders of the campaign's messages say against its being flagged."""
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    assigned_to: str | None = None
    """A reviewer, or `team:NAME`, in whose queue it is; none: it is in everybody's."""
    blind: bool = False
    """A second look: what the first reviewer said is not shown."""


class ReviewAction(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"


class ReviewRequest(Wire):
    """A decision: `decision` says what the message is, or `action` whether the claim is right."""

    action: ReviewAction | None = None
    """What clients of before `decision` send. On one item `approve` makes a scam of it and on
    another a harmless message: it depends on the claim."""
    decision: Decision | None = None
    tactic: Annotated[str, Field(max_length=64, pattern=NO_NUL)] | None = None
    """Of the book of scams (`GET /review/guide` lists them); only a scam has one."""
    reason: Annotated[str, Field(max_length=64, pattern=NO_NUL)] | None = None
    """One of the team's reasons (`SHIELD_API_REVIEW_REASONS`); needed where the team has any."""
    scope: Literal["item", "campaign"] = "item"
    """`campaign`: the label that the decision makes true settles what was shown of the campaign."""
    shown: Annotated[list[Identifier], Field(max_length=500)] | None = None
    """With `scope: campaign`, the items whose texts the reviewer has seen (`campaign.shown`); no
    others are settled. Left out, those that read like the item itself, but for numbers."""
    notes: Note | None = None
    corrected_label: Annotated[str, Field(max_length=32)] | None = None
    """The label that the reviewer saw claimed: if the reporter has changed it since, nothing is
    decided (409). Left out, whatever is claimed now is judged."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "ReviewRequest":
        if (self.action is None) == (self.decision is None):
            raise ValueError("give either `decision` (scam, harmless) or `action`, not both")
        return self


class AssignRequest(Wire):
    """Give an item to somebody."""

    to: Annotated[str, Field(max_length=128, pattern=NO_NUL)] | None = None
    """A reviewer, or `team:NAME`; left out, it is everybody's again."""
    scope: Literal["item", "campaign"] = "campaign"
    reason: Reason | None = None


class MuteRequest(Wire):
    """Leave out what a reporter says."""

    days: Annotated[int, Field(ge=1, le=365)] = 30
    reason: Reason


class MutedReporter(Answer):
    """A reporter whose items are left out of the queue."""

    pseudonym: str
    until: datetime
    waiting: int
    """Items of theirs that wait meanwhile; they come back then."""


class UndoRequest(Wire):
    """Take a decision back."""

    reason: Reason | None = None
