"""Rows by the hundred thousand, written past the API: a decided past with a queue on top.

What the benchmark reads is real: every message that waits, and those that its look-ups must find,
is masked, hashed and sealed as the API does it. The decided past beside them is made by the
database itself, of random bytes: it is only ever passed by.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from api.kit import signature
from api.kit.context import Services
from api.tables import Campaign, CampaignBand, CampaignFingerprint, Feedback, Scan, User
from shield.similarity import form

_CHUNK = 2000
PENDING_EVERY = 50
"""One report in so many waits."""
SPAN_SECONDS = 10_000_000
WORDS = ("parcel", "prize", "bank", "code", "invoice", "lottery", "loan", "ticket", "refund", "tax")

# The same columns as below; `:now` is the time, a report's age follows from its number.
_ROW = "lpad(to_hex(n), 32, '0')"
_BORN = f"cast(:now AS timestamptz) - make_interval(secs => {SPAN_SECONDS} - n)"
_WANTED = f"WHERE n % {PENDING_EVERY} <> 0 AND n <> ALL(:real)"
_PAST = f"FROM generate_series(:start, :until - 1) n {_WANTED}"
_DECIDED = (
    f"""INSERT INTO users (id, pseudonym, audit_consent, approved, rejected, record_approved,
    record_rejected, created_at)
    SELECT 'bench-' || {_ROW}, 'b-' || n, false, 0, 0, 0, 0, {_BORN} {_PAST}""",
    f"""INSERT INTO scans (id, user_id, scan_type, model_type, text_sealed, fingerprint, verdict,
    positive, probability, confidence, model_version, arm, forced, latency_ms, created_at)
    SELECT {_ROW}, 'bench-' || {_ROW}, 'text', 'sms', decode(md5(n || 't') || md5(n || 'u'), 'hex'),
    :mark || substr(md5(n || 'f'), 5), 'ham', false, 0.2, 0.8, 'sms-v1', 'stable', false, 2.0,
    {_BORN} {_PAST}""",
    f"""INSERT INTO feedback (id, source, scan_id, user_id, scan_type, model_type, feedback_type,
    original_label, corrected_label, model_version, status, approved_at, reviewed_at, looks_needed,
    looks, campaign_id, queue_key, created_at, updated_at)
    SELECT {_ROW}, 'report', {_ROW}, 'bench-' || {_ROW}, 'text', 'sms', 'false_negative', 'ham',
    'spam', 'sms-v1', 'approved', {_BORN}, {_BORN}, 1, 1, {_ROW},
    extract(epoch FROM {_BORN}), {_BORN}, {_BORN} {_PAST}""",
    f"""INSERT INTO campaigns (id, model_type, sample_scan_id, sample_sealed, signed, pending,
    reports, burst, queue_key, first_seen, last_seen)
    SELECT {_ROW}, 'sms', {_ROW}, decode(md5(n || 's') || md5(n || 'r'), 'hex'), :mark, 0, 1, false,
    extract(epoch FROM {_BORN}), {_BORN}, {_BORN} {_PAST}""",
    f"""INSERT INTO campaign_fingerprints (fingerprint, model_type, campaign_id)
    SELECT :mark || substr(md5(n || 'f'), 5), 'sms', {_ROW} {_PAST}""",
    f"""INSERT INTO campaign_bands (band, campaign_id)
    SELECT hashtextextended(n || ' ' || b, 0), {_ROW}
    FROM generate_series(:start, :until - 1) n, generate_series(1, {signature.BANDS}) b
    {_WANTED}""",
)


def message(number: int) -> str:
    """Return the message of a number; no two are near each other."""
    digest = hashlib.blake2b(str(number).encode(), digest_size=24).hexdigest()
    letters = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    parts = [letters[at : at + 6] for at in range(0, 48, 6)]
    return f"{WORDS[number % 10]} {' '.join(parts)}"


def fill(services: Services, until: int, start: int, sought: Iterable[int]) -> None:
    """Write reports `start` to `until`: each its own scan and campaign, 2 % of them undecided.

    Args:
        services: Of an API over PostgreSQL.
        until: The first number that is not written.
        start: The first one that is.
        sought: Numbers of decided messages that look-ups must find.
    """
    now = services.clock()
    real = sorted({number for number in sought if start <= number < until})
    with services.engine.begin() as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))
        given = {"now": now, "start": start, "until": until, "real": real}
        given["mark"] = signature.mark(services.ring)
        for statement in _DECIDED:
            connection.execute(text(statement), given)
    waiting = range(start + -start % PENDING_EVERY, until, PENDING_EVERY)
    numbers = sorted({*waiting, *real})
    for at in range(0, len(numbers), _CHUNK):
        _write(services, numbers[at : at + _CHUNK], now)
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _write(services: Services, numbers: Sequence[int], now: datetime) -> None:
    """Write reports as the API would have left them."""
    scans, reports, campaigns, bands, prints, users = [], [], [], [], [], []
    for number in numbers:
        row = f"{number:032x}"
        born = now - timedelta(seconds=SPAN_SECONDS - number)
        said = message(number)
        folded = form(said)
        pending = number % PENDING_EVERY == 0
        print_ = signature.fingerprint(folded, services.ring)
        users.append(
            {"id": f"bench-{row}", "pseudonym": f"b-{number}", "created_at": born}
            | {"audit_consent": False, "approved": 0, "rejected": 0}
        )
        scans.append(scan_row(services, row, f"bench-{row}", said, born))
        reports.append(
            {
                "id": row,
                "source": "report",
                "scan_id": row,
                "user_id": f"bench-{row}",
                "scan_type": "text",
                "model_type": "sms",
                "feedback_type": "false_negative",
                "original_label": "ham",
                "corrected_label": "spam",
                "model_version": "sms-v1",
                "status": "pending" if pending else "approved",
                "approved_at": None if pending else born,
                "reviewed_at": None if pending else born,
                "looks_needed": 1,
                "looks": 0 if pending else 1,
                "campaign_id": row,
                "queue_key": born.timestamp(),
                "created_at": born,
                "updated_at": born,
            }
        )
        campaigns.append(
            {
                "id": row,
                "model_type": "sms",
                "sample_scan_id": row,
                "signed": signature.mark(services.ring),
                "sample_sealed": services.ring.seal(folded.packed(), row),
                "pending": int(pending),
                "reports": 1,
                "burst": False,
                "queue_key": born.timestamp(),
                "first_seen": born,
                "last_seen": born,
            }
        )
        prints.append({"fingerprint": print_, "model_type": "sms", "campaign_id": row})
        bands += [
            {"band": band, "campaign_id": row}
            for band in signature.bands(folded, "sms", services.ring)
        ]
    with services.sessions() as session:
        for table, rows in (
            (User, users),
            (Scan, scans),
            (Feedback, reports),
            (Campaign, campaigns),
            (CampaignFingerprint, prints),
            (CampaignBand, bands),
        ):
            session.execute(insert(table), rows)
        session.commit()


def scan_row(
    services: Services, scan_id: str, user: str, said: str, born: datetime
) -> dict[str, Any]:
    """Return a scan as the API would have left it."""
    return {
        "id": scan_id,
        "user_id": user,
        "scan_type": "text",
        "model_type": "sms",
        "text_sealed": services.ring.seal(said, scan_id),
        "fingerprint": signature.fingerprint(form(said), services.ring),
        "verdict": "ham",
        "positive": False,
        "probability": 0.2,
        "confidence": 0.8,
        "model_version": "sms-v1",
        "arm": "stable",
        "forced": False,
        "latency_ms": 2.0,
        "created_at": born,
    }
