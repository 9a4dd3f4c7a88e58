"""Read rollouts and change their specs."""

from collections.abc import Callable
from typing import Any

from api.kit.context import Context
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec
from shield.errors import NotFound, ShieldError
from shield.labels import ModelType


def get(ctx: Context, model_type: ModelType) -> ModelRollout:
    """Return one rollout. Raises `NotFound`."""
    return ctx.services.rollouts.get(model_type.value)


def find(ctx: Context, model_type: ModelType) -> ModelRollout | None:
    """Return the rollout of a model type, or `None` if there is none."""
    try:
        return ctx.services.rollouts.get(model_type.value)
    except NotFound:
        return None


def change_spec(
    ctx: Context,
    model_type: ModelType,
    change: Callable[[ModelRolloutSpec | None], ModelRolloutSpec],
) -> ModelRollout:
    """Change the spec of a rollout by a function of the present one; return the new rollout."""
    # The table store has a connection of its own: it could not write beside our write lock.
    if ctx.session.in_transaction():
        ctx.session.commit()
    try:
        return ctx.services.rollouts.change_spec(model_type.value, change)
    except ShieldError:
        ctx.session.rollback()
        raise


def updated(
    change: Callable[[ModelRolloutSpec], dict[str, Any]],
) -> Callable[[ModelRolloutSpec | None], ModelRolloutSpec]:
    """Return a change for `change_spec` that updates some fields of an existing spec.

    The change raises `NotFound` where there is no rollout yet.
    """

    def apply(spec: ModelRolloutSpec | None) -> ModelRolloutSpec:
        if spec is None:
            raise NotFound(
                "No version of this model type was ever rolled out. Roll one out with "
                "`shieldctl rollout start`."
            )
        return spec.model_copy(update=change(spec))

    return apply
