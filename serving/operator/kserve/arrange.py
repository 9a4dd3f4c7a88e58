"""Arrange the versions of a rollout in one InferenceService. Pure.

An InferenceService runs at most two revisions: the last one rolled out, and the latest.
`canaryTrafficPercent` is the latest one's share; without it the latest is rolled out and becomes
the base of the next. So the serving version is the base, and one more version fits beside it: the
candidate, the version that an undo waits for, or the last known good one in its guard window.

At 100 % KServe rolls a revision out and removes the previous one. Therefore the share is at most 99
until the end of the guard window. The API routes users by revision, so that this affects only
callers of the InferenceService's own address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shield.crds.v1alpha1 import ModelRollout, VersionRef

MOST = 99


@dataclass(frozen=True)
class Arrangement:
    """The desired content of the InferenceService."""

    latest: VersionRef | None
    """Version in the spec; None: unchanged."""
    percent: int | None
    """Share of the latest revision, in percent; None rolls it out."""


@dataclass(frozen=True)
class Held:
    """The current content of the InferenceService, versions by digest."""

    latest: str | None = None
    """Version in the spec; None: there is no InferenceService."""
    percent: int | None = None
    """Share of the latest revision, in percent; None: it is, or is being, rolled out."""
    rolled_out: str | None = None
    """Version rolled out last; None: none yet, or unknown."""


def arrange(rollout: ModelRollout, servers: Sequence[VersionRef], held: Held) -> Arrangement:
    """Return the next arrangement. Repeated calls after each change converge.

    Args:
        rollout: The rollout; its split gives the candidate's share.
        servers: Versions to keep running, the most important first; not empty.
        held: The current content.
    """
    base, beside = servers[0], _beside(rollout, servers)
    rolled_out = held.rolled_out == base.digest
    if held.latest is None:
        return Arrangement(base, None)
    if beside is None:
        if held.latest == base.digest or not rolled_out:
            return Arrangement(base, None)
        # What was taken back answers nobody from now on; the next version replaces it.
        return Arrangement(None, 0)
    if held.latest == beside.digest and (rolled_out or held.rolled_out is None):
        return Arrangement(beside, _share(rollout, beside))
    if held.latest == base.digest and held.percent is not None:
        # The base was promoted. The version before it is kept while it is wanted. Otherwise the
        # roll-out is finished first: only what is rolled out stays when another version comes.
        return Arrangement(base, MOST if held.rolled_out == beside.digest else None)
    if rolled_out:
        return Arrangement(beside, _share(rollout, beside))
    return Arrangement(base, None)


def _beside(rollout: ModelRollout, servers: Sequence[VersionRef]) -> VersionRef | None:
    candidate = rollout.status.candidate
    if candidate is not None and any(one.digest == candidate.digest for one in servers[1:]):
        return candidate
    return servers[1] if len(servers) > 1 else None


def _share(rollout: ModelRollout, version: VersionRef) -> int:
    split = rollout.status.split
    if split is None or split.candidate is None or split.candidate.digest != version.digest:
        return 0
    return min(MOST, round(split.weight))
