"""`make bench-learning ARGS=--short`: every experiment of minutes runs, on real messages."""

import csv
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.learning.__main__ import EXPERIMENTS, RESULTS, SLOW_IN_SHORT
from components.prepare_corpus.reading import read_corpus
from components.shared.environment import StepSettings
from shield.labels import ModelType

ROOT = Path(__file__).parents[3]


def dated(path: Path) -> Path:
    """Write the SMS corpus as dated mails, one every hour: the replay reads any such file."""
    rows = read_corpus(ModelType.SMS, StepSettings()).select("text", "label")
    assert set(rows["label"]) == {0, 1}
    start = datetime(2002, 1, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["date", "text", "label"])
        for place, (text, label) in enumerate(rows.sample(fraction=1.0, seed=1).iter_rows()):
            writer.writerow([(start + timedelta(hours=place)).isoformat(), text, label])
    return path


def played(mails: Path, *arguments: str) -> str:
    before = RESULTS.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "bench.learning", "--short", *arguments],
        cwd=ROOT,
        env={**os.environ, "SHIELD_BENCH_MAILS": str(mails)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert RESULTS.read_bytes() == before, "a short run is no measurement"
    return done.stdout


@pytest.mark.xdist_group("experiments")
@pytest.mark.timeout(1800)
def test_the_experiments_run_in_small(tmp_path: Path) -> None:
    told = played(dated(tmp_path / "mails.csv"))
    done = re.findall(r"^ +(\S+) took \d+ s$", told, re.MULTILINE)
    assert done == [name for name in EXPERIMENTS if name not in SLOW_IN_SHORT]
    # What does not hang on size holds in small as well.
    for aim in (
        "gate: 1 point worse is promoted",
        "gate: 1 point better is promoted",
        # One scam of those that judge in small is 1.1 points, and more than the aim.
        "poison: 20% liars cost recall",
        "poison: 20% liars open a backdoor",
    ):
        assert re.search(rf"^met +{re.escape(aim)}", told, re.MULTILINE), told
    real_time = next(line for line in told.splitlines() if "real time: mails" in line)
    assert "nan" not in real_time


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_experiments_that_train_transformers_run_in_small(tmp_path: Path) -> None:
    told = played(tmp_path / "none.csv", "--only", ",".join(sorted(SLOW_IN_SHORT)))
    assert set(re.findall(r"^ +(\S+) took \d+ s$", told, re.MULTILINE)) == SLOW_IN_SHORT


def test_the_page_is_what_the_results_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from bench.learning import page

    written = page.DOCS / "benchmarks-learning.md"
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(page, "IMAGES", tmp_path / "images")
    page.write_page(json.loads(RESULTS.read_text()))
    assert (tmp_path / "benchmarks-learning.md").read_text() == written.read_text()
    for image in (tmp_path / "images").iterdir():
        assert image.read_bytes() == (written.parent / "images" / image.name).read_bytes(), image


def test_an_unknown_experiment_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from bench.learning.__main__ import main

    with pytest.raises(SystemExit):
        main(["--only", "alchemy"])
    assert "no experiment alchemy" in capsys.readouterr().err
