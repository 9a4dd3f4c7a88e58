"""Rows by the hundred thousand, written past the API: a decided past with a queue on top."""

import hashlib
from datetime import timedelta

from sqlalchemy import insert, text

from api.campaigns import signature
from api.campaigns.models import Campaign, CampaignBand, CampaignFingerprint
from api.feedback.models import Feedback, User
from api.kit.context import Services
from api.scans.models import Scan

_CHUNK = 2000
PENDING_SHARE = 0.02
WORDS = ("parcel", "prize", "bank", "code", "invoice", "lottery", "loan", "ticket", "refund", "tax")


def message(number: int) -> str:
    """Return the message of a number; no two are near each other."""
    digest = hashlib.blake2b(str(number).encode(), digest_size=24).hexdigest()
    letters = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    parts = [letters[at : at + 6] for at in range(0, 48, 6)]
    return f"{WORDS[number % 10]} {' '.join(parts)}"


def fill(services: Services, until: int, start: int = 0) -> None:
    """Write reports `start` to `until`: each its own scan and campaign, 2 % of them undecided."""
    now = services.clock()
    key = services.ring.fingerprint_key
    for at in range(start, until, _CHUNK):
        numbers = range(at, min(at + _CHUNK, until))
        scans, reports, campaigns, bands, prints, users = [], [], [], [], [], []
        for number in numbers:
            row = f"{number:032x}"
            born = now - timedelta(seconds=(10_000_000 - number))
            said = message(number)
            masked = signature.masked(said)
            pending = number % round(1 / PENDING_SHARE) == 0
            print_ = signature.fingerprint(said, key)
            users.append(
                {"id": f"bench-{row}", "pseudonym": f"b-{number}", "created_at": born}
                | {"audit_consent": False, "approved": 0, "rejected": 0}
            )
            scans.append(
                {
                    "id": row,
                    "user_id": f"bench-{row}",
                    "scan_type": "text",
                    "model_type": "sms",
                    "text_sealed": services.ring.seal(said, row),
                    "fingerprint": print_,
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
            )
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
                    "sample_sealed": services.ring.seal(masked, row),
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
                for band in sorted(set(signature.bands(masked, "sms")))
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
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
