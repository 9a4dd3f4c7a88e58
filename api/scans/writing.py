"""Write the scans of several requests in one transaction; see `api.kit.together`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.kit.auth import Principal
from api.kit.context import Context, Services
from api.kit.counters import KNOWN_MATCHES, SCANS
from api.kit.routing import Failure
from api.known import matching
from api.known.matching import Match
from api.sampling import service as sampling
from api.scans import shadow
from api.tables import Scan, User
from api.users.service import make_missing
from shield.database_errors import is_conflict
from shield.labels import ModelType
from shield.similarity import Form
from shield.wire import KnownStanding

_TRIES = 3
_CONSENTS = select(User.id, User.audit_consent).where(
    User.id.in_(bindparam("users", expanding=True))
)
_INSERT = insert(Scan.__table__)  # type: ignore[arg-type]


@dataclass
class Row:
    """Column values of a scan."""

    id: str
    user_id: str
    scan_type: str
    model_type: str
    text_sealed: bytes
    fingerprint: str
    sketch: bytes | None
    known_id: str | None
    told_label: str | None
    verdict: str
    positive: bool
    probability: float
    confidence: float
    certainty: str
    model_version: str
    arm: str
    forced: bool
    latency_ms: float
    processor_ms: float | None
    created_at: datetime
    device_version: str | None
    device_verdict: str | None


@dataclass
class Made:
    """The rows of one request: its scan, or only the failures if no version answered."""

    services: Services
    principal: Principal
    now: datetime
    model_type: ModelType
    text: str
    form: Form
    failures: tuple[Failure, ...]
    row: Row | None = None
    candidates: Sequence[str] = field(default_factory=list)
    """Ids of known campaigns that the message may belong to."""
    consent: bool = False
    """Whether the owner has consented to review; set while writing."""

    def context(self, session: Session) -> Context:
        """Return the request's context with the shared transaction."""
        return Context(self.services, self.principal, session, self.now)


def write(items: Sequence[Made]) -> list[Match | None]:
    """Store the rows of the requests; return the known campaign of each."""
    for left in range(_TRIES - 1, -1, -1):
        try:
            with items[0].services.sessions() as session:
                matches = _write(session, items)
                session.commit()
            break
        except SQLAlchemyError as error:
            if not left or not is_conflict(error):
                raise
    for item, match in zip(items, matches, strict=True):
        _count(item, match)
    return matches


def _write(session: Session, items: Sequence[Made]) -> list[Match | None]:
    scanned = [item for item in items if item.row is not None]
    _look_up_owners(session, scanned)
    matches = [_match(session, item) for item in items]
    if scanned:
        session.connection().execute(_INSERT, [vars(item.row) for item in scanned])
    for item in items:
        for failure in item.failures:
            session.add(shadow.failed(item.now, item.model_type, failure))
    for item in scanned:
        _draw(session, item)
    return matches


def _look_up_owners(session: Session, items: Sequence[Made]) -> None:
    """Look up the owners' consent; create missing rows of users."""
    users = {item.principal.subject: item.now for item in items}
    if not users:
        return
    rows = session.connection().execute(_CONSENTS, {"users": list(users)})
    consents = {user: bool(consent) for user, consent in rows}
    make_missing(session, {user: users[user] for user in users.keys() - consents.keys()})
    for item in items:
        item.consent = consents.get(item.principal.subject, False)


def _match(session: Session, item: Made) -> Match | None:
    """Set the known campaign of a scan; the model's answer is not changed."""
    if item.row is None or not item.candidates:
        return None
    match = matching.choose_among(item.context(session), item.candidates, item.form)
    if match is None:
        return None
    item.row.known_id = match.id
    if match.standing is KnownStanding.CONFIRMED:
        item.row.told_label = match.label
    return match


def _draw(session: Session, item: Made) -> None:
    row, ctx = item.row, item.context(session)
    if row is None or row.forced or not item.consent or not sampling.is_drawn(ctx, row.id):
        return
    user = session.get_one(User, row.user_id)
    sampling.put(ctx, session.get_one(Scan, row.id), item.text, user, sampling.AUDIT)


def _count(item: Made, match: Match | None) -> None:
    for failure in item.failures:
        shadow.count(item.model_type, failure)
    row = item.row
    if row is None:
        return
    SCANS.labels(row.model_type, row.model_version, row.arm, row.verdict).inc()
    if match is not None:
        KNOWN_MATCHES.labels(row.model_type, match.standing.value).inc()
    if not row.forced:
        answered_scan = shadow.Seen(row.id, item.model_type, row.model_version, item.text)
        shadow.compare_later(item.services, item.principal, answered_scan, consent=item.consent)
