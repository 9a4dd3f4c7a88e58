"""What travels over HTTP between the API and its callers: one set of types for both sides.

The API answers with these as response schemas, `shield.client` reads them back. Names are camelCase
on the wire. Requests refuse unknown members (`Wire`); answers accept them (`Answer`), so that an
older client reads a newer server. Every answer is wrapped: `{success, message, data, pagination?}`.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from shield.crds.v1alpha1 import Analysis, Step, Strategy, Transition, VersionRef, Wire
from shield.labels import FeedbackType, ModelType, ScanType
from shield.routing import Arm

T = TypeVar("T")

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL in text; SQLite would, and then the two would differ."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NUL)]
"""An id that we have given out, or a caller's run id."""
RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""Chosen by whoever starts a run; the same id is the same logical run."""
VersionName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63)
]
"""Name in the registry, e.g. `sms-v3`."""
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of the bytes that are meant."""
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
"""A person's remark."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=NO_NUL)]
"""Why something was done; goes into the audit log."""


class Answer(Wire):
    """Base of everything the API sends: members that a newer server adds are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        from_attributes=True,
        use_attribute_docstrings=True,
    )
    checks_kinds: ClassVar[bool] = False  # we have made them ourselves


class Pagination(Answer):
    """Where a page stands. Follow `nextCursor`; `page` and `total` are for people."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Envelope(Answer, Generic[T]):
    """The frame of every successful answer."""

    # A parametrised generic is made where it is named, and pydantic would look for its attribute
    # docstrings in the source of that place.
    model_config = ConfigDict(use_attribute_docstrings=False)

    success: Literal[True] = True
    message: str = ""
    data: T
    pagination: Pagination | None = None


# --- scans ----------------------------------------------------------------------------------------


class ScanRequest(Wire):
    """One message to judge."""

    scan_type: ScanType
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    """The message, URL or transcript, in characters."""


class FeedbackMark(Answer):
    """That a scan was reported, and what became of it."""

    id: str
    feedback_type: FeedbackType
    status: Literal["pending", "approved", "rejected"]


class ScanRead(Answer):
    """A verdict."""

    id: str
    scan_type: ScanType
    model_type: ModelType
    verdict: str
    """`spam` or `ham`; `phishing` or `safe` for phishing."""
    confidence: float
    """Probability of the verdict, 0.5 to 1 for a threshold of one half."""
    probability: float
    """Probability of the scam class, 0 to 1."""
    model_version: str
    arm: Arm
    created_at: datetime
    text: str | None = None
    """Only when one's own scan is read back."""
    feedback: FeedbackMark | None = None
    """What the owner has said of it, if anything."""


# --- feedback and review --------------------------------------------------------------------------


class FeedbackStatus(StrEnum):
    """Where a correction stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class FeedbackRequest(Wire):
    """What a user says of a verdict."""

    scan_id: Identifier
    scan_type: ScanType | None = None
    """May be left out: the scan knows it."""
    feedback_type: FeedbackType
    actual_label: Annotated[str, Field(max_length=32)] | None = None
    """Left out, it follows from `feedbackType` and the verdict."""
    comment: Note | None = None


class FeedbackRead(Answer):
    """One correction."""

    id: str
    scan_id: str
    scan_type: ScanType
    model_type: ModelType
    feedback_type: FeedbackType
    original_label: str
    corrected_label: str
    comment: str | None = None
    status: FeedbackStatus
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review_notes: str | None = None
    undo_until: datetime | None = None
    """A decision may be undone until then, unless a batch has taken it."""
    campaign_id: str | None = None
    batch_id: str | None = None
    """The sealed batch that holds it now."""
    created_at: datetime
    updated_at: datetime


class ScanSummary(Answer):
    """The scan as a reviewer sees it."""

    id: str
    text: str
    verdict: str
    confidence: float
    probability: float
    scan_type: ScanType
    model_version: str
    arm: Arm
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
    """Up to five texts of it, the message itself left out."""
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


class Proposal(Answer):
    """How the campaign was decided before; proposed, never applied by itself."""

    action: Literal["approve", "reject"]
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
    similar: list[SimilarItem] = []
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    blind: bool = False
    """A second look: what the first reviewer said is not shown."""


class ReviewAction(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"


class ReviewRequest(Wire):
    """A decision."""

    action: ReviewAction
    scope: Literal["item", "campaign"] = "item"
    """`campaign`: the label that the decision makes true settles all that waits of the campaign."""
    notes: Note | None = None


class UndoRequest(Wire):
    """Take a decision back."""

    reason: Reason | None = None


# --- batches --------------------------------------------------------------------------------------


class BatchStatus(StrEnum):
    """The life of a sealed batch."""

    LEASED = "leased"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    EXPIRED = "expired"


class LeaseRequest(Wire):
    """Ask for the approved corrections of one model type."""

    model_type: ModelType
    run_id: RunId
    minimum: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Fewer than this are left to gather."""
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class BatchRead(Answer):
    """A sealed batch: a snapshot that never changes."""

    id: str
    """`<model type>-<first 16 hex digits of the snapshot's SHA-256>`."""
    model_type: ModelType
    digest: str
    """SHA-256 of the Parquet file's bytes, `sha256:...`."""
    uri: str
    """Key in the artifact store."""
    count: int
    status: BatchStatus
    run_id: str
    version: str | None = None
    """The version that learned from it, once acknowledged."""
    reason: str | None = None
    sealed_at: datetime
    lease_expires_at: datetime | None = None
    acknowledged_at: datetime | None = None


