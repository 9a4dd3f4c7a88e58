"""How much of what people are answered they correct: on the server and on their phones.

A phone answers by itself and sends no text; it sends counts, in lots (`shield.wire.device`). When
its owner reports one of its answers, the server judges the message and stores it as a scan that is
no evidence of its version. Such a report is counted beside the scans of phones, where it belongs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from api.kit.database import by_no_index
from api.tables import DeviceTally, Feedback, Scan
from shield.labels import FeedbackType, ModelType
from shield.metrics.counts import wilson_interval
from shield.wire import MetricRead

TARGET = 50

IS_CORRECTION = Feedback.feedback_type != FeedbackType.CONFIRMED.value
"""Confirmations are left out: they are nearly always approved and would improve every rate."""

ON_SERVER = Scan.forced.is_(False)
"""The server has answered its owner."""
FROM_PHONE = and_(Scan.forced, Scan.device_version.is_not(None))
"""A phone has answered its owner, who has reported that; the server has judged it afterwards."""
_CORRECTED = case(
    # The claim is about the server's verdict, which the owner has never seen.
    (FROM_PHONE, Feedback.corrected_label != Scan.device_verdict),
    else_=IS_CORRECTION,
)
"""The report says something else than its owner was told."""


@dataclass(frozen=True)
class Answered:
    """What people were answered in a time, and what they have said of it."""

    on_server: int
    on_phones: int
    """As phones have counted them; at least the messages that were reported from phones."""
    corrected: int
    confirmed: int

    @property
    def scans(self) -> int:
        """Return the number of answers."""
        return self.on_server + self.on_phones

    @property
    def part(self) -> int:
        """Return the corrections, which cannot be more than the answers."""
        return min(self.corrected, self.scans)


Span = tuple[datetime, datetime]
"""A time after its begin, up to its end."""


def answered(
    session: Session, spans: Sequence[Span], model_type: ModelType | None
) -> list[Answered]:
    """Count the answers of each span, oldest first, and the reports on them.

    Phones tell the day of a count and no hour: the day on which a span begins is not its own.
    """
    begin = spans[0][0]

    def within(span: Span) -> ColumnElement[bool]:
        return and_(Scan.created_at > span[0], Scan.created_at <= span[1])

    def on_days(span: Span) -> ColumnElement[bool]:
        return and_(DeviceTally.day > span[0].date(), DeviceTally.day <= span[1].date())

    reports = select(Feedback).join(Scan, Scan.id == Feedback.scan_id)
    reports = reports.where(Feedback.source == "report", or_(ON_SERVER, FROM_PHONE))
    scans, tallies = select(Scan), select(DeviceTally)
    if model_type is not None:
        scans = scans.where(by_no_index(Scan.model_type) == model_type.value)
        reports = reports.where(by_no_index(Feedback.model_type) == model_type.value)
        tallies = tallies.where(DeviceTally.model_type == model_type.value)
    kinds, said_of_it = (ON_SERVER, FROM_PHONE), (_CORRECTED, ~_CORRECTED)
    lot = DeviceTally.harmless + DeviceTally.scam + DeviceTally.unsure
    answers = _sums(
        session,
        scans.where(Scan.created_at > begin),
        [case((and_(within(span), kind), 1), else_=0) for span in spans for kind in kinds],
    )
    told = _sums(
        session,
        reports.where(Scan.created_at > begin),
        [case((and_(within(span), said), 1), else_=0) for span in spans for said in said_of_it],
    )
    counted = _sums(
        session,
        tallies.where(DeviceTally.day > begin.date()),
        [case((on_days(span), lot), else_=0) for span in spans],
    )
    return [
        # A phone's last lot may still be filling while its owner has reported of it.
        Answered(answers[2 * at], max(number, answers[2 * at + 1]), told[2 * at], told[2 * at + 1])
        for at, number in enumerate(counted)
    ]


def _sums(session: Session, rows: Select[Any], columns: Sequence[ColumnElement[int]]) -> list[int]:
    sums = [func.coalesce(func.sum(column.cast(Integer)), 0) for column in columns]
    return [int(number) for number in session.execute(rows.with_only_columns(*sums)).one()]


def per_thousand(
    session: Session, since: datetime, now: datetime, model_type: ModelType | None
) -> MetricRead:
    """Return the corrections per 1,000 answers between `since` and `now`."""
    (seen,) = answered(session, [(since, now)], model_type)
    metric = MetricRead(
        name="feedbackPerThousandScans",
        formula="1000 x scans of the last 30 days that their user corrected / scans, "
        "those on phones included",
        target=TARGET,
        n=seen.scans,
        note=f"{seen.confirmed} more were confirmed as right. Phones judged {seen.on_phones} of "
        "the scans, as far as they have told.",
    )
    if seen.scans == 0:
        return metric
    low, high = wilson_interval(seen.part, seen.scans)
    value = 1000 * seen.part / seen.scans
    return metric.model_copy(
        update={"value": value, "low": 1000 * low, "high": 1000 * high, "met": value > TARGET}
    )
