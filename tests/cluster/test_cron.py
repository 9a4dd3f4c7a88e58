"""Schedules against the parser of Kubeflow Pipelines: robfig/cron 1.2, built from its module.

(`backend/src/crd/controller/scheduledworkflow/util/cron_schedule.go` of kubeflow/pipelines.)
"""

import os
import random
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.schedule import Cron
from shield.errors import Invalid
from tests.support.controlplane.binaries import go

pytestmark = pytest.mark.cluster

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def test_kubeflow_runs_every_schedule_when_we_say_that_it_is_due(tmp_path: Path) -> None:
    dice = random.Random(os.urandom(8).hex())
    crons: list[Cron] = [Cron.parse(text) for text in ("30 4 * * 7", "0 3 */2 * 1", "0 0 29 2 *")]
    while len(crons) < 1000:
        with suppress(Invalid):
            crons.append(Cron.parse(drawn(dice)))
    answers = kubeflow([cron.six_fields() for cron in crons], tmp_path)
    for cron, answer in zip(crons, answers, strict=True):
        due, expected = START, []
        for _ in range(5):
            due = cron.next_after(due)
            expected.append(str(int(due.timestamp())))
        assert answer.split() == expected, f"{cron.text!r}, sent as {cron.six_fields()!r}: {answer}"


def test_kubeflow_refuses_what_it_is_no_longer_sent(tmp_path: Path) -> None:
    (answer,) = kubeflow(["0 30 4 * * 7"], tmp_path)
    assert answer == "refused: End of range (7) above maximum (6): 7"


def kubeflow(crons: Sequence[str], folder: Path) -> list[str]:
    program = folder / "robfig"
    subprocess.run(
        [*go(), "build", "-o", str(program), "."],
        cwd=Path(__file__).parent / "robfig",
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        check=True,
    )
    done = subprocess.run(
        [program], input="\n".join(crons), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def drawn(dice: random.Random) -> str:
    fields = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, MONTHS), (0, 7, DAYS))
    return " ".join(_field(dice, *field) for field in fields)


def _field(dice: random.Random, lowest: int, highest: int, words: Sequence[str]) -> str:
    def value() -> str:
        number = dice.randint(lowest, highest)
        named = words and number - lowest < len(words) and dice.random() < 0.2
        return words[number - lowest] if named else str(number)

    def item() -> str:
        first, last = sorted(dice.randint(lowest, highest) for _ in range(2))
        step = dice.randint(1, 9)
        values = [value(), f"{value()}/{step}", f"{first}-{last}", f"{first}-{last}/{step}"]
        return dice.choice(["*", f"*/{step}", value(), *values])

    return ",".join(item() for _ in range(dice.choice([1, 1, 1, 2, 3])))
