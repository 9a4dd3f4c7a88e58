"""Write the new reports of several requests in one transaction; see `api.kit.together`.

Only plain ones: the first report on a scan of the caller's, with a new idempotency key, about a
message that no other report of the transaction is about. Whatever else comes (a repetition, a
change, a refusal, a scan that is being erased) is done alone, by `service.submit`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.campaigns import finding, reach
from api.campaigns import service as campaigns
from api.campaigns.finding import Message, Place
from api.campaigns.service import Arrival
from api.feedback import repository, service
from api.feedback.repository import Opened
from api.kit import idempotency
from api.kit.auth import Principal
from api.kit.context import Context, Services
from api.kit.idempotency import Call
from api.kit.writes import Writes
from api.users.service import make_missing
from shield.database_errors import is_conflict
from shield.errors import ShieldError
from shield.wire import FeedbackRead, FeedbackRequest


@dataclass(frozen=True)
class Asked:
    """One request to store a report."""

    services: Services
    principal: Principal
    request: FeedbackRequest
    key: str | None
    """Its idempotency key."""


@dataclass
class _Report:
    """A plain new report."""

    at: int
    """Its place among the requests."""
    ctx: Context
    call: Call | None
    scan: Opened
    claim: FeedbackRequest
    label: str
    queue_key: float
    message: Message | None = None
    """The message, if no campaign has exactly this form of it."""
    place: Place | None = None
    """The campaign of the message."""


def write(items: Sequence[Asked]) -> list[FeedbackRead | None]:
    """Store the plain reports of the requests; `None` for each that must be done alone."""
    services = items[0].services
    hooks: list[Callable[[], None]] = []
    try:
        with services.sessions() as session:
            reads = _write(session, items, hooks)
            session.commit()
    except DBAPIError as error:
        if not is_conflict(error):
            raise
        return [None] * len(items)  # another process has written one of them first
    for hook in hooks:
        hook()
    return reads


def _write(
    session: Session, items: Sequence[Asked], hooks: list[Callable[[], None]]
) -> list[FeedbackRead | None]:
    reads: list[FeedbackRead | None] = [None] * len(items)
    reports = list(_different(_plain(session, items, hooks)))
    if not reports:
        return reads
    _find_campaigns(session, reports)
    ctx = reports[0].ctx
    make_missing(session, {one.ctx.user: ctx.now for one in reports if one.scan.record is None})
    writes = Writes()
    arrivals = []
    for one in reports:
        arrival = campaigns.enter(ctx, writes, one.scan, one.message, one.place, one.queue_key)
        arrivals.append((arrival, one.queue_key))
        read = service.keep(
            *(one.ctx, writes, one.scan, one.claim, one.label, arrival.campaign_id, one.queue_key)
        )
        if one.call is not None:
            one.call.keep(one.ctx, writes, idempotency.kept_part(read, service.PRIVATE))
        reads[one.at] = read
    existing = [one.place is not None for one in reports]
    counted = [arrival for arrival, known in zip(arrivals, existing, strict=True) if known]
    campaigns.count_all(ctx, counted)
    writes.run(session)
    _note_bursts(ctx, [arrival for arrival, _ in counted])
    return reads


def _plain(
    session: Session, items: Sequence[Asked], hooks: list[Callable[[], None]]
) -> Iterator[_Report]:
    """Yield the requests that are the first report on a scan of the caller's."""
    services = items[0].services
    now = services.clock()
    contexts = [Context(services, item.principal, session, now, hooks) for item in items]
    calls = [
        Call.of(ctx, service.ROUTE, item.key, item.request) if item.key is not None else None
        for ctx, item in zip(contexts, items, strict=True)
    ]
    scans, known = repository.opened_at_once(
        session,
        sorted({item.request.scan_id for item in items}),
        sorted({call.name for call in calls if call is not None}),
    )
    for at, (item, ctx, call) in enumerate(zip(items, contexts, calls, strict=True)):
        scan = scans.get(item.request.scan_id)
        if scan is None or scan.user_id != ctx.user or scan.report_id is not None:
            continue
        if call is not None and (call.caller, call.name) in known:
            continue
        try:
            claim, label = service.claimed(scan, item.request)
        except ShieldError:
            continue
        yield _Report(
            at, ctx, call, scan, claim, label, service.queue_key(ctx, scan), place=scan.place
        )


def _different(reports: Iterator[_Report]) -> Iterator[_Report]:
    """Yield those whose scan, key and, unless its campaign is known, message no earlier one has."""
    taken: set[object] = set()
    for one in reports:
        scan = one.scan
        names: set[object] = {("scan", scan.id)}
        if one.call is not None:
            names.add(("call", one.call.caller, one.call.name))
        if one.place is None:
            text = one.ctx.ring.open(scan.text_sealed, scan.id)
            one.message = finding.message_of(one.ctx.ring, scan.model_type, text)
            names.add(("fingerprint", scan.model_type, scan.fingerprint))
            names.update(one.message.bands)
        if taken.isdisjoint(names):
            taken |= names
            yield one


def _find_campaigns(session: Session, reports: Sequence[_Report]) -> None:
    """Set the campaign of each report, with the reports before it counted in."""
    new = [(one, one.message) for one in reports if one.message is not None]
    ring = reports[0].ctx.ring
    places = finding.find_each(session, ring, [message for _, message in new])
    for (one, _), place in zip(new, places, strict=True):
        one.place = place
    counts: dict[str, int] = {}
    for one in reports:
        if one.place is not None:
            name = one.place.campaign_id
            earlier = counts.get(name, 0)
            counts[name] = earlier + 1
            one.place = Place(name, one.place.reports + earlier, one.place.burst)


def _note_bursts(ctx: Context, arrivals: Sequence[Arrival]) -> None:
    due = {arrival.campaign_id: arrival for arrival in arrivals if reach.may_burst(arrival)}
    for arrival in due.values():
        reach.note_burst(ctx, arrival)
