"""Count the verdicts of phones without their texts, and judge reported messages again."""

from functools import partial

from anyio.from_thread import run as run_async
from sqlalchemy import case, func, select

from api.device.releases import check_released
from api.feedback import service as feedback
from api.kit.context import Context
from api.kit.counters import DEVICE_REPORTS, DEVICE_SCANS
from api.kit.idempotency import once, once_beyond
from api.kit.ids import new_id
from api.kit.writes import Writes
from api.scans import service as scans
from api.tables import DeviceTally, Scan
from shield.errors import UnknownLabel
from shield.labels import LABELS, MODEL_OF_SCAN, ModelType, ScanType, claim_of
from shield.reasons import Reader
from shield.wire import (
    KEPT_SHARE,
    DeviceAnswer,
    DeviceCounts,
    DeviceReport,
    DeviceReportRead,
    DeviceVersionCounts,
    FeedbackRequest,
    ScanRequest,
)


def count(ctx: Context, scan_type: ScanType, counts: DeviceCounts, key: str | None) -> DeviceCounts:
    """Store one count, by day and without the user.

    Raises:
        Invalid: The version was never released to phones.
    """
    model_type = MODEL_OF_SCAN[scan_type]
    check_released(ctx, model_type, counts.version)

    def work(writes: Writes) -> DeviceCounts:
        said = {each: getattr(counts, each.value) for each in DeviceAnswer}
        writes.add(
            DeviceTally,
            id=new_id(ctx.now),
            model_type=model_type.value,
            version=counts.version,
            day=ctx.now.date(),
            **{answer.value: number for answer, number in said.items()},
        )
        for answer, number in said.items():
            labels = DEVICE_SCANS.labels(model_type.value, counts.version, answer.value)
            ctx.after_commit.append(partial(labels.inc, number))
        return counts

    route = f"POST /device/{scan_type}/counts"
    return once(ctx, route=route, key=key, body=counts, kind=DeviceCounts, work=work)


def report(
    ctx: Context, request: DeviceReport, key: str | None, reader: Reader
) -> DeviceReportRead:
    """Judge a reported message on the server, store it as a scan, and store the report on it.

    Raises:
        UnknownLabel: A label does not belong to the scan type.
        Invalid: The version was never released to phones.
        Unavailable: No model server answers, or the first request with the key is still running;
            the phone keeps the report and retries later.
    """
    model_type = MODEL_OF_SCAN[request.scan_type]
    labels = LABELS[model_type]
    for label in (request.actual_label, request.device.verdict):
        if label not in labels:
            raise UnknownLabel(label, model_type, labels)
    check_released(ctx, model_type, request.device.version)
    return once_beyond(
        ctx,
        route="POST /device/reports",
        key=key,
        body=request,
        kind=DeviceReportRead,
        work=lambda: _report(ctx, request, reader),
    )


def _report(ctx: Context, request: DeviceReport, reader: Reader) -> DeviceReportRead:
    asked = ScanRequest(scan_type=request.scan_type, text=request.text, device=request.device)
    # No transaction stays open meanwhile: the scan is written by one of its own.
    ctx.finish()
    judge = partial(scans.scan, picked=True)
    scan = run_async(judge, ctx.services, ctx.principal, asked, None, reader)
    said = FeedbackRequest(
        scan_id=scan.id,
        feedback_type=claim_of(scan.model_type, scan.verdict, request.actual_label),
        actual_label=request.actual_label,
        comment=request.comment,
    )
    taken = feedback.submit(ctx.fresh(), said, None)
    agrees = scan.model_verdict == request.device.verdict
    counter = DEVICE_REPORTS.labels(
        scan.model_type.value, request.device.version, "yes" if agrees else "no"
    )
    ctx.after_commit.append(counter.inc)
    return DeviceReportRead(
        scan_id=scan.id,
        verdict=scan.verdict,
        model_version=scan.model_version,
        agrees=agrees,
        feedback_id=taken.id,
    )


def versions(ctx: Context, model_type: ModelType) -> list[DeviceVersionCounts]:
    """Return the counts of each version on phones, newest first."""
    sums = [func.sum(getattr(DeviceTally, each.value)) for each in DeviceAnswer]
    tallies = {
        row[0]: [int(each) for each in row[1:]]
        for row in ctx.session.execute(
            select(DeviceTally.version, *sums)
            .where(DeviceTally.model_type == model_type.value)
            .group_by(DeviceTally.version)
        )
    }
    again = {
        row[0]: (int(row[1]), int(row[2] or 0))
        for row in ctx.session.execute(
            select(
                Scan.device_version,
                func.count(),
                func.sum(case((Scan.device_verdict != Scan.verdict, 1), else_=0)),
            )
            .where(Scan.model_type == model_type.value, Scan.device_version.is_not(None))
            .group_by(Scan.device_version)
        )
    }
    return [
        DeviceVersionCounts(
            version=version,
            scans=sum(tallies.get(version, [])),
            shares=_shares(tallies[version]) if version in tallies else None,
            judged_again=again.get(version, (0, 0))[0],
            disagreed=again.get(version, (0, 0))[1],
        )
        for version in sorted({*tallies, *again}, reverse=True)
    ]


def _shares(counted: list[int]) -> dict[DeviceAnswer, float]:
    """Estimate the true shares from counts of which a quarter are random answers."""
    total, by_lot = sum(counted), (1 - KEPT_SHARE) / len(DeviceAnswer)
    return {
        answer: min(1.0, max(0.0, (number / total - by_lot) / KEPT_SHARE))
        for answer, number in zip(DeviceAnswer, counted, strict=True)
    }
