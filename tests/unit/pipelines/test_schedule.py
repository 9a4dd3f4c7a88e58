from datetime import UTC, datetime, timedelta

import pytest

from pipelines.schedule import Cron
from shield.errors import Invalid

TUESDAY = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 3 * * 1", datetime(2026, 11, 30, 3, 0, tzinfo=UTC)),
        ("0 3 * * mon", datetime(2026, 11, 30, 3, 0, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 11, 24, 3, 15, tzinfo=UTC)),
        ("0 3 * * 2", datetime(2026, 12, 1, 3, 0, tzinfo=UTC)),
        ("30 4 1 jan *", datetime(2027, 1, 1, 4, 30, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, 0, 0, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 11, 29, 0, 0, tzinfo=UTC)),
        ("5,35 3-4 * * 1-5", datetime(2026, 11, 24, 3, 5, tzinfo=UTC)),
        ("0 12 13 * 5", datetime(2026, 11, 27, 12, 0, tzinfo=UTC)),
    ],
)
def test_the_next_due_time_is_what_cron_says(text: str, due: datetime) -> None:
    assert Cron.parse(text).next_after(TUESDAY) == due


def test_the_next_time_after_a_due_time_is_a_week_later_not_the_same_minute() -> None:
    weekly = Cron.parse("0 3 * * 2")
    assert (weekly.next_after(TUESDAY) - TUESDAY).days == 7


def test_kubeflow_gets_six_fields_with_seconds_first() -> None:
    assert Cron.parse("0 3 * * 1").six_fields() == "0 0 3 * * 1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 0 3 * * 1",
        "60 3 * * 1",
        "0 24 * * 1",
        "x * * * *",
        "0 3 31 2 *",
        "5-1 * * * *",
        "*/0 * * * *",
        "0 3 * * funday",
        "@weekly",
        "-1 * * * *",
        "*-3 * * * *",
        "² * * * *",
        "*/² * * * *",
        "٣ * * * *",
    ],
)
def test_a_nonsense_schedule_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(Invalid, match="schedule"):
        Cron.parse(text)


@pytest.mark.parametrize("text", ["* * 1 1-5/2 sun,*/9", "0 0 29 2 */7", "0 3 */31 feb */7"])
def test_a_schedule_that_kubeflow_would_take_and_never_run_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="less than once in 5 years"):
        Cron.parse(text)


def test_29_february_is_often_enough() -> None:
    assert Cron.parse("0 0 29 2 *").next_after(TUESDAY).year == 2028


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("30 4 * * 7", "0 30 4 * * 0"),
        ("30 4 * * 5-7", "0 30 4 * * 0,5,6"),
        ("30 4 * * 1/2", "0 30 4 * * 1,3,5"),
        ("30 4 * jan mon-fri", "0 30 4 * 1 1,2,3,4,5"),
        ("*/15 * * * *", "0 0,15,30,45 * * * *"),
        ("0 3 */2 * 1", "0 0 3 */2 * 1"),
        ("0 3 */20,31 * 1", "0 0 3 */20,31 * 1"),
        ("0 3 1-31 * 1", f"0 0 3 {','.join(str(day) for day in range(1, 32))} * 1"),
    ],
)
def test_kubeflow_gets_values_that_its_parser_reads_as_we_do(text: str, sent: str) -> None:
    assert Cron.parse(text).six_fields() == sent


def test_a_step_from_a_weekday_does_not_reach_around_to_sunday() -> None:
    assert Cron.parse("0 3 * * 1/2").weekdays == {1, 3, 5}


@pytest.mark.parametrize(
    ("due", "hours"),
    [
        (datetime(2026, 11, 30, 3, 0, tzinfo=UTC), 0.0),
        (datetime(2026, 11, 29, 18, 0, tzinfo=UTC), 9.0),
        (datetime(2026, 11, 30, 8, 0, tzinfo=UTC), -5.0),
        (datetime(2026, 11, 29, 21, 30, tzinfo=UTC), 5.5),
    ],
)
def test_the_zone_of_the_server_follows_from_when_it_ran(due: datetime, hours: float) -> None:
    zone = Cron.parse("0 3 * * 1").zone_of(due)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=hours)


def test_a_run_at_a_time_that_no_zone_explains_tells_nothing() -> None:
    assert Cron.parse("0 3 * * 1").zone_of(datetime(2026, 12, 3, 3, 7, tzinfo=UTC)) is None
