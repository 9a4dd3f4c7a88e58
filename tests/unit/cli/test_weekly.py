import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import retraining
from cli.home import Home
from cli.supervise import spawn
from cli.weekly import Calendar, told
from pipelines.schedule import Cron
from shield.labels import ModelType
from tests.support.waiting import PATIENCE_SECONDS

MONDAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ANSWER = "import json; print(json.dumps({'outcome': 'skipped', 'message': 'too few.'}))"

Run = Callable[[datetime], None]


class Week:
    """A calendar on a data directory, with runs that are real processes."""

    def __init__(self, home: Home, code: str = ANSWER) -> None:
        self.home, self.code = home, code
        self.started: list[str] = []
        self.said: list[str] = []

    def start(self, model_type: ModelType, run_id: str) -> retraining.Job:
        self.started.append(run_id)
        answer, log = self.home.root / "answer.json", self.home.logs / "run.log"
        command = [sys.executable, "-c", self.code]
        process = spawn(command, dict(os.environ), log, self.home.root, answer=answer)
        return retraining.Job(process, answer, log, lambda progress: None)

    def at(self, *moments: datetime) -> "Week":
        """Look at the clock at these moments, every run given the time to end."""
        with Calendar(self.home, Cron.parse("0 3 * * 1"), {}, self.said.append, self.start) as week:
            for moment in moments:
                week.tick(moment)
                for _ in ModelType:
                    if week._job is not None:
                        week._job[2].process.wait(PATIENCE_SECONDS)
                        week.tick(moment)
        return self


@pytest.fixture
def week(tmp_path: Path) -> Week:
    return Week(Home.open(tmp_path / "home"))


def test_nothing_is_due_before_the_first_monday(week: Week) -> None:
    assert week.at(MONDAY - timedelta(days=3), MONDAY - timedelta(minutes=1)).started == []


def test_each_model_type_runs_once_when_it_is_due(week: Week) -> None:
    week.at(MONDAY - timedelta(days=1), MONDAY, MONDAY + timedelta(minutes=1))
    assert week.started == [
        f"weekly-{name}-20261123T0300Z" for name in ("sms", "phishing", "voice")
    ]
    assert "sms: skipped. too few." in week.said


def test_a_week_that_was_slept_through_is_made_up_once(week: Week) -> None:
    week.at(MONDAY - timedelta(days=1))
    week.at(MONDAY + timedelta(days=17))
    assert week.started[0] == "weekly-sms-20261207T0300Z"
    assert len(week.started) == len(ModelType)


def test_a_restart_does_not_repeat_what_was_done(week: Week) -> None:
    week.at(MONDAY - timedelta(days=1), MONDAY)
    before = list(week.started)
    assert week.at(MONDAY + timedelta(hours=1)).started == before


def test_a_run_that_was_interrupted_is_taken_up_under_the_same_name(tmp_path: Path) -> None:
    week = Week(Home.open(tmp_path / "home"), code="import time; time.sleep(600)")
    with Calendar(week.home, Cron.parse("0 3 * * 1"), {}, week.said.append, week.start) as calendar:
        calendar.tick(MONDAY - timedelta(days=1))
        calendar.tick(MONDAY)
    week.code = ANSWER
    week.at(MONDAY + timedelta(minutes=5))
    assert week.started[:2] == ["weekly-sms-20261123T0300Z"] * 2


def test_a_failed_run_is_told_and_the_schedule_goes_on(tmp_path: Path) -> None:
    code = "import sys; print('the store is away.', file=sys.stderr); sys.exit(1)"
    week = Week(Home.open(tmp_path / "home"), code)
    week.at(MONDAY - timedelta(days=1), MONDAY)
    assert any("the store is away." in sentence for sentence in week.said)
    assert len(week.started) == len(ModelType)
    done = json.loads((week.home.root / "schedule.json").read_text())
    assert done["sms"] == MONDAY.isoformat()


def test_the_daily_look_keeps_a_calendar_of_its_own(tmp_path: Path) -> None:
    look = {"verdict": "steady", "signals": [], "reason": "misses: none."}
    code = f"import json; print(json.dumps({look!r}))"
    week = Week(Home.open(tmp_path / "home"), code)
    daily = Cron.parse("30 4 * * *")
    for day in range(3):
        with Calendar(week.home, daily, {}, week.said.append, week.start, kind="drift") as watch:
            for _ in ModelType:
                watch.tick(MONDAY + timedelta(days=day, hours=2))
                if watch.busy:
                    assert watch._job is not None
                    watch._job[2].process.wait(PATIENCE_SECONDS)
            watch.tick(MONDAY + timedelta(days=day, hours=2))
    assert week.started == [
        f"drift-{name}-2026112{day}T0430Z" for day in (4, 5) for name in ModelType
    ]
    assert "sms: drift: steady. misses: none." in week.said
    assert not (week.home.root / "schedule.json").exists()


def test_a_look_that_retrained_says_why_and_what_became_of_it() -> None:
    ended = {"run_id": "drift-sms-1", "outcome": "refused", "message": "slices: 3 points lost."}
    look = {"verdict": "retrain", "reason": "misses: 45 of 150.", "retraining": ended}
    assert told(look) == "drift: retrain. misses: 45 of 150. refused. slices: 3 points lost."
    assert told(ended) == "refused. slices: 3 points lost."
