"""What a spec may not become. The CRD says the same in CEL; here it is for the table."""

from pydantic import ValidationError

from shield.crds.v1alpha1 import (
    ModelRollout,
    ModelRolloutSpec,
    ModelRolloutStatus,
    Split,
    VersionRef,
)
from shield.errors import Invalid, VersionRejected


def split_in_force(rollout: ModelRollout) -> Split | None:
    """Return who answers users now: the split, or what was just asked for will make of it.

    An undo, or the end of a trial, must not wait for the operator, who may be busy or gone: whoever
    routes acts on the request itself. The operator then comes to the same split and writes it down.
    Where the last known good version is not warm, users stay where they are until it is.
    """
    spec, status = rollout.spec, rollout.status
    split = status.split
    if split is None:
        return None
    alone = Split(
        stable=split.stable,
        stable_url=split.stable_url,
        fallback=split.fallback,
        fallback_url=split.fallback_url,
    )
    if spec.undo is None or spec.undo == status.undone:
        given_up = status.candidate is not None and status.candidate.digest == spec.abort
        return alone if given_up else split
    if status.candidate is not None:
        return alone
    target = status.last_known_good
    if target is None or split.fallback is None or split.fallback_url is None:
        return split
    if split.fallback.digest != target.digest:
        return split
    return Split(stable=split.fallback, stable_url=split.fallback_url)


def not_begun(spec: ModelRolloutSpec, status: ModelRolloutStatus) -> VersionRef | None:
    """Return the new version that was asked for and whose trial has not begun, if there is one."""
    if status.stable is None or status.candidate is not None:
        return None
    others = {version.digest for version in (status.stable, *status.good, *status.rejected)}
    return None if spec.version.digest in {*others, spec.abort} else spec.version


def is_rejected(status: ModelRolloutStatus, version: VersionRef) -> bool:
    """Tell whether `version` was rejected or taken back; names may differ, the digest decides."""
    return any(version.digest == rejected.digest for rejected in status.rejected)


def rejected_version(rollout: str, version: str) -> VersionRejected:
    """Return the error for asking again for a version that was taken back."""
    return VersionRejected(
        f"Version {version} was rejected or taken back in the rollout {rollout!r} and is not "
        "proposed again. Register a new version, go back further with `shieldctl rollout undo`, or "
        "stand for it with `shieldctl model reinstate`.",
        version=version,
    )


def checked_change(current: ModelRollout | None, name: str, spec: ModelRolloutSpec) -> None:
    """Refuse a spec that must not follow the present one.

    Raises:
        Invalid: The model type changes, or the spec as a whole does not hold.
        VersionRejected: The version was rejected or taken back before.
    """
    try:
        # A changed copy of a model is not validated by pydantic; what is stored always is.
        ModelRolloutSpec.model_validate(spec.model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Invalid(
            f"The rollout {name!r} cannot be changed: {field}: {first['msg']}. Correct that field."
        ) from error
    if current is None:
        return
    if current.spec.model_type is not spec.model_type:
        raise Invalid(
            f"The rollout {name!r} is for {current.spec.model_type} models, and that never "
            f"changes. Create another rollout for {spec.model_type}."
        )
    if current.spec.version.digest != spec.version.digest and is_rejected(
        current.status, spec.version
    ):
        raise rejected_version(name, spec.version.name)
