"""The scams that phones answer by themselves, as reviewers have decided them: a signed list.

What stands in it is what answers scans here: an entry that is taken back, expires or is erased is
gone from the next list. No message can be read from one (`shield.device.known`).
"""

import hashlib
import hmac
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from api.device.signing import KNOWN_CONTEXT, sign
from api.kit.context import Context
from api.kit.keyring import KeyRing
from api.tables import Campaign, KnownCampaign, Scan
from shield.device.known import NORMALISER, host_number, sketch_of
from shield.labels import MODEL_OF_SCAN, ScanType
from shield.similarity import form
from shield.wire import DeviceKnownRead, KnownScam, KnownStanding, KnownStatement

MOST = 1_000
"""Entries of a list, the latest decisions first: some 200 kB, half of it over the wire."""


def current(ctx: Context, scan_type: ScanType) -> DeviceKnownRead:
    """Return the known scams of a type, signed; the same object until something has changed.

    Raises:
        Misconfigured: The key of an entry's message is missing; phones keep their list.
    """
    model_type = MODEL_OF_SCAN[scan_type].value
    newest = ctx.session.scalar(
        select(func.max(KnownCampaign.sequence)).where(KnownCampaign.model_type == model_type)
    )
    kept = _kept(ctx.services.engine, scan_type, newest or 0, ctx.now.date())
    if not kept:
        kept.append(_made(ctx, scan_type))
    return kept[0]


@lru_cache(maxsize=16)
def _kept(_engine: Any, _scan_type: ScanType, _newest: int, _day: date) -> list[DeviceKnownRead]:
    """Return the place where the list that was made last is kept; empty at first."""
    return []


def _made(ctx: Context, scan_type: ScanType) -> DeviceKnownRead:
    rows = ctx.session.execute(
        select(KnownCampaign, Scan.id, Scan.text_sealed)
        .join(Campaign, Campaign.id == KnownCampaign.campaign_id)
        .join(Scan, Scan.id == Campaign.sample_scan_id)
        .where(
            KnownCampaign.model_type == MODEL_OF_SCAN[scan_type].value,
            KnownCampaign.standing == KnownStanding.CONFIRMED.value,
            KnownCampaign.positive,
            KnownCampaign.sketch != b"",
            KnownCampaign.expires_at > ctx.now,
            Scan.text_sealed.is_not(None),
        )
        .order_by(KnownCampaign.decided_at.desc(), KnownCampaign.id)
        .limit(MOST)
    ).all()
    entries = []
    for entry, scan_id, sealed in rows:
        sketch, hosts = _sketched(ctx.ring, scan_id, sealed)
        if not sketch:
            continue  # too few words to tell copies from others
        entries.append(
            KnownScam(
                sketch=list(sketch),
                hosts=list(hosts),
                any_host=entry.any_host,
                reporters=entry.reporters,
                decided_on=entry.decided_at.date(),
            )
        )
    statement = KnownStatement(
        scan_type=scan_type,
        number=int(ctx.now.timestamp()),
        until=(ctx.now + timedelta(days=ctx.settings.known_days)).isoformat(),
        normaliser=NORMALISER,
        salt=_salt(ctx.ring),
        entries=entries,
    ).model_dump_json(by_alias=True)
    key, signature = sign(ctx.ring, KNOWN_CONTEXT, statement)
    return DeviceKnownRead(statement=statement, key_id=key, signature=signature)


@lru_cache(maxsize=4 * MOST)
def _sketched(
    ring: KeyRing, scan_id: str, sealed: bytes
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sketch of a message, and its hosts' numbers.

    The sketch is empty where the message has too few words, or was changed on disk.
    """
    text, salt = ring.signable(sealed, scan_id) or "", _salt(ring)
    hosts = sorted(host_number(host, salt) for host in form(text).hosts)
    return tuple(sketch_of(text, salt) or ()), tuple(hosts)


def _salt(ring: KeyRing) -> int:
    """Return what goes into every number of this deployment's lists, 32 bits; it is no secret."""
    made = hmac.new(ring.lot_key, b"antispam-shield: known scams for phones", hashlib.sha256)
    return int.from_bytes(made.digest()[:4], "big")
