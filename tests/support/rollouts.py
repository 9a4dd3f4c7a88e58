"""Versions, specs and statuses for tests, with nothing in them that a test does not name."""

import hashlib
from typing import Any

from shield.crds.v1alpha1 import ModelRolloutSpec, VersionRef
from shield.labels import ModelType


def version(name: str) -> VersionRef:
    """Return a version whose digest follows from its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return VersionRef(name=name, digest=f"sha256:{digest}", uri=f"packages/sms/{digest}")


def spec(name: str = "sms-v1", **fields: Any) -> ModelRolloutSpec:
    """Return a spec that asks for the version `name`."""
    return ModelRolloutSpec(
        **{"model_type": ModelType.SMS, "version": version(name), "replicas": 1, **fields}
    )
