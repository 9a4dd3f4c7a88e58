"""Register and read versions, which are immutable."""

from sqlalchemy import func, select

from api.audit import service as audit
from api.kit.context import Context
from api.kit.database import lock
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.tables import Version
from shield.errors import AlreadyExists, NotFound
from shield.labels import ModelType
from shield.wire import Pagination, VersionRead, VersionRequest

FINAL = frozenset({"refused", "rejected", "rolled_back"})
"""Final statuses: no pipeline or operator can change them."""


def register(ctx: Context, model_type: ModelType, request: VersionRequest) -> VersionRead:
    """Register a package under a new version name. The same package keeps its name.

    Raises:
        NotFound: The parent is not registered.
        AlreadyExists: The digest is registered with other content.
    """
    lock(ctx.session, f"versions {model_type}")
    known = ctx.session.scalar(
        select(Version).where(
            Version.model_type == model_type.value, Version.digest == request.digest
        )
    )
    if known is not None:
        _same_or_refuse(known, request)
        return VersionRead.model_validate(known)
    parent = get(ctx, model_type, request.parent) if request.parent is not None else None
    number = 1 + (
        ctx.session.scalar(
            select(func.max(Version.number)).where(Version.model_type == model_type.value)
        )
        or 0
    )
    version = Version(
        name=f"{model_type}-v{number}",
        model_type=model_type.value,
        number=number,
        digest=request.digest,
        uri=request.uri,
        parent=request.parent,
        batches=request.batches,
        run_id=request.run_id,
        metrics=request.metrics,
        status=request.status,
        refusal=request.refusal,
        report_uri=request.report_uri,
        trained_at=request.trained_at,
        created_at=ctx.now,
        # What the parent has learned is in its child's weights.
        tainted=bool(parent and parent.tainted),
        taint_reason=(
            f"descends from {parent.name}: {parent.taint_reason}"
            if parent and parent.tainted
            else None
        ),
    )
    ctx.session.add(version)
    ctx.session.flush()
    audit.record(
        ctx,
        "version.register",
        version.name,
        request.refusal or "",
        digest=request.digest,
        status=request.status,
        run=request.run_id,
    )
    return VersionRead.model_validate(version)


def _same_or_refuse(known: Version, request: VersionRequest) -> None:
    """Check that a repeated registration is identical; a version is never overwritten."""
    differing = [
        name
        for name, old, new in (
            ("uri", known.uri, request.uri),
            ("parent", known.parent, request.parent),
            ("batches", sorted(known.batches), sorted(request.batches)),
            ("refused", known.refusal is not None, request.status == "refused"),
        )
        if old != new
    ]
    if differing:
        raise AlreadyExists(
            f"{known.name} has this digest already, with another {', '.join(differing)}. "
            "Versions are immutable: train again, or use the registered one.",
            version=known.name,
        )


def get(ctx: Context, model_type: ModelType, name: str) -> Version:
    """Return one version's row. Raises `NotFound`."""
    version = ctx.session.get(Version, name)
    if version is None or version.model_type != model_type.value:
        raise NotFound.of(
            f"{model_type} version", name, f"`shieldctl model list {model_type}` lists them."
        )
    return version


def page(
    ctx: Context, model_type: ModelType, paging: PageRequest
) -> tuple[list[VersionRead], Pagination]:
    """Return one page of versions, oldest first."""
    query = select(Version).where(Version.model_type == model_type.value)
    order = Sorted(Version.number, Version.name, kind=int)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return [VersionRead.model_validate(row) for row in rows], pagination


def champion(ctx: Context, model_type: ModelType) -> VersionRead:
    """Return the stable version. Raises `NotFound` if none is deployed."""
    stable = ctx.services.rollouts.get(model_type.value).status.stable
    if stable is None:
        raise NotFound(
            f"No {model_type} version serves yet. Roll one out with `shieldctl rollout start`."
        )
    return VersionRead.model_validate(get(ctx, model_type, stable.name))
