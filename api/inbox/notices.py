"""Write notices in one total order, without duplicates; a later one replaces an earlier one."""

from sqlalchemy import func, or_, select, update

from api.kit.auth import Principal
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.kit.outbox import post
from api.tables import Notice, PushSubscription, User
from shield.wire import NoticeKind

PUSH = "push"
"""Outbox work that wakes a phone: its subject is a push subscription, `notice` the notice."""
POSTMAN = Principal("postman", frozenset())
"""The principal of outbox work."""


class Postman:
    """Writes the notices of one transaction, under the lock that orders them."""

    def __init__(self, ctx: Context) -> None:
        lock(ctx.session, "inbox")
        self._ctx = ctx
        self._newest = ctx.session.scalar(select(func.max(Notice.sequence))) or 0

    def last(self, user_id: str, subject: str) -> Notice | None:
        """Return a user's latest notice about a report or a known campaign."""
        return self._ctx.session.scalar(
            select(Notice)
            .where(Notice.subject == subject, Notice.user_id == user_id)
            .order_by(Notice.sequence.desc())
            .limit(1)
        )

    def tell(
        self,
        user_id: str,
        kind: NoticeKind,
        subject: str,
        scan_id: str,
        *,
        told: str,
        found: str | None,
        campaign_id: str | None = None,
    ) -> None:
        """Write a notice, unless it repeats the latest one or the user was erased."""
        if self._ctx.session.get(User, user_id) is None:
            return
        last = self.last(user_id, subject)
        if last is not None and last.kind == kind and last.facts["found"] == found:
            return
        self._ctx.session.execute(
            update(Notice)
            .where(
                Notice.user_id == user_id,
                or_(Notice.subject == subject, Notice.scan_id == scan_id),
                Notice.superseded.is_(False),
            )
            .values(superseded=True)
        )
        self._newest += 1
        notice_id = new_id(self._ctx.now)
        self._ctx.session.add(
            Notice(
                id=notice_id,
                sequence=self._newest,
                user_id=user_id,
                kind=kind.value,
                subject=subject,
                scan_id=scan_id,
                facts={"told": told, "found": found, "campaign": campaign_id},
                superseded=False,
                created_at=self._ctx.now,
                read_at=None,
            )
        )
        self._wake(user_id, notice_id)
        self._ctx.session.flush()

    def _wake(self, user_id: str, notice_id: str) -> None:
        if not self._ctx.settings.push_key:
            return
        phones = select(PushSubscription.id).where(PushSubscription.user_id == user_id)
        for phone in self._ctx.session.scalars(phones):
            post(self._ctx, PUSH, phone, notice=notice_id)
