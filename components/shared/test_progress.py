"""A step tells how far it is and how long it still takes, and not more often than is of use."""

import pytest

from components.shared.progress import Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_from_the_pace_of_this_try(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    progress = Progress("train", 1200, "steps", done=970, clock=clock)
    for _ in range(4):
        clock.now += 1
        progress.add(5, "loss 0.5")
    assert capsys.readouterr().err.splitlines() == [
        "train: 980 of 1,200 steps, about 44 s left, loss 0.5",
        "train: 990 of 1,200 steps, about 42 s left, loss 0.5",
    ]
    progress.add(210)
    assert capsys.readouterr().err == "train: 1,200 of 1,200 steps\n"


def test_quick_work_is_told_by_tenths(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("prepare_corpus", 20, "messages", clock=Clock())
    for _ in range(20):
        progress.add(1)
    assert len(capsys.readouterr().err.splitlines()) == 10


def test_minutes_are_told_in_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress("evaluate", 1000, "messages", clock=clock)
    clock.now += 30
    progress.add(100)
    assert "about 4 min left" in capsys.readouterr().err
