"""Asking for versions."""

from typing import Annotated

from pydantic import Field

from shield.crds.v1alpha1 import Analysis, Step, Strategy, Wire
from shield.wire.base import Reason, VersionName


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
