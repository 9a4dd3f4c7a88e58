"""What `desired_state` is given beside the spec and the status, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutStatus, VersionRef


@dataclass(frozen=True)
class ServerSeen:
    """The model servers of one version, as the cluster sees them."""

    ready: bool = False
    """They answer."""
    url: str | None = None
    """Where, once they have been ready."""
    crashes: int = 0
    """Abnormal ends since they were asked for."""
    refusal: str | None = None
    """Why the package must never be served, in the server's own words; final."""


ABSENT = ServerSeen()


@dataclass(frozen=True)
class Observed:
    """The world, as far as a decision depends on it."""

    now: datetime
    servers: Mapping[str, ServerSeen] = field(default_factory=dict)
    """By digest; a version without servers may be missing."""
    evidence: Evidence | None = None
    """The latest that the API has counted. None: nothing is known, which is not "no faults"."""
    generation: int = 1
    """Of the spec that is decided on."""

    def of(self, version: VersionRef) -> ServerSeen:
        """Return the servers of `version`."""
        return self.servers.get(version.digest, ABSENT)


@dataclass(frozen=True)
class Desired:
    """What should be."""

    servers: tuple[VersionRef, ...]
    """Versions to keep running, the most needed first; all others are retired."""
    status: ModelRolloutStatus
    """To be written before any server is touched: it holds the split, which is what users feel."""
