"""Model versions and the promotion ledger."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from shield.crds.base import Wire
from shield.crds.v1alpha1 import Transition, VersionRef
from shield.labels import ModelType
from shield.wire.base import NO_NUL, Answer, Digest, Facts, Identifier, Note, RunId, VersionName


class VersionStatus(StrEnum):
    """Status of a version."""

    CANDIDATE = "candidate"
    """Passed the gates; may be rolled out."""
    REFUSED = "refused"
    """A gate refused it; kept for the record."""
    TESTING = "testing"
    """Candidate of a running rollout."""
    DEPLOYED = "deployed"
    """The stable version."""
    RETIRED = "retired"
    """Former stable version, replaced by a newer one."""
    REJECTED = "rejected"
    """Rejected during its rollout."""
    ROLLED_BACK = "rolled_back"
    """Former stable version, taken back."""


class VersionRequest(Wire):
    """A trained model package to register."""

    digest: Digest
    uri: Annotated[str, Field(min_length=1, max_length=1024, pattern=NO_NUL)]
    parent: VersionName | None = None
    batches: list[Identifier] = Field(default=[], max_length=1000)
    """All batches in the training data."""
    run_id: RunId | None = None
    metrics: Facts = {}
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
    """Whether it was trained on messages later found to be poisoned."""
    taint_reason: str | None = None

    @property
    def ref(self) -> VersionRef:
        """Return the reference of the version in rollouts."""
        return VersionRef(name=self.name, digest=self.digest, uri=self.uri)


class LedgerEntry(Answer):
    """One entry of the promotion ledger."""

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
    """A transition reported by the operator."""

    rollout_uid: Identifier
    reason: Annotated[str, Field(max_length=2048, pattern=NO_NUL)]
    sequence: Annotated[int, Field(ge=0, le=2**31 - 1)]
