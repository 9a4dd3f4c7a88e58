"""`/feedback/stats` for people, `/metrics` for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy import func, select

from api.audit import heads
from api.drift import service as drift
from api.kit import counters, outbox
from api.kit.context import Services, StaffRead, get_services
from api.kit.database import read_only
from api.kit.queries import ModelTypeFilter
from api.known.service import busiest
from api.metrics import service
from api.runs import service as runs
from api.tables import IS_PENDING, Feedback
from shield.labels import ModelType
from shield.wire import DriftVerdict, Envelope, StatsRead

router = APIRouter(tags=["metrics"])
bare = APIRouter(tags=["health"])


@router.get("/feedback/stats")
def stats(ctx: StaffRead, model_type: ModelTypeFilter = None) -> Envelope[StatsRead]:
    """Return counts, true rates with intervals, the trend and the five metrics."""
    return Envelope[StatsRead](data=service.stats(ctx, model_type))


@bare.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(services: Annotated[Services, Depends(get_services)]) -> Response:
    """Return all metrics in the Prometheus text format. Contains no messages and no user names."""
    with services.sessions() as session:
        read_only(session)
        pending = session.scalar(select(func.count(Feedback.id)).where(IS_PENDING))
        failed = runs.latest_failed(session)
        head = heads.newest(session)
        looks = drift.latest_looks(session, list(ModelType))
        now = services.clock()
        matches, waiting = busiest(session, now), outbox.oldest(session, now)
    counters.PENDING.set(pending or 0)
    if head is not None:
        counters.AUDIT_ENTRIES.set(head[0])
        counters.AUDIT_HEAD.set(int(head[1][:13], 16))
    for model in ModelType:
        counters.KNOWN_BUSIEST.labels(model.value).set(matches.get(model.value, 0))
    counters.OUTBOX_WAITING.set(max(0.0, (now - waiting).total_seconds()) if waiting else 0.0)
    for (model_type, kind), fails in failed.items():
        counters.RUN_FAILED.labels(model_type, kind).set(float(fails))
    for look in looks:
        asks = look.verdict is DriftVerdict.RETRAIN
        counters.DRIFT.labels(look.model_type).set(float(asks))
        counters.DRIFT_LOOKED.labels(look.model_type).set(look.at.timestamp())
        for signal in look.signals:
            counters.DRIFT_EVIDENCE.labels(look.model_type, signal.name).set(signal.evidence)
    return Response(counters.exposition(), media_type="text/plain; version=0.0.4")
