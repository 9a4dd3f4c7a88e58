"""The notebooks run, from the first cell to the last, on small data."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packages import CHAT, LURES, signed_package
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("training")

NOTEBOOKS = Path(__file__).parents[3] / "docs/notebooks"


def run(name: str, *arguments: object, cwd: Path) -> str:
    """Run a notebook as a script and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(NOTEBOOKS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([[text, 1] for text in LURES] + [[text, 0] for text in CHAT])
    return path


def test_two_packages_are_compared(tmp_path: Path, table: Path) -> None:
    old, new = (signed_package(seed).package.path for seed in (0, 1))
    told = run("compare.py", old, new, table, cwd=tmp_path)
    assert "golden           recall" in told
    assert "->" in told
