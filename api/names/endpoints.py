"""`/names`: what an id that was not typed to its end stands for."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.kit.context import AnyRead
from api.kit.queries import ModelTypeFilter
from api.names import service
from shield.wire import Envelope, NamedKind, NamedRead

router = APIRouter(prefix="/names", tags=["names"])

Prefix = Annotated[
    str,
    Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$", description="How the id begins."),
]


@router.get("/{kind}")
def names(
    kind: NamedKind, prefix: Prefix, ctx: AnyRead, model_type: ModelTypeFilter = None
) -> Envelope[list[NamedRead]]:
    """List what has an id that begins so, nine at most: one's own scans; the rest for reviewers."""
    return Envelope[list[NamedRead]](data=service.beginning(ctx, kind, prefix, model_type))
