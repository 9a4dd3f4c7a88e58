"""Records of training runs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import NO_NUL, Answer, Facts, Note, RunId, VersionName

MANUAL, SCHEDULED = "manual", "schedule"
"""Triggers of a retraining: started by a person, or by schedule."""


class RunOutcome(StrEnum):
    """Outcome of a run. Refusals and skips are not failures."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"


class RunRequest(Wire):
    """The start, or restart, of a run."""

    run_id: RunId
    model_type: ModelType
    engine: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = "local"
    trigger: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = MANUAL


class RunUpdate(Wire):
    """Progress or outcome of a run."""

    outcome: RunOutcome
    message: Note = ""
    version: VersionName | None = None
    report_uri: Annotated[str, Field(max_length=1024, pattern=NO_NUL)] | None = None
    steps: Facts | None = None
    """Facts by step name, e.g. `{"seconds": 12.3}`."""


class RunRead(Answer):
    """One training run."""

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
