"""Re-encrypt texts sealed with older keys, so that these keys can be destroyed."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from api.audit import service as audit
from api.kit.context import Services, open_context
from api.privacy.retention import CARETAKER
from api.tables import Campaign, Contest, Feedback, PushSubscription, Scan, Webhook
from shield.errors import Misconfigured

_CHUNK = 500
_KEY_ID_BYTES = 8


def reseal(services: Services, progress: Callable[[int], None] = lambda done: None) -> int:
    """Re-encrypt all texts with the active key, in chunks; return their number.

    Can be stopped and restarted at any time. Afterwards older keys can be removed from the ring.

    Raises:
        Misconfigured: Some texts cannot be read. All others were re-encrypted.
    """
    active = services.ring.active.encode()
    done, unreadable = 0, 0
    for table, column in (
        (Scan, "text_sealed"),
        (Feedback, "comment_sealed"),
        (Campaign, "sample_sealed"),
        (Webhook, "secret_sealed"),
        (Contest, "reason_sealed"),
        (Contest, "contact_sealed"),
        (Contest, "answer_sealed"),
        (PushSubscription, "sealed"),
    ):
        sealed: Any = getattr(table, column)
        stale = (
            select(table)
            .where(sealed.is_not(None), func.substr(sealed, 1, _KEY_ID_BYTES) != active)
            .order_by(table.id)
            .limit(_CHUNK)
        )
        last = ""  # what cannot be read stays stale, and must not be met again
        while True:
            with open_context(services, CARETAKER) as ctx:
                rows: list[Any] = list(ctx.session.scalars(stale.where(table.id > last)))
                for row in rows:
                    text = ctx.ring.shown(getattr(row, column), row.id)
                    if text is None:
                        unreadable += 1
                    else:
                        setattr(row, column, ctx.ring.seal(text, row.id))
                        done += 1
                if rows:
                    last = rows[-1].id
            progress(done)
            if len(rows) < _CHUNK:
                break
    with open_context(services, CARETAKER) as ctx:
        audit.record(
            ctx, "keys.reseal", services.ring.active, "key rotation", count=done, decrypted=True
        )
    if unreadable:
        raise Misconfigured(
            f"{done} texts were sealed with key {services.ring.active}; {unreadable} cannot be "
            "read, and the log names their rows. Keep the older keys, restore a missing key or "
            "these rows from a backup, and run this again."
        )
    return done
