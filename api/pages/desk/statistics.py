"""`/review/statistics`: the five metrics, true rates, and figures of versions and reviewers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.device.service import versions as on_phones
from api.drift.service import latest_looks
from api.kit.context import Context
from api.metrics import service
from api.metrics.history import history
from api.pages.desk.models import all_versions
from api.pages.desk.pages import read_model, render
from api.pages.measures import Measure, measure
from api.pages.visitor import Reading, Who
from api.review.quality import quality
from shield.labels import ModelType
from shield.metrics import wilson_interval
from shield.wire import DriftLook, DriftSignal, DriftVerdict, VersionStats, VersionStatus

router = APIRouter(prefix="/review/statistics")

TYPES = list(ModelType)
_SAYS = {
    DriftVerdict.RETRAIN: ("retrain", "bad"),
    DriftVerdict.STEADY: ("steady", "good"),
    DriftVerdict.CANNOT_TELL: ("cannot tell", "plain"),
}
_ACCEPTED = {VersionStatus.DEPLOYED, VersionStatus.RETIRED, VersionStatus.TESTING}


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    model: Annotated[ModelType | None, Depends(read_model)],
) -> Response:
    """Show the statistics of all model types or of one."""
    stats = service.stats(ctx, model)
    past = history(ctx.session, ctx.now, model)
    served = [
        version
        for version in all_versions(ctx, model or ModelType.SMS)
        if version.status in _ACCEPTED and "goldenRecall" in version.metrics
    ]
    versions = [_rated(row) for row in stats.by_version]
    return render(
        request,
        visitor,
        "statistics.html",
        model=model,
        stats=stats,
        metrics=[measure(metric, past.get(metric.name, [])) for metric in stats.metrics],
        by_type={} if model else _by_type(ctx),
        versions=versions,
        phones=[
            (each, row) for each in ([model] if model else TYPES) for row in on_phones(ctx, each)
        ],
        ceiling=max([0.01, *(row.high for row in versions if row.seen.scans)]),
        gains=served if len(served) > 1 else [],
        gains_of=model or ModelType.SMS,
        quality=quality(ctx),
        looks=[Looked.of(look) for look in latest_looks(ctx.session, [model] if model else TYPES)],
    )


def _by_type(ctx: Context) -> dict[ModelType, list[Measure]]:
    """Return the five metrics by model type."""
    since = ctx.now - timedelta(days=service.WINDOW_DAYS)
    return {
        model_type: [measure(metric) for metric in service.five(ctx, since, model_type)]
        for model_type in ModelType
    }


@dataclass(frozen=True)
class Rated:
    """A version's counts, with rates to compare it with others."""

    seen: VersionStats
    reported: float | None
    """Reports per 1,000 scans."""
    errors: float | None
    """Confirmed errors per scan, with the 95 % interval."""
    low: float
    high: float


def _rated(row: VersionStats) -> Rated:
    low, high = wilson_interval(row.verdict_errors, row.scans)
    if row.scans == 0:
        return Rated(row, None, None, low, high)
    return Rated(row, 1000 * row.reports / row.scans, row.verdict_errors / row.scans, low, high)


@dataclass(frozen=True)
class Looked:
    """The latest drift check of one model type, prepared for the page."""

    look: DriftLook
    verdict: tuple[str, str]
    signals: list[tuple[DriftSignal, tuple[str, str]]]

    @classmethod
    def of(cls, look: DriftLook) -> "Looked":
        """Prepare a drift check for the page."""
        rows = [(signal, _SAYS[signal.says]) for signal in look.signals]
        return cls(look, _SAYS[look.verdict], rows)
