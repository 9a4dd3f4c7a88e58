"""Versions, specs and statuses for tests, with nothing in them that a test does not name."""

import hashlib
from collections.abc import Callable
from typing import Any

from shield.crds.v1alpha1 import Analysis, ModelRollout, ModelRolloutSpec, VersionRef
from shield.labels import ModelType
from tests.support.waiting import wait_until


def version(name: str) -> VersionRef:
    """Return a version whose digest follows from its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return VersionRef(name=name, digest=f"sha256:{digest}", uri=f"packages/sms/{digest}")


def spec(name: str = "sms-v1", **fields: Any) -> ModelRolloutSpec:
    """Return a spec that asks for the version `name`, without asking for proof that it is good."""
    given = {"model_type": ModelType.SMS, "version": version(name), "replicas": 1}
    given["analysis"] = Analysis(error_budget=1.0)
    return ModelRolloutSpec(**{**given, **fields})


def until(
    get: Callable[[], ModelRollout],
    holds: Callable[[ModelRollout], bool],
    logs: Callable[[], str],
) -> ModelRollout:
    """Wait for a state of a rollout; where it never comes, tell the last one and the logs."""
    found = get()

    def look() -> bool:
        nonlocal found
        found = get()
        return holds(found)

    wait_until(look, lambda: (found.status.model_dump_json(), logs()), pause_seconds=0.01)
    return found
