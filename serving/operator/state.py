"""Inputs of `desired_state` besides spec and status, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutStatus, VersionRef


@dataclass(frozen=True)
class ServerSeen:
    """The observed model servers of one version."""

    ready: bool = False
    """Whether they answer."""
    url: str | None = None
    """Address, once they have been ready."""
    crashes: int = 0
    """Crashes since they were first requested."""
    refusal: str | None = None
    """The server's message why the package must never be served; final."""


ABSENT = ServerSeen()


@dataclass(frozen=True)
class Observed:
    """All observations that a decision depends on."""

    now: datetime
    servers: Mapping[str, ServerSeen] = field(default_factory=dict)
    """Servers by digest; versions without servers may be missing."""
    evidence: Evidence | None = None
    """Latest evidence from the API. None: unknown, which is not "no faults"."""
    generation: int = 1
    """Generation of the spec."""

    def of(self, version: VersionRef) -> ServerSeen:
        """Return the servers of `version`."""
        return self.servers.get(version.digest, ABSENT)


@dataclass(frozen=True)
class Desired:
    """The desired state of a rollout."""

    servers: tuple[VersionRef, ...]
    """Versions to keep running, the most important first; all others are retired."""
    status: ModelRolloutStatus
    """Status to write before any server changes, since it contains the split."""
