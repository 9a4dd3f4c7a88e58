"""`/metrics` for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import func, select

from api.feedback.models import Feedback
from api.kit.context import Services, get_services
from api.kit.database import read_only
from api.metrics import prometheus

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(services: Annotated[Services, Depends(get_services)]) -> Response:
    """Return all metrics in the text format of Prometheus. They hold no message and no name."""
    with services.sessions() as session:
        read_only(session)
        pending = session.scalar(select(func.count()).where(Feedback.status == "pending"))
    prometheus.PENDING.set(pending or 0)
    return Response(prometheus.exposition(), media_type="text/plain; version=0.0.4")