class LeaseResult(Answer):
    """A batch, or the news that there is too little to learn from. Neither is an error."""

    outcome: Literal["leased", "too_few"]
    count: int
    minimum: int
    batch: BatchRead | None = None


class RenewRequest(Wire):
    """Keep a lease."""

    run_id: RunId
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class AckRequest(Wire):
    """The corrections have become a version."""

    run_id: RunId
    version: VersionName


class ReleaseRequest(Wire):
    """Give the corrections back."""

    run_id: RunId
    reason: Reason


# --- registry -------------------------------------------------------------------------------------


class VersionStatus(StrEnum):
    """What became of a version."""

    CANDIDATE = "candidate"
    """Passed the gates; may be rolled out."""
    REFUSED = "refused"
    """A gate refused it; kept for the record."""
    TESTING = "testing"
    """Meets users now."""
    DEPLOYED = "deployed"
    """The stable version."""
    RETIRED = "retired"
    """Was the stable version, and good."""
    REJECTED = "rejected"
    """Rejected during its rollout."""
    ROLLED_BACK = "rolled_back"
    """Was the stable version, and taken back."""


class VersionRequest(Wire):
    """A trained model package, to be named."""

    digest: Digest
    uri: Annotated[str, Field(min_length=1, max_length=1024, pattern=NO_NUL)]
    parent: VersionName | None = None
    batches: list[Identifier] = Field(default=[], max_length=1000)
    """All batches whose rows were in the training data."""
    run_id: RunId | None = None
    metrics: dict[str, Any] = {}
    status: Literal["candidate", "refused"] = "candidate"
    refusal: Note | None = None
    trained_at: datetime | None = None
    report_uri: Annotated[str, Field(max_length=1024, pattern=NO_NUL)] | None = None


class VersionRead(Answer):
    """A version in the registry. Only `status` and `tainted` ever change."""

    name: str
    model_type: ModelType
    digest: str
    uri: str
    parent: str | None = None
    batches: list[str] = []
    run_id: str | None = None
    metrics: dict[str, Any] = {}
    status: VersionStatus
    refusal: str | None = None
    report_uri: str | None = None
    trained_at: datetime | None = None
    created_at: datetime
    deployed_at: datetime | None = None
    tainted: bool = False
    """It learned from messages that were later found to be poisoned."""
    taint_reason: str | None = None

    @property
    def ref(self) -> VersionRef:
        """Return the version as rollouts name it."""
        return VersionRef(name=self.name, digest=self.digest, uri=self.uri)


class LedgerEntry(Answer):
    """One line of the promotion ledger."""

    model_type: ModelType
    action: str
    version: str
    previous_version: str | None = None
    at: datetime
    actor: str
    reason: str
    rollout_uid: str
    sequence: int


class TransitionRequest(Transition):
    """A transition as the operator reports it."""

    rollout_uid: Identifier
    reason: Annotated[str, Field(max_length=2048, pattern=NO_NUL)]
    sequence: Annotated[int, Field(ge=0, le=2**31 - 1)]


# --- runs -----------------------------------------------------------------------------------------


class RunOutcome(StrEnum):
    """How a pipeline run ended. A refusal and a skip are no failures."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"


class RunRequest(Wire):
    """A run begins, or begins again."""

    run_id: RunId
    model_type: ModelType
    engine: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = "local"
    trigger: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = "manual"


class RunUpdate(Wire):
    """How a run went."""

    outcome: RunOutcome
    message: Note = ""
    version: VersionName | None = None
    report_uri: Annotated[str, Field(max_length=1024, pattern=NO_NUL)] | None = None
    steps: dict[str, Any] | None = None
    """Step name to whatever is worth keeping, e.g. `{"seconds": 12.3}`."""


class RunRead(Answer):
    """One pipeline run."""

    run_id: str
    model_type: ModelType
    engine: str
    trigger: str
    outcome: RunOutcome
    message: str = ""
    version: str | None = None
    report_uri: str | None = None
    steps: dict[str, Any] = {}
    attempts: int = 1
    started_at: datetime
    finished_at: datetime | None = None


# --- rollouts -------------------------------------------------------------------------------------


class RolloutRequest(Wire):
    """What should serve. Members left out keep their present value."""

    version: VersionName
    strategy: Strategy | None = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=50)] | None = None
    analysis: Analysis | None = None
    deadline_seconds: Annotated[float, Field(gt=0)] | None = None
    ready_timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    guard_seconds: Annotated[float, Field(ge=0)] | None = None
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    reason: Reason | None = None


class ReasonRequest(Wire):
    """Why."""

    reason: Reason


class OptionalReasonRequest(Wire):
    """Why, if one wants to say."""

    reason: Reason | None = None


# --- statistics -----------------------------------------------------------------------------------


class Interval(Answer):
    """A measured value with its 95 % interval; `value` is null when nothing can be known yet."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Observations behind it."""


