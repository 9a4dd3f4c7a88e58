"""`/models/versions|history|rollback|deploy` in the first design's wire form.

Served without a prefix as in the first design, and in the envelope under `/api/v2`. Unlike the
first design they require authentication and a reason, and a rollback is not recorded as a deploy.
"""

import time
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import select

from api.kit.context import AdminWrite, Context, StaffRead
from api.kit.idempotency import IdempotencyKey, once_beyond
from api.registry import service
from api.rollouts import changing, proposing
from api.rollouts import service as rollouts
from api.tables import LedgerRow, Version
from shield.crds.base import Wire
from shield.errors import Conflict
from shield.labels import ModelType
from shield.wire import Answer, Envelope, RolloutRequest

router = APIRouter(prefix="/models", tags=["registry"])
bare = APIRouter(prefix="/models", tags=["registry (first design)"])

_SETTLE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_STATUS = {
    "candidate": "testing",
    "testing": "testing",
    "deployed": "deployed",
    "retired": "testing",
    "refused": "rejected",
    "rejected": "rejected",
    "rolled_back": "rolled_back",
}
"""Status; `testing` is a version that is not, or not fully, in service."""
_ACTION = {"install": "deploy", "promote": "deploy", "undo": "rollback"}

VersionName = Annotated[
    str | None,
    Query(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63, description="A version."),
]
Why = Annotated[str, Query(min_length=1, max_length=1024, description="Why; kept in the log.")]


class _Snake(Answer):
    model_config = {**Answer.model_config, "alias_generator": None}


class SeedVersion(_Snake):
    """A version in the first design's form."""

    model_type: ModelType
    version: str
    model_path: str
    metrics: dict[str, Any]
    trained_at: datetime | None
    deployed_at: datetime | None
    status: Literal["training", "testing", "deployed", "rolled_back", "rejected"]
    feedback_batch: str | None


class SeedModel(_Snake):
    """All versions of a model type."""

    deployed: SeedVersion | None
    all: list[SeedVersion]


class SeedEvent(_Snake):
    """One entry of the history."""

    action: str
    model_type: ModelType
    version: str
    previous_version: str | None
    timestamp: datetime
    actor: str
    reason: str


class Serving(_Snake):
    """The serving version after a rollback or a deploy."""

    success: Literal[True] = True
    message: str = ""
    model_type: ModelType
    version: str | None
    """The stable version."""
    candidate: str | None = None


class _Change(Wire):
    """The request as `Idempotency-Key` compares it."""

    model_type: ModelType
    version: str | None
    reason: str


def versions_by_type(ctx: Context) -> dict[str, SeedModel]:
    """Return every model type with its deployed version and all versions, newest first."""
    models = {kind.value: SeedModel(deployed=None, all=[]) for kind in ModelType}
    for row in ctx.session.scalars(select(Version).order_by(Version.number.desc())):
        shown = SeedVersion(
            model_type=ModelType(row.model_type),
            version=row.name,
            model_path=row.uri,
            metrics=row.metrics,
            trained_at=row.trained_at,
            deployed_at=row.deployed_at,
            status=_STATUS[row.status],  # type: ignore[arg-type]
            feedback_batch=row.batches[-1] if row.batches else None,
        )
        model = models[row.model_type]
        model.all.append(shown)
        if row.status == "deployed":
            model.deployed = shown
    return models


def history(ctx: Context, model_type: ModelType | None) -> list[SeedEvent]:
    """Return the history, newest first, at most a thousand entries.

    A rollback names the version that serves again as `version`, as the first design did.
    """
    query = select(LedgerRow).order_by(LedgerRow.id.desc()).limit(1000)
    if model_type is not None:
        query = query.where(LedgerRow.model_type == model_type.value)
    events = []
    for row in ctx.session.scalars(query):
        now, before = row.version, row.previous_version
        if row.action == "undo":
            now, before = before or "", now
        events.append(
            SeedEvent(
                action=_ACTION.get(row.action, row.action),
                model_type=ModelType(row.model_type),
                version=now,
                previous_version=before,
                timestamp=row.at,
                actor=row.actor,
                reason=row.reason,
            )
        )
    return events


