"""Requests for rollouts and for changes of their policy."""

from typing import Annotated, Any

from pydantic import Field

from shield.crds.base import Wire
from shield.crds.v1alpha1 import Analysis, Step, Strategy
from shield.wire.base import Reason, VersionName


class RolloutPolicy(Wire):
    """Steps and acceptance criteria of a rollout, set by admins.

    Omitted members keep their current value.
    """

    strategy: Strategy | None = None
    steps: Annotated[list[Step], Field(min_length=1, max_length=20)] | None = None
    analysis: Analysis | None = None
    deadline_seconds: Annotated[float, Field(gt=0)] | None = None
    ready_timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    guard_seconds: Annotated[float, Field(ge=0)] | None = None
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
    reason: Reason | None = None

    @property
    def named(self) -> dict[str, Any]:
        """Return the given members by field name, without version and reason."""
        return self.model_dump(exclude_none=True, exclude={"version", "reason"})


class RolloutRequest(RolloutPolicy):
    """The version to roll out. The role `pipeline` may set only the version."""

    version: VersionName


class ReasonRequest(Wire):
    """A reason."""

    reason: Reason


class OptionalReasonRequest(Wire):
    """An optional reason."""

    reason: Reason | None = None