class MetricRead(Interval):
    """One of the five metrics."""

    name: str
    formula: str
    target: float
    met: bool | None = None
    note: str = ""


class TrendPoint(Answer):
    """Feedback received on one day (UTC)."""

    date: date
    count: int


class Rates(Answer):
    """True rates over scans, known from the audit sample alone; never shares of feedback."""

    false_positive_rate: Interval
    false_negative_rate: Interval


class VersionStats(Answer):
    """What one model version has shown in the window."""

    model_type: ModelType
    version: str
    scans: int
    positives: int
    """Scans that it called a scam."""
    reports: int
    false_positive_claims: int
    false_negative_claims: int
    decided: int
    verdict_errors: int
    """Verdicts that a reviewer found wrong."""


class StatsRead(Answer):
    """The numbers of the dashboard."""

    by_status: dict[str, int]
    by_type: dict[str, int]
    by_version: list[VersionStats] = []
    rates: Rates
    recent_trend: list[TrendPoint]
    pending_count: int
    metrics: list[MetricRead]


class ExportRead(Answer):
    """Approved corrections."""

    success: Literal[True] = True
    message: str = ""
    batch_id: str | None = None
    """The sealed batch that was asked for."""
    count: int
    data: list["ExportRow"]


class ExportRow(Answer):
    """One approved correction."""

    id: str
    text: str
    original_label: str
    corrected_label: str
    feedback_type: FeedbackType
    scan_type: ScanType
    timestamp: datetime


# --- audit ----------------------------------------------------------------------------------------


class AuditEntry(Answer):
    """One line of the audit log."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    details: dict[str, Any] = {}
    previous_hash: str
    hash: str


class AuditCheck(Answer):
    """Whether the hash chain of the audit log holds."""

    entries: int
    head: str
    """Hash of the newest entry; note it elsewhere to notice a shortened log later."""
    broken_at: int | None = None
    """The first entry that does not fit."""
    problem: str = ""


# --- people ---------------------------------------------------------------------------------------


class MeRead(Answer):
    """What the system knows of the caller."""

    subject: str
    roles: list[str]
    audit_consent: bool
    """Whether a small share of one's scans may be looked at without having been reported."""
    approved: int
    """Own reports that turned out right."""
    rejected: int


class MeUpdate(Wire):
    """What a user may change."""

    audit_consent: bool


class ErasureRead(Answer):
    """What was erased, and what cannot be unlearned."""

    scans: int
    feedback: int
    versions: list[str]
    """Model versions that were trained on the person's messages."""
    batches: list[str]
    """Sealed batches that held them; their copies in the store are deleted or rewritten."""


class LineageKind(StrEnum):
    """What lineage can be asked for."""

    FEEDBACK = "feedback"
    REPORTER = "reporter"
    """By user id or pseudonym."""
    CAMPAIGN = "campaign"
    BATCH = "batch"


class LineageRead(Answer):
    """Every version that learned from a feedback, a reporter, a campaign or a batch."""

    subject: str
    feedback: int
    """Corrections that the subject stands for."""
    batches: list[str]
    versions: list[VersionRead]
    serving: list[str]
    """Those that serve now."""


# --- quality of review ----------------------------------------------------------------------------


class GoldRequest(Wire):
    """An item whose answer is known, to be mixed into the queue."""

    scan_type: ScanType
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    verdict: Literal["spam", "ham", "phishing", "safe"]
    """What the model is said to have found."""
    feedback_type: FeedbackType
    """What the user is said to claim."""
    answer: ReviewAction
    """What a good reviewer decides."""


class ReviewerQuality(Answer):
    """How one reviewer judges."""

    reviewer: str
    decided: int
    gold: Interval
    """Share of gold items judged right."""
    kappa: float | None = None
    """Cohen's kappa with the other reviewers on items that two have seen."""
    compared: int = 0
    """Items behind kappa."""


class QualityRead(Answer):
    """How reliable reviewing is."""

    reviewers: list[ReviewerQuality]
    kappa: float | None = None
    """Over all items that two reviewers have seen."""
    compared: int = 0
