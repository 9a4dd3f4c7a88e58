"""How the five metrics went, week by week, after a month in the life of an API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.metrics.history import WEEKS, Point, history
from api.tables import Feedback, Scan
from shield.labels import ModelType
from tests.browser.world import world
from tests.support.api import RunningApi
from tests.support.history import live_through


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with world(Path(tmp_path_factory.mktemp("history"))) as running:
        live_through(running)
        yield running


def told(api: RunningApi, model_type: ModelType | None = None) -> dict[str, list[Point]]:
    with api.services.sessions() as session:
        return history(session, api.clock(), model_type)


def test_every_scan_of_the_month_falls_into_one_week(api: RunningApi) -> None:
    points = told(api)["feedbackPerThousandScans"]
    with api.services.sessions() as session:
        scans = session.scalar(select(func.count()).where(Scan.forced.is_(False)))
        reports = session.scalar(
            select(func.count())
            .select_from(Feedback)
            .where(Feedback.source == "report", Feedback.feedback_type != "confirmed")
        )
    assert len(points) == WEEKS
    assert sum(point.n for point in points) == scans
    counted = sum(point.n * (point.value or 0) / 1000 for point in points)
    assert round(counted) == reports


def test_a_week_without_anything_is_unknown_and_not_zero(api: RunningApi) -> None:
    before = told(api)["approvalRate"][0]
    assert (before.value, before.n) == (None, 0)


def test_approvals_are_counted_in_the_week_of_the_decision(api: RunningApi) -> None:
    points = told(api)["approvalRate"]
    with api.services.sessions() as session:
        decided = (
            Feedback.source == "report",
            Feedback.status != "pending",
            Feedback.feedback_type != "confirmed",
        )
        total = session.scalar(select(func.count()).select_from(Feedback).where(*decided))
    assert sum(point.n for point in points) == total


def test_the_gain_goes_by_accepted_version(api: RunningApi) -> None:
    gains = [(point.label, point.value) for point in told(api)["recallGain"]]
    assert [name for name, _ in gains] == ["sms-v2", "sms-v4"]
    assert [value for _, value in gains] == pytest.approx([0.07, 0.03])


def test_a_skipped_run_is_no_retraining(api: RunningApi) -> None:
    points = told(api)["retrainingSuccess"]
    assert sum(point.n for point in points) == 3  # of four runs, one was skipped
    assert {point.value for point in points if point.n} == {1.0}


def test_a_model_type_that_did_nothing_has_no_history(api: RunningApi) -> None:
    points = told(api, ModelType.VOICE)
    assert points["recallGain"] == []
    assert {point.n for name in points for point in points[name]} == {0}
