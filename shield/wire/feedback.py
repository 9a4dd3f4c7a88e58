"""Users' reports about verdicts, and reviewers' items and decisions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire.base import NO_NUL, Answer, Identifier, Note, Reason
from shield.wire.contests import ContestMark


class FeedbackStatus(StrEnum):
    """Status of a report."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class ReportFacts(Wire):
    """Facts given by a reporter and stored unchanged.

    A further fact is one more field here (with a default: older phones do not send it) and a column
    of the same name in `api/tables/feedback.py`. Requests, listings, exports and snapshots have it
    then, and new rows are filled with it.
    """

    feedback_type: FeedbackType


class FeedbackColumns(ReportFacts, Answer):
    """The columns that listings, exports and snapshots share, named as in the table.

    A fact that the system adds to a report and that all readers should see is a field here.
    """

    scan_type: ScanType


class FeedbackRequest(ReportFacts):
    """A user's report about a verdict."""

    scan_id: Identifier
    scan_type: ScanType | None = None
    """Optional; must match the scan's type."""
    actual_label: Annotated[str, Field(max_length=32)] | None = None
    """Default: derived from `feedbackType` and the verdict."""
    comment: Note | None = None


class FeedbackRead(FeedbackColumns):
    """One report."""

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
    """Tactic from the book of scams, set by the reviewer."""
    review_reason: str | None = None
    """Reason from the team's list, set by the reviewer."""
    undo_until: datetime | None = None
    """Until then the decision can be undone, unless a batch contains the report."""
    campaign_id: str | None = None
    batch_id: str | None = None
    """The sealed batch that contains it."""
    created_at: datetime
    updated_at: datetime


class ExportRead(Answer):
    """Approved corrections."""

    success: Literal[True] = True
    message: str = ""
    batch_id: str | None = None
    """The requested sealed batch."""
    count: int
    unreadable: int = 0
    """Corrections that were left out, since their messages cannot be decrypted."""
    data: list["ExportRow"]


class LabelledText(Answer):
    """The message in an export."""

    id: str
    text: str
    original_label: str
    corrected_label: str


class ExportRow(FeedbackColumns, LabelledText):
    """One approved correction. The CSV has these columns, in this order."""

    timestamp: datetime
    """Time of the approval."""


class ScanSummary(Answer):
    """A scan in the form shown to reviewers.

    Version and confidence are left out, since they would bias the reviewer.
    """

    id: str
    text: str
    verdict: str
    scan_type: ScanType
    created_at: datetime


class CampaignSummary(Answer):
    """The campaign of a message."""

    id: str
    size: int
    """Number of its scans, counted up to 10,000."""
    pending: int
    """Number of its undecided items."""
    reporters: int
    """Number of distinct reporters, counted among up to 10,000 reports."""
    variants: list[str] = []
    """Up to five of its texts, the most different first, without the message itself."""
    shown: list[str] = []
    """Ids of undecided items whose texts are shown, ignoring numbers, at most 500. A decision on
    the campaign covers these (`ReviewRequest.shown`); later or different items stay undecided."""
    first_seen: datetime
    last_seen: datetime
    burst: bool = False
    """Whether many new accounts reported it within a short time."""


class ReporterSummary(Answer):
    """The reporter by pseudonym, with their record."""

    pseudonym: str
    trust: float
    """Posterior mean of the approval rate, 0 to 1. Used to order the queue only."""
    trust_low: float
    trust_high: float
    """The 95 % interval of the posterior."""
    decided: int
    approved: int
    is_new: bool


class RankReason(Answer):
    """One component of an item's rank."""

    name: Literal["reporters", "uncertainty", "reach", "age"]
    value: float
    text: str


class Rank(Answer):
    """The value of a decision on the item, and its reasons."""

    score: float
    reason: str
    """All reasons as one sentence."""
    reasons: list[RankReason] = []


class Decision(StrEnum):
    """A reviewer's decision about a message, independent of the claim."""

    SCAM = "scam"
    HARMLESS = "harmless"


class Proposal(Answer):
    """The earlier decision on the campaign; proposed, never applied automatically."""

    action: Literal["approve", "reject"]
    decision: Decision
    """The proposed decision about the message instead of the claim."""
    why: str


class SimilarItem(Answer):
    """A similar, decided message."""

    text: str
    decision: FeedbackStatus
    label: str
    decided_at: datetime
    similarity: float


class CommentRead(Answer):
    """A reporter's comment."""

    text: str
    at: datetime


class PendingItem(FeedbackRead):
    """One item of the review queue."""

    scan: ScanSummary
    campaign: CampaignSummary | None = None
    reporters: list[ReporterSummary] = []
    comments: list[CommentRead] = []
    rank: Rank
    proposal: Proposal | None = None
    tactic: str | None = None
    """The tactic of the book of scams that is most similar to the text, if any."""
    similar: list[SimilarItem] = []
    contests: list[ContestMark] = []
    """Contests of the campaign by senders of its messages."""
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    assigned_to: str | None = None
    """Assigned reviewer or `team:NAME`; null: not assigned."""
    blind: bool = False
    """Whether this is a blind second look: the first judgement is not shown."""


class ReviewAction(StrEnum):
    """A reviewer's decision about a claim."""

    APPROVE = "approve"
    REJECT = "reject"


class ReviewRequest(Wire):
    """A decision: `decision` about the message, or `action` about the claim."""

    action: ReviewAction | None = None
    """For clients without `decision`. Whether `approve` means scam or harmless depends on the
    claim."""
    decision: Decision | None = None
    tactic: Annotated[str, Field(max_length=64, pattern=NO_NUL)] | None = None
    """Tactic from the book of scams (see `GET /review/guide`), for scams only."""
    reason: Annotated[str, Field(max_length=64, pattern=NO_NUL)] | None = None
    """One of the team's reasons (`SHIELD_API_REVIEW_REASONS`); required if there are any."""
    scope: Literal["item", "campaign"] = "item"
    """`campaign`: the decision also covers the shown items of the campaign."""
    shown: Annotated[list[Identifier], Field(max_length=500)] | None = None
    """With `scope: campaign`: ids of the items whose texts the reviewer has seen
    (`campaign.shown`); only these are covered. Default: items with the same text, ignoring
    numbers."""
    notes: Note | None = None
    corrected_label: Annotated[str, Field(max_length=32)] | None = None
    """The claimed label that the reviewer saw: if the reporter has changed it since, the request is
    refused with 409. Default: the current claim is judged."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "ReviewRequest":
        if (self.action is None) == (self.decision is None):
            raise ValueError("give either `decision` (scam, harmless) or `action`, not both")
        return self


class AssignRequest(Wire):
    """A request to assign an item."""

    to: Annotated[str, Field(max_length=128, pattern=NO_NUL)] | None = None
    """A reviewer, or `team:NAME`; omit it to remove the assignment."""
    scope: Literal["item", "campaign"] = "campaign"
    reason: Reason | None = None


class MuteRequest(Wire):
    """A request to mute a reporter."""

    days: Annotated[int, Field(ge=1, le=365)] = 30
    reason: Reason


class MutedReporter(Answer):
    """A reporter whose items are hidden from the queue."""

    pseudonym: str
    until: datetime
    waiting: int
    """Number of hidden items; they return to the queue afterwards."""


class UndoRequest(Wire):
    """A request to undo a decision."""

    reason: Reason | None = None
