"""Compute the split: which versions answer, for the API. Pure."""

from typing import Any

from serving.operator import steps
from serving.operator.state import Observed
from shield.crds.v1alpha1 import (
    ModelRolloutSpec,
    ModelRolloutStatus,
    Split,
    Strategy,
    VersionRef,
)


def warm(status: ModelRolloutStatus, observed: Observed) -> bool:
    """Return whether the last known good version is kept running."""
    return status.guard_until is not None and observed.now < status.guard_until


def split_of(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> Split | None:
    """Return the split. Candidate and fallback are included only while their servers are ready."""
    stable = status.stable
    if stable is None:
        return None
    url = observed.of(stable).url or _known_address(status.split, stable)
    if url is None:
        return status.split
    return Split(
        stable=stable,
        stable_url=url,
        **_candidate_part(spec, status, observed),
        **_fallback_part(status, observed),
    )


def _candidate_part(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> dict[str, Any]:
    candidate, started = status.candidate, status.rollout_started
    if candidate is None or started is None or status.step_started is None:
        return {}
    if not observed.of(candidate).ready:
        return {}
    shadow = spec.strategy is Strategy.SHADOW
    return {
        "candidate": candidate,
        "candidate_url": observed.of(candidate).url,
        "weight": 0.0 if shadow else float(steps.weight(spec, status.step)),
        "shadow": shadow,
        # Another salt with each trial: no user is always the first to meet a new version.
        "salt": f"{candidate.digest[7:19]}-{started.isoformat()}",
    }


def _fallback_part(status: ModelRolloutStatus, observed: Observed) -> dict[str, Any]:
    fallback = status.last_known_good
    if fallback is None or not warm(status, observed) or not observed.of(fallback).ready:
        return {}
    return {"fallback": fallback, "fallback_url": observed.of(fallback).url}


def _known_address(split: Split | None, version: VersionRef) -> str | None:
    """Return a version's address from the status, until its servers are observed again."""
    if split is None:
        return None
    parts = (
        (split.stable, split.stable_url),
        (split.candidate, split.candidate_url),
        (split.fallback, split.fallback_url),
    )
    return next((url for known, url in parts if known and known.digest == version.digest), None)
