"""How one InferenceService holds the versions that a rollout needs. Pure.

An InferenceService runs at most two revisions: the last one that was rolled out, and the latest.
`canaryTrafficPercent` is the latest one's share; without it the latest is rolled out, and becomes
what the next one is measured against. So of the versions that are wanted the serving one is the
base, and one more fits beside it: the candidate, or the version that an undo waits for, or the last
known good one in its guard window.

KServe rolls a revision out at 100 %, and then lets the one before go. Until the guard window is
over the share is therefore 99 at most: users are routed by the API, by revision, and notice nothing
of it; only callers of the InferenceService's own address do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shield.crds.v1alpha1 import ModelRollout, VersionRef

MOST = 99


@dataclass(frozen=True)
class Arrangement:
    """What the InferenceService should say."""

    latest: VersionRef | None
    """What its spec describes; None: whatever it describes now."""
    percent: int | None
    """Share of the latest; None rolls it out."""


@dataclass(frozen=True)
class Held:
    """What the InferenceService holds now. Versions by digest."""

    latest: str | None = None
    """What its spec describes; None: there is no InferenceService."""
    percent: int | None = None
    """Share of the latest; None: it is rolled out, or on its way there."""
    rolled_out: str | None = None
    """What KServe rolled out last; None: nothing yet, or it is not known."""


def arrange(rollout: ModelRollout, servers: Sequence[VersionRef], held: Held) -> Arrangement:
    """Return the next arrangement. Called again after each change, it comes to rest.

    Args:
        rollout: Whose split gives the candidate's share.
        servers: Versions to keep running, the most needed first; not empty.
        held: What is there.
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
