"""Pipeline runs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import NO_NUL, Answer, Facts, Note, RunId, VersionName

MANUAL, SCHEDULED = "manual", "schedule"
"""Triggers of a retraining: somebody has started it, or it was due."""


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
    trigger: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = MANUAL


class RunUpdate(Wire):
    """How a run went."""

    outcome: RunOutcome
    message: Note = ""
    version: VersionName | None = None
    report_uri: Annotated[str, Field(max_length=1024, pattern=NO_NUL)] | None = None
    steps: Facts | None = None
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
