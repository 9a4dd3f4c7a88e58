"""Whoever starts a run sees each step once, and how far the present one is."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.console import Terminal
from cli.following import Steps, follow
from cli.retraining import Job, Progress
from shield.errors import ShieldError

STEPS = """
import json, sys
def step(name, state, **more):
    print(json.dumps({"name": name, "state": state, **more}), file=sys.stderr)
step("train", "started")
for done in (100, 200):
    step("train", "running", detail=f"{done} of 300 steps, about 9 s left")
step("train", "finished", seconds=61.5)
"""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def plain_terminal() -> tuple[Terminal, io.StringIO]:
    terminal, page = Terminal(), io.StringIO()
    terminal.err.file = page
    return terminal, page


def started(folder: Path, script: str) -> Callable[[Callable[[Progress], None]], Job]:
    def start(tell: Callable[[Progress], None]) -> Job:
        log, answer = folder / "run.log", folder / "run.json"
        with log.open("wb") as errors, answer.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", script], stdout=output, stderr=errors, start_new_session=True
            )
        return Job(process, answer, log, tell)

    return start


def test_a_step_is_told_once_when_it_has_ended(tmp_path: Path) -> None:
    terminal, page = plain_terminal()
    script = STEPS + 'print(json.dumps({"outcome": "succeeded"}))'
    assert follow(terminal, started(tmp_path, script)) == {"outcome": "succeeded"}
    assert page.getvalue() == "  train               61.5 s\n"


def test_a_run_that_failed_says_why(tmp_path: Path) -> None:
    terminal, page = plain_terminal()
    script = STEPS + 'step("gate", "failed", detail="no [golden] set"); sys.exit("It failed.")'
    with pytest.raises(ShieldError, match="It failed"):
        follow(terminal, started(tmp_path, script))
    assert "gate              failed no [golden] set" in page.getvalue()


def test_the_live_line_follows_and_a_log_gets_a_line_now_and_then() -> None:
    terminal, page = plain_terminal()
    clock, shown = Clock(), list[str]()
    steps = Steps(terminal, shown.append, "", clock)
    steps.tell(Progress("train", "started"))
    for second in range(60):
        clock.now = float(second)
        steps.tell(Progress("train", "running", detail=f"{second} of 60 steps"))
    assert shown == ["train", *(f"train: {second} of 60 steps" for second in range(60))]
    assert page.getvalue().splitlines() == ["train: 20 of 60 steps", "train: 40 of 60 steps"]
