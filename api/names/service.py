"""Look up objects by a prefix of their id."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from api.kit.context import REVIEWERS, Context
from api.tables import Batch, Campaign, Contest, Feedback, KnownCampaign, Run, Scan, Version
from shield.labels import ModelType
from shield.wire import NamedKind, NamedRead

MOST = 9
"""Most objects returned."""

Text = InstrumentedAttribute[str]


_Columns = tuple[Text, Text, InstrumentedAttribute[Any], InstrumentedAttribute[Any]]
"""Id, model type, time, and a word that distinguishes the object."""

_KINDS: dict[NamedKind, _Columns] = {
    NamedKind.SCAN: (Scan.id, Scan.model_type, Scan.created_at, Scan.verdict),
    NamedKind.FEEDBACK: (Feedback.id, Feedback.model_type, Feedback.created_at, Feedback.status),
    NamedKind.CAMPAIGN: (
        Campaign.id,
        Campaign.model_type,
        Campaign.first_seen,
        Campaign.decided_label,
    ),
    NamedKind.KNOWN: (
        KnownCampaign.id,
        KnownCampaign.model_type,
        KnownCampaign.created_at,
        KnownCampaign.label,
    ),
    NamedKind.CONTEST: (
        Contest.id,
        Contest.model_type,
        Contest.created_at,
        Contest.scan_type,
    ),
    NamedKind.BATCH: (Batch.id, Batch.model_type, Batch.sealed_at, Batch.status),
    NamedKind.RUN: (Run.run_id, Run.model_type, Run.started_at, Run.outcome),
    NamedKind.VERSION: (Version.name, Version.model_type, Version.created_at, Version.status),
}
_HEXADECIMAL = {
    *(NamedKind.SCAN, NamedKind.FEEDBACK, NamedKind.CAMPAIGN, NamedKind.KNOWN, NamedKind.CONTEST)
}


def beginning(
    ctx: Context, kind: NamedKind, prefix: str, model_type: ModelType | None
) -> list[NamedRead]:
    """Return at most `MOST` objects whose id begins with `prefix`, by id.

    Raises:
        Forbidden: The kind is not scans, and the caller is neither reviewer nor admin.
    """
    if kind is not NamedKind.SCAN:
        ctx.principal.require(*REVIEWERS)
    key, of_type, moment, word = _KINDS[kind]
    query = select(key, of_type, moment, word).where(_begins(kind, key, prefix))
    if kind is NamedKind.SCAN:
        query = query.where(Scan.user_id == ctx.user)
    if model_type is not None:
        query = query.where(of_type == model_type.value)
    rows = ctx.session.execute(query.order_by(key).limit(MOST))
    return [
        NamedRead(id=name, told=", ".join(filter(None, [said, of, f"{at:%Y-%m-%d %H:%M}"])))
        for name, of, at, said in rows
    ]


def _begins(kind: NamedKind, key: Text, prefix: str) -> ColumnElement[bool]:
    if kind in _HEXADECIMAL:
        # A range, which a primary key answers in any collation; these tables have millions of rows.
        return and_(key >= prefix.lower(), key < f"{prefix.lower()}g")
    begins = key.startswith(prefix, autoescape=True)
    if kind is NamedKind.VERSION:
        digest = f"sha256:{prefix.removeprefix('sha256:')}"
        return or_(begins, Version.digest.startswith(digest, autoescape=True))
    return begins
