"""Look up objects by a prefix of their id."""

from typing import Any

from sqlalchemy import ColumnElement, and_, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from api.kit.context import REVIEWERS, Context
from api.kit.tokens import Role
from api.tables import (
    Batch,
    Campaign,
    Contest,
    Feedback,
    KnownCampaign,
    KnownFeed,
    Run,
    Scan,
    User,
    Version,
    Webhook,
    WebhookMessage,
)
from shield.labels import ModelType
from shield.wire import NamedKind, NamedRead

MOST = 9
"""Most objects returned."""

Text = InstrumentedAttribute[str]


_Columns = tuple[Text, InstrumentedAttribute[Any], InstrumentedAttribute[Any] | None, Text | None]
"""Id, time, a word that distinguishes the object, and model type, where it has these."""

_KINDS: dict[NamedKind, _Columns] = {
    NamedKind.SCAN: (Scan.id, Scan.created_at, Scan.verdict, Scan.model_type),
    NamedKind.FEEDBACK: (Feedback.id, Feedback.created_at, Feedback.status, Feedback.model_type),
    NamedKind.CAMPAIGN: (
        Campaign.id,
        Campaign.first_seen,
        Campaign.decided_label,
        Campaign.model_type,
    ),
    NamedKind.KNOWN: (
        KnownCampaign.id,
        KnownCampaign.created_at,
        KnownCampaign.label,
        KnownCampaign.model_type,
    ),
    NamedKind.CONTEST: (Contest.id, Contest.created_at, Contest.scan_type, Contest.model_type),
    NamedKind.BATCH: (Batch.id, Batch.sealed_at, Batch.status, Batch.model_type),
    NamedKind.RUN: (Run.run_id, Run.started_at, Run.outcome, Run.model_type),
    NamedKind.VERSION: (Version.name, Version.created_at, Version.status, Version.model_type),
    NamedKind.REPORTER: (User.pseudonym, User.created_at, None, None),
    NamedKind.FEED: (KnownFeed.id, KnownFeed.created_at, KnownFeed.name, None),
    NamedKind.WEBHOOK: (Webhook.id, Webhook.created_at, Webhook.url, None),
    NamedKind.EVENT: (WebhookMessage.id, WebhookMessage.at, WebhookMessage.kind, None),
}
_ADMINS_ONLY = {NamedKind.WEBHOOK, NamedKind.EVENT}
"""As their own endpoints: an address of a webhook may hold a secret."""
_DECISIONS = {NamedKind.FEEDBACK, NamedKind.CAMPAIGN}
"""Kinds whose word says whether they are decided. That of an item with a known answer stays as it
is when somebody judges it, and would tell reviewers which these are: admins only."""
_NAMES = {NamedKind.BATCH, NamedKind.RUN, NamedKind.VERSION, NamedKind.EVENT}
"""Kinds whose ids hold more than hexadecimal digits behind a common beginning; few objects each."""


def beginning(
    ctx: Context, kind: NamedKind, prefix: str, model_type: ModelType | None
) -> list[NamedRead]:
    """Return at most `MOST` objects whose id begins with `prefix`, by id.

    Raises:
        Forbidden: The kind is not scans, and the caller is neither reviewer nor admin; or it is
            webhooks or their events, and the caller is no admin.
    """
    if kind in _ADMINS_ONLY:
        ctx.principal.require(Role.ADMIN)
    elif kind is not NamedKind.SCAN:
        ctx.principal.require(*REVIEWERS)
    key, moment, word, of_type = _KINDS[kind]
    if kind in _DECISIONS and Role.ADMIN not in ctx.principal.roles:
        word = None
    shown = [null() if column is None else column for column in (word, of_type)]
    query = select(key, *shown, moment).where(_begins(kind, key, prefix))
    if kind is NamedKind.SCAN:
        query = query.where(Scan.user_id == ctx.user)
    if model_type is not None and of_type is not None:
        query = query.where(of_type == model_type.value)
    rows = ctx.session.execute(query.order_by(key).limit(MOST))
    return [
        NamedRead(id=name, told=", ".join(filter(None, [said, kept, f"{at:%Y-%m-%d %H:%M}"])))
        for name, said, kept, at in rows
    ]


def _begins(kind: NamedKind, key: Text, prefix: str) -> ColumnElement[bool]:
    if kind not in _NAMES:
        # A range, which a primary key answers in any collation; these tables have millions of rows.
        return and_(key >= prefix.lower(), key < f"{prefix.lower()}g")
    begins = key.startswith(prefix, autoescape=True)
    if kind is NamedKind.VERSION:
        digest = f"sha256:{prefix.removeprefix('sha256:')}"
        return or_(begins, Version.digest.startswith(digest, autoescape=True))
    return begins
