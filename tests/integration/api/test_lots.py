"""Work on many rows goes in lots: a death in between loses nothing, and nobody is told twice."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from api.inbox import revising
from api.inbox.revising import revise
from api.kit.outbox import Job
from api.privacy import retention
from api.tables import AuditRow, KnownCampaign, Notice, Revision, Scan
from tests.integration.api.steps import report, scan
from tests.integration.api.test_inbox import settled
from tests.integration.api.test_known import COPY, confirmed
from tests.support.api import RunningApi


class Died(Exception):
    """A process ends."""


def dies_after(lots: int) -> Callable[[], None]:
    """Return what is called after each lot, and ends the process after some."""
    left = iter(range(lots))

    def renew() -> None:
        if next(left, None) is None:
            raise Died

    return renew


def test_an_undo_that_dies_goes_on_and_tells_nobody_twice(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revising, "_LOT", 2)
    entry = confirmed(api)
    settled(api)
    users = [f"user-{number}" for number in range(7)]
    for user in users:
        assert scan(api, user, COPY).verdict == "spam"
    with api.services.sessions() as session:
        session.execute(
            update(KnownCampaign).where(KnownCampaign.id == entry.id).values(standing="undone")
        )
        session.commit()
    api.services.known.refresh()

    def undo(renew: Callable[[], None]) -> None:
        revise(api.services, Job("", "known", entry.id, {}, 1, api.clock(), renew))

    def restored() -> set[str]:
        with api.services.reading() as session:
            return set(session.scalars(select(Revision.user_id).where(Revision.label == "ham")))

    with pytest.raises(Died):
        undo(dies_after(1))
    assert len(restored()) == 2, "one lot, after one of the corrections of those who reported"
    undo(lambda: None)
    undo(lambda: None)
    assert restored() == set(users)
    with api.services.reading() as session:
        back = select(Notice.user_id).where(Notice.kind == "taken-back")
        told = session.scalars(back.where(Notice.user_id.in_(users))).all()
    assert sorted(told) == users


def test_old_messages_are_erased_in_chunks_and_each_is_in_the_log(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_CHUNK", 2)
    for number in range(5):
        scan(api, "ann", f"forgettable walrus number {number}")
    report(api, "bob", "reported narwhal")
    api.clock.move_on(31 * 86400)
    assert retention.retain(api.services, 30) == 5
    assert retention.retain(api.services, 30) == 0
    with api.services.reading() as session:
        kept = session.scalar(select(func.count()).where(Scan.text_sealed.is_not(None)))
        logged = session.scalars(
            select(AuditRow.details).where(AuditRow.action == "message.retention")
        ).all()
    assert kept == 1
    assert [each["count"] for each in logged] == [2, 2, 1]
