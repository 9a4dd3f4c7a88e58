"""What the five metrics count: corrections, in the window that they promise, when they happen."""

from datetime import timedelta

import pytest

from api.tables import LedgerRow
from shield.labels import FeedbackType
from shield.wire import MetricRead, ReviewAction, StatsRead
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi

DAY_SECONDS = 86400


def stats(api: RunningApi) -> StatsRead:
    with api.client("rita", "reviewer") as rita:
        return rita.stats()


def metric(api: RunningApi, name: str) -> MetricRead:
    return next(one for one in stats(api).metrics if one.name == name)


def test_confirmations_inflate_no_rate(api: RunningApi) -> None:
    for number in range(5):
        text = f"lunch {chr(97 + number) * 9}"
        decide(api, report(api, "ann", text, FeedbackType.CONFIRMED).id)
    for number in range(4):
        scan(api, "ann", f"dinner {chr(97 + number) * 9}")
    decide(api, report(api, "bob", "a lie about a dinner").id, ReviewAction.REJECT)
    approval = metric(api, "approvalRate")
    assert (approval.value, approval.n) == (0, 1)
    feedback = metric(api, "feedbackPerThousandScans")
    assert feedback.value == pytest.approx(100)
    assert "5 more were confirmed" in feedback.note


def test_a_rollback_counts_when_it_happens_however_old_the_promotion(api: RunningApi) -> None:
    now = api.clock()
    with api.services.sessions() as session:
        for number, (action, days) in enumerate([("install", 90), ("promote", 31), ("undo", 1)]):
            session.add(
                LedgerRow(
                    id=f"transition-{number}",
                    rollout_uid="rollout",
                    sequence=number,
                    evidence={},
                    model_type="sms",
                    action=action,
                    version="sms-v1" if action == "install" else "sms-v2",
                    at=now - timedelta(days=days),
                    actor="root",
                    reason="",
                )
            )
        session.commit()
    rollbacks = metric(api, "rollbackRate")
    assert (rollbacks.value, rollbacks.n) == (1, 1)


def test_true_rates_are_of_the_last_thirty_days(api: RunningApi) -> None:
    with api.client("ann") as ann:
        ann.set_consent(True)
    from sqlalchemy import update

    from api.tables import Feedback

    item = report(api, "ann", "you win a prize", FeedbackType.FALSE_POSITIVE)
    decide(api, item.id)
    with api.services.sessions() as session:
        session.execute(update(Feedback).values(source="audit"))
        session.commit()
    assert stats(api).rates.false_positive_rate.n == 1
    api.clock.move_on(31 * DAY_SECONDS)
    assert stats(api).rates.false_positive_rate.n == 0
