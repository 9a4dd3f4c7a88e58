"""`/review/models`: versions, their lineage and comparisons."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.kit.context import Context
from api.kit.paging import MAX_LIMIT, PageRequest, decode
from api.kit.paths import VersionPath
from api.kit.tokens import Role
from api.pages import figures
from api.pages.comparison import drawn
from api.pages.desk.pages import read_model, render, report
from api.pages.visitor import CheckedForm, Reading, Who, Writing
from api.privacy import lineage
from api.registry import comparison
from api.registry import ledger as promotions
from api.registry import service as registry
from api.rollouts import changing, proposing
from shield.labels import ModelType
from shield.wire import RolloutRequest, VersionRead

router = APIRouter(prefix="/review/models")

Reason = Annotated[str, Form(min_length=1, max_length=1024)]


@dataclass
class Node:
    """A version in the family tree."""

    version: VersionRead
    new_batches: list[str]
    """Batches that the version was trained on and its parent was not."""
    children: list["Node"] = field(default_factory=list)


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    model: Annotated[ModelType | None, Depends(read_model)],
) -> Response:
    """Show the versions of a model type."""
    chosen = model or ModelType.SMS
    versions = all_versions(ctx, chosen)
    ledger, _ = promotions.page(ctx, chosen, PageRequest(MAX_LIMIT, 1, None))
    rollout = changing.find(ctx, chosen)
    stable = rollout.status.stable if rollout else None
    return render(
        request,
        visitor,
        "models.html",
        model=chosen,
        versions=versions[::-1],
        champion=stable.name if stable else None,
        lineage=family(versions),
        ledger=ledger[::-1],
    )


Name = Annotated[str, Query(max_length=63)]


@router.get("/{model_type}/compare")
def compared(
    request: Request, model_type: ModelType, visitor: Who, ctx: Reading, old: Name, new: Name
) -> Response:
    """Show two versions side by side, on the messages that both were evaluated on."""
    result = comparison.between(ctx, model_type, old, new)
    return render(
        request,
        visitor,
        "compare.html",
        model=model_type,
        versions=all_versions(ctx, model_type)[::-1],
        found=result,
        drawn=drawn(result),
    )


@router.get("/{model_type}/{name}")
def one(
    request: Request, model_type: ModelType, name: VersionPath, visitor: Who, ctx: Reading
) -> Response:
    """Show one version."""
    version = VersionRead.model_validate(registry.get(ctx, model_type, name))
    shown = figures.read(version.metrics)
    children = [one for one in all_versions(ctx, model_type) if one.parent == version.name]
    return render(
        request,
        visitor,
        "version.html",
        model=model_type,
        version=version,
        children=children,
        shown=shown,
    )


@router.get("/{model_type}/{name}/report")
def evaluation_report(
    model_type: ModelType, name: VersionPath, visitor: Who, ctx: Reading
) -> Response:
    """Show the evaluation report of a version."""
    version = registry.get(ctx, model_type, name)
    return report(ctx, version.report_uri, version.name)


@router.post("/{model_type}/{name}/rollout", dependencies=[CheckedForm])
def roll_out(model_type: ModelType, name: VersionPath, ctx: Writing, reason: Reason) -> Response:
    """Request a rollout of a version (admins)."""
    ctx.principal.require(Role.ADMIN)
    proposing.request(ctx, model_type, RolloutRequest(version=name, reason=reason))
    return RedirectResponse("/review/rollouts", 303)


@router.post("/{model_type}/{name}/taint", dependencies=[CheckedForm])
def taint(model_type: ModelType, name: VersionPath, ctx: Writing, reason: Reason) -> Response:
    """Taint a version and its descendants, so that none is proposed again (admins)."""
    ctx.principal.require(Role.ADMIN)
    lineage.taint(ctx, model_type, name, reason)
    return RedirectResponse(f"/review/models/{model_type}/{name}", 303)


def all_versions(ctx: Context, model_type: ModelType) -> list[VersionRead]:
    """Return the newest thousand versions of a model type, oldest first."""
    versions: list[VersionRead] = []
    cursor = None
    while len(versions) < 1000:
        rows, pagination = registry.page(ctx, model_type, PageRequest(MAX_LIMIT, 1, cursor))
        versions += rows
        if pagination.next_cursor is None:
            break
        cursor = decode(pagination.next_cursor)
    return versions


def family(versions: list[VersionRead]) -> list[Node]:
    """Return the roots of the family tree; a version whose parent is unknown is a root."""
    batches = {version.name: set(version.batches) for version in versions}
    nodes = {
        version.name: Node(
            version,
            [one for one in version.batches if one not in batches.get(version.parent or "", ())],
        )
        for version in versions
    }
    roots: list[Node] = []
    for node in nodes.values():
        parent = nodes.get(node.version.parent or "")
        (parent.children if parent else roots).append(node)
    return roots
