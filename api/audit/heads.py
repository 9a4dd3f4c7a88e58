"""Publish the head of the audit log outside the database, so that truncation is detected.

Each entry's hash covers the hash before it, so that a changed entry is detected. Missing newest
entries are not: a truncated chain is valid too. Therefore sequence and hash of the newest entry are
written, signed, to the artifact store, and exported as metrics for the monitoring system.
"""

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.kit.context import Context
from api.kit.keyring import KeyRing
from api.tables import AuditRow
from shield.artifacts import ArtifactStore
from shield.errors import NotFound

logger = logging.getLogger("api.audit")

NEWEST = "audit/head.json"
DAILY = "audit/heads/"
"""Prefix of the last head of each day, kept in case the newest head is removed."""
_COMPARED_DAYS = 30


@dataclass(frozen=True)
class Head:
    """Sequence and hash of the entry that was the newest at `at`."""

    sequence: int
    hash: str
    at: datetime
    """When it was published."""


class UnsignedHead(ValueError):
    """An object stored as a head carries no valid signature of this installation."""


def newest(session: Session) -> tuple[int, str] | None:
    """Return sequence and hash of the newest entry; `None` while the log is empty."""
    row = session.execute(
        select(AuditRow.sequence, AuditRow.hash).order_by(AuditRow.sequence.desc()).limit(1)
    ).first()
    return None if row is None else (row.sequence, row.hash)


def publish(ctx: Context) -> None:
    """Publish the newest head, unless the log no longer contains the last published one.

    In that case the published head is kept as evidence for the verification.
    """
    store, ring = ctx.services.artifacts, ctx.ring
    now = newest(ctx.session)
    try:
        last = _read(store, ring, NEWEST)
    except NotFound:
        last = None
    except UnsignedHead as fault:
        logger.error("the head of the audit log is not published: %s", fault)
        return
    if last is not None and _hash_at(ctx.session, last.sequence) != last.hash:
        logger.error("the audit log no longer holds its published entry %s", last.sequence)
        return
    if now is None or (last is not None and last.sequence == now[0]):
        return
    signed = _signed(ring, Head(*now, ctx.now))
    store.put(f"{DAILY}{ctx.now:%Y-%m-%d}.json", signed, overwrite=True)
    store.put(NEWEST, signed, overwrite=True)


def published(store: ArtifactStore, ring: KeyRing) -> list[Head]:
    """Return the published heads to compare the log with, oldest first.

    Raises:
        UnsignedHead: A head is not signed by this installation.
        Unavailable: The store does not answer.
    """
    keys = [*sorted(store.list(DAILY))[-_COMPARED_DAYS:], NEWEST]
    heads = []
    for key in keys:
        try:
            heads.append(_read(store, ring, key))
        except NotFound:
            continue
    return sorted(heads, key=lambda head: head.sequence)


def differing(heads: Sequence[Head], sequence: int, hash_: str) -> Head | None:
    """Return the published head whose hash differs from that of entry `sequence`, if any."""
    return next((head for head in heads if head.sequence == sequence and head.hash != hash_), None)


def _hash_at(session: Session, sequence: int) -> str | None:
    return session.scalar(select(AuditRow.hash).where(AuditRow.sequence == sequence))


def _signed(ring: KeyRing, head: Head) -> bytes:
    content = {"sequence": head.sequence, "hash": head.hash, "at": head.at.isoformat()}
    signature = _key(ring).sign(_canonical(content))
    document = content | {"signature": base64.b64encode(signature).decode()}
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _read(store: ArtifactStore, ring: KeyRing, key: str) -> Head:
    try:
        document = json.loads(store.get(key))
        signature = base64.b64decode(document.pop("signature"), validate=True)
        _key(ring).public_key().verify(signature, _canonical(document))
        at = datetime.fromisoformat(document["at"])
        return Head(int(document["sequence"]), str(document["hash"]), at)
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise UnsignedHead(
            f"{key} in the artifact store is not a head that this installation has signed"
        ) from fault


def _canonical(content: dict[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _key(ring: KeyRing) -> Ed25519PrivateKey:
    """Return the signing key of heads, derived from the key of the ring that is never rotated."""
    seed = HKDF(SHA256(), 32, salt=None, info=b"antispam-shield audit head").derive(ring.lot_key)
    return Ed25519PrivateKey.from_private_bytes(seed)