def roll_back(ctx: Context, change: _Change) -> Serving:
    """Return to the last known good version, or to the named one.

    Raises:
        NotFound: No version of the model type is deployed, or the version is not registered.
        VersionRejected: The version was taken back before.
        Conflict: The version never served, or there is no version to return to.
    """
    present = changing.get(ctx, change.model_type)
    status = present.status
    good = status.last_known_good
    if change.version is None or (good is not None and change.version == good.name):
        changed = rollouts.undo(ctx, change.model_type, change.reason)
        return _settled(ctx, change.model_type, changed.spec.undo)
    stable = status.stable.name if status.stable else None
    if change.version == stable and status.candidate is None:
        return _serving(ctx, change.model_type)
    service.get(ctx, change.model_type, change.version)
    request = RolloutRequest(version=change.version, reason=change.reason)
    if change.version not in {version.name for version in status.good}:
        # Asking tells the better reason first: rejected, refused, tainted.
        proposing.may_roll_out(ctx, change.model_type, change.version)
        raise Conflict(
            f"{change.version} never served as the stable version, so it cannot be rolled back to. "
            "Deploy it instead."
        )
    proposing.request(ctx, change.model_type, request)
    return _settled(ctx, change.model_type, None)


def _settled(ctx: Context, model_type: ModelType, token: str | None) -> Serving:
    """Wait briefly for the operator, so that the response names the serving version."""
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        status = ctx.services.rollouts.get(model_type.value).status
        if token is not None and status.undone == token:
            break
        time.sleep(_LOOK_SECONDS)
    return _serving(ctx, model_type)


def _serving(ctx: Context, model_type: ModelType) -> Serving:
    status = ctx.services.rollouts.get(model_type.value).status
    return Serving(
        model_type=model_type,
        version=status.stable.name if status.stable else None,
        candidate=status.candidate.name if status.candidate else None,
    )


def deploy(ctx: Context, change: _Change) -> Serving:
    """Request a rollout of a version. Raises as `request`."""
    assert change.version is not None
    request = RolloutRequest(version=change.version, reason=change.reason)
    proposing.request(ctx, change.model_type, request)
    return _serving(ctx, change.model_type)


def _once(ctx: Context, route: str, key: str | None, change: _Change) -> Serving:
    work = roll_back if route.endswith("rollback") else deploy
    return once_beyond(
        ctx, route=route, key=key, body=change, kind=Serving, work=lambda: work(ctx, change)
    )


@bare.get("/versions")
def bare_versions(ctx: StaffRead) -> dict[str, SeedModel]:
    """Return all versions by model type."""
    return versions_by_type(ctx)


@router.get("/versions")
def all_versions(ctx: StaffRead) -> Envelope[dict[str, SeedModel]]:
    """Return all versions by model type."""
    return Envelope[dict[str, SeedModel]](data=versions_by_type(ctx))


ModelTypeName = Annotated[
    ModelType | None, Query(alias="model_type", description="Only this model type.")
]


@bare.get("/history")
def bare_history(ctx: StaffRead, model_type: ModelTypeName = None) -> list[SeedEvent]:
    """Return what happened, newest first."""
    return history(ctx, model_type)


@router.get("/history")
def all_history(ctx: StaffRead, model_type: ModelTypeName = None) -> Envelope[list[SeedEvent]]:
    """Return what happened, newest first."""
    return Envelope[list[SeedEvent]](data=history(ctx, model_type))


@bare.post("/rollback")
@router.post("/rollback")
def rollback(
    ctx: AdminWrite,
    model_type: ModelType,
    reason: Why,
    version: VersionName = None,
    key: IdempotencyKey = None,
) -> Serving:
    """Return to the last known good version, or to the named one."""
    change = _Change(model_type=model_type, version=version, reason=reason)
    return _once(ctx, "POST /models/rollback", key, change)


@bare.post("/deploy")
@router.post("/deploy")
def deploy_version(
    ctx: AdminWrite,
    model_type: ModelType,
    version: Annotated[str, Query(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63)],
    reason: Why,
    key: IdempotencyKey = None,
) -> Serving:
    """Request a rollout of a version."""
    change = _Change(model_type=model_type, version=version, reason=reason)
    return _once(ctx, "POST /models/deploy", key, change)
