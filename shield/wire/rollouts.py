"""Asking for versions, and saying how they meet their users."""

from typing import Annotated, Any

from pydantic import Field

from shield.crds.base import Wire
from shield.crds.v1alpha1 import Analysis, Step, Strategy
from shield.wire.base import Reason, VersionName


class RolloutPolicy(Wire):
    """How versions meet their users, and what they are judged by; it is the owner's to say.

    Members left out keep their present value.
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
        """Return the members that are given, but for version and reason, by their field names."""
        return self.model_dump(exclude_none=True, exclude={"version", "reason"})


class RolloutRequest(RolloutPolicy):
    """What should serve. Whoever has the role `pipeline` names the version alone."""

    version: VersionName


class ReasonRequest(Wire):
    """Why."""

    reason: Reason


class OptionalReasonRequest(Wire):
    """Why, if one wants to say."""

    reason: Reason | None = None
