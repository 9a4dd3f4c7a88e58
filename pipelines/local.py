"""Run the graph on one machine: `kfp.local` starts a process for each step."""

import io
import logging
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from shield.errors import ShieldError

PASSING = "passing"
"""Folder of a run for what its steps hold for a moment; it goes when the run ends."""
_STARTED = re.compile(r"Executing task '([\w-]+)'")
_ENDED = re.compile(r"Task '([\w-]+)' finished with status (\w+)")
_COLOUR = re.compile(r"\x1b\[\d*m")
_DETAIL = re.compile(r"^\s*(\w+): (.+)$")
_ERROR = re.compile(r"^\s*(?:[a-z_]+\.)*([A-Z]\w+): (.+)$")


@dataclass(frozen=True)
class StepProgress:
    """One step has begun, ended, or has something to tell."""

    name: str
    state: Literal["started", "running", "finished", "failed"]
    seconds: float | None = None
    detail: str = ""


@dataclass
class LocalRun:
    """What a run through the graph came to."""

    succeeded: bool
    seconds: dict[str, float] = field(default_factory=dict)
    """By step, in the order in which they ran. A step that was skipped is not there."""
    failed_step: str = ""
    error: str = ""
    outputs: dict[str, Path] = field(default_factory=dict)
    """Folder of each step's artifacts."""


class LocalRunner:
    """Runs graphs on this machine."""

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        on_progress: Callable[[StepProgress], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Run below `directory`, with `environment` added to that of every step."""
        self.directory, self.environment = directory.absolute(), environment
        self.on_progress, self.clock = on_progress, clock

    def run(self, pipeline: Any, arguments: Mapping[str, Any]) -> LocalRun:
        """Run a graph to its end, well or badly.

        Everything the steps print goes to `steps.log` in the directory.
        """
        from kfp import local

        root = self.directory / "artifacts"
        root.mkdir(parents=True, exist_ok=True)
        passing = self.directory / PASSING
        # A killed runner has left it, with messages in it perhaps.
        shutil.rmtree(passing, ignore_errors=True)
        passing.mkdir()
        # Python looks for TMPDIR once and remembers it: here it is another folder, for a while.
        remembered, tempfile.tempdir = tempfile.tempdir, None
        before = set(root.iterdir())
        done = LocalRun(succeeded=False)
        watcher = _Watcher(self, done)
        added = {
            **self.environment,
            "TMPDIR": str(passing),
            "SHIELD_RUNNER_PID": str(os.getpid()),
            "PYTHONUNBUFFERED": "1",
            # Threads that wait for each other by spinning take the cores from the services beside.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
            "TOKENIZERS_PARALLELISM": "false",
        }
        with (
            _environment(added),
            (self.directory / "steps.log").open("a", encoding="utf-8") as file,
            _watched(watcher),
            redirect_stdout(_Lines(file, watcher.line)),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            local.init(
                runner=local.SubprocessRunner(use_venv=False),
                pipeline_root=str(root),
                raise_on_error=True,
            )
            try:
                pipeline(**arguments)
                done.succeeded = True
            except RuntimeError as error:
                # kfp's own words name the step alone; the step's last words say what to do.
                done.error = done.error or str(error)
            finally:
                tempfile.tempdir = remembered
                shutil.rmtree(passing, ignore_errors=True)
        for folder in sorted(set(root.iterdir()) - before):
            done.outputs |= {each.name: each for each in folder.iterdir() if each.is_dir()}
        return done


class _Watcher:
    """Reads the runner's log: kfp.local has no callback for its steps."""

    def __init__(self, runner: LocalRunner, done: LocalRun) -> None:
        self.runner, self.done = runner, done
        self.started: dict[str, float] = {}
        self.present = ""
        self.last_error = ""

    def record(self, record: logging.LogRecord) -> bool:
        message = _COLOUR.sub("", record.getMessage())
        if match := _STARTED.search(message):
            self.present = match[1].replace("-", "_")
            self.started[self.present] = self.runner.clock()
            self.last_error = ""
            self.runner.on_progress(StepProgress(self.present, "started"))
        elif match := _ENDED.search(message):
            name = match[1].replace("-", "_")
            seconds = round(self.runner.clock() - self.started.get(name, 0.0), 3)
            self.done.seconds[name] = seconds
            failed = match[2] != "SUCCESS"
            if failed and not self.done.failed_step:
                self.done.failed_step, self.done.error = name, self.last_error
            self.runner.on_progress(
                StepProgress(
                    name,
                    "failed" if failed else "finished",
                    seconds,
                    self.last_error if failed else "",
                )
            )
        return True

    def line(self, line: str) -> None:
        if match := _ERROR.match(line):
            self.last_error = match[2]
        elif (match := _DETAIL.match(line)) and match[1] == self.present:
            self.runner.on_progress(StepProgress(self.present, "running", detail=match[2]))


class _Lines(io.TextIOBase):
    """Writes to a file and tells of each whole line."""

    def __init__(self, file: io.TextIOBase | Any, on_line: Callable[[str], None]) -> None:
        self._file, self._on_line, self._rest = file, on_line, ""

    def write(self, text: str) -> int:
        self._file.write(text)
        self._file.flush()
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._on_line(_COLOUR.sub("", line))
        return len(text)


@contextmanager
def _watched(watcher: _Watcher) -> Any:
    # A filter, not a handler: kfp.local takes the root logger's handlers away while it runs.
    root = logging.getLogger()
    root.addFilter(watcher.record)
    try:
        yield
    finally:
        root.removeFilter(watcher.record)


@contextmanager
def _environment(added: Mapping[str, str]) -> Any:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def explain(done: LocalRun) -> str:
    """Return one sentence about a failed run."""
    if not done.failed_step:
        return done.error
    return f"The step {done.failed_step} failed: {done.error}"


__all__ = ["LocalRun", "LocalRunner", "ShieldError", "StepProgress", "explain"]
