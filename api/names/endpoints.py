"""`/names`: complete the prefix of an id."""

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
    """List at most nine objects by the prefix of their id. Users see their own scans only."""
    return Envelope[list[NamedRead]](data=service.beginning(ctx, kind, prefix, model_type))
