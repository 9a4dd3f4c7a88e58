"""The schedules of one machine: what is due is started once, also if we slept through it.

There are two: the weekly retraining, and the daily look for drift. `schedule.json` (`drift.json`)
in the data directory remembers, for each model type, the due time that was last
taken care of. A run is named after its due time, so one that was interrupted is taken up again
under the same name and gets the same batch.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from cli import retraining
from cli.home import Home, write_whole
from pipelines.schedule import Cron
from shield.errors import ShieldError
from shield.labels import ModelType
from shield.wire import SCHEDULED

Start = Callable[[ModelType, str], retraining.Job]
"""Starts the run of a model type under a run id."""


class Calendar:
    """Starts one run at a time: two trainings at once would be slower than one after the other."""

    def __init__(
        self,
        home: Home,
        cron: Cron,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        start: Start | None = None,
        kind: str = "weekly",
    ) -> None:
        self._file = home.root / ("schedule.json" if kind == "weekly" else f"{kind}.json")
        self._kind = kind
        self._cron = cron
        self._say = say
        self._job: tuple[ModelType, datetime, retraining.Job] | None = None
        self._start: Start = start or (
            lambda model_type, run_id: retraining.weekly(
                home, model_type, run_id, environment, _quietly, "--trigger", SCHEDULED
            )
        )
        self._done = self._read()

    def __enter__(self) -> Self:
        """Return the calendar itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the run in progress; it is taken up again at the next start."""
        if self._job is not None:
            self._job[2].stop()

    @property
    def busy(self) -> bool:
        """Tell whether something that was due is still at work."""
        return self._job is not None

    def tick(self, now: datetime) -> None:
        """Look at the clock: end what has ended, start what is due."""
        if self._job is not None:
            model_type, due, job = self._job
            if not job.poll():
                return
            self._job = None
            self._tell(model_type, job)
            self._settle(model_type, due)
        for model_type in ModelType:
            # Never seen before: the first run is the coming one, not one from the past.
            if model_type not in self._done:
                self._settle(model_type, now)
            missed = self._latest_due(self._done[model_type], now)
            if missed is not None:
                run_id = f"{self._kind}-{model_type}-{missed:%Y%m%dT%H%MZ}"
                self._say(f"{run_id} begins.")
                self._job = (model_type, missed, self._start(model_type, run_id))
                return

    def _latest_due(self, last: datetime, now: datetime) -> datetime | None:
        """Return the newest due time in (last, now]: of many missed runs only one is made up."""
        due: datetime | None = None
        coming = self._cron.next_after(last)
        while coming <= now:
            due = coming
            coming = self._cron.next_after(due)
        return due

    def _tell(self, model_type: ModelType, job: retraining.Job) -> None:
        try:
            result = job.result()
        except ShieldError as error:
            self._say(error.message)
        else:
            self._say(f"{model_type}: {told(result)}")

    def _settle(self, model_type: ModelType, due: datetime) -> None:
        self._done[model_type] = due
        text = json.dumps({name: moment.isoformat() for name, moment in self._done.items()})
        write_whole(self._file, text.encode())

    def _read(self) -> dict[ModelType, datetime]:
        if not self._file.exists():
            return {}
        due_times = json.loads(self._file.read_text())
        return {
            ModelType(name): datetime.fromisoformat(text).astimezone(UTC)
            for name, text in due_times.items()
        }


def _quietly(progress: retraining.Progress) -> None:
    """Tell nobody of progress: the run's log has it."""


def told(result: Mapping[str, Any]) -> str:
    """Return what came of a run in a line: of a retraining, or of a look for drift."""
    ended = result.get("retraining") or result
    said = [f"drift: {result['verdict']}. {result['reason']}"] if "verdict" in result else []
    if "outcome" in ended:
        said.append(f"{ended['outcome']}. {ended.get('message', '')}")
    return " ".join(said).rstrip()
