import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bench.learning import cycles, gates, mails
from bench.learning.evasions import BY_MONTH, homoglyphs, plain, short_links, zero_width
from bench.learning.stream import feedback
from bench.outcome import Scale, spread
from shield.errors import Invalid
from shield.text import normalise, readable

SCAM = "URGENT! You have WON a free prize. Call 09061701461 now to claim your cash award"


@pytest.mark.parametrize(("name", "evasion"), BY_MONTH)
def test_an_evasion_changes_the_message_and_repeats_itself(name: str, evasion) -> None:
    changed = [evasion(SCAM, random.Random(seed)) for seed in (1, 2, 3)]
    assert changed == [evasion(SCAM, random.Random(seed)) for seed in (1, 2, 3)]
    assert any(text != SCAM for text in changed)
    assert all(len(text) > len(SCAM) / 3 for text in changed)


def test_disguises_that_the_eye_cannot_see_are_undone_by_the_normaliser() -> None:
    assert readable(zero_width(SCAM, random.Random(1))) == SCAM
    assert readable(homoglyphs(SCAM, random.Random(1))) == SCAM
    assert normalise(homoglyphs(SCAM, random.Random(1))) != SCAM  # the disguise is a sign
    assert homoglyphs(SCAM, random.Random(1)) != SCAM
    assert "09061701461" not in short_links(SCAM, random.Random(1))
    assert "09061701461" not in plain(SCAM, random.Random(1))


def test_users_report_most_errors_and_few_right_verdicts() -> None:
    n = 20_000
    month = pl.DataFrame({"text": [f"t{row}" for row in range(n)], "label": [1] * n})
    flagged = np.arange(n) < n // 2
    reports = feedback(month, flagged, seed=0)
    wrongly_passed = {f"t{row}" for row in range(n // 2, n)}
    errors = reports.filter(pl.col("text").is_in(list(wrongly_passed))).height
    assert errors / (n / 2) == pytest.approx(0.6 * (1 - 0.05 * 0.8), abs=0.02)
    assert (reports.height - errors) / (n / 2) == pytest.approx(0.1 * 0.96, abs=0.02)
    lies = reports.filter(pl.col("label") == 0).height
    assert lies / reports.height == pytest.approx(0.05 * 0.2 / 0.96, abs=0.01)


def test_drawn_verdicts_have_the_rates_that_were_asked_for() -> None:
    drawn = cycles.comparison(np.random.default_rng(0), 100_000, 100_000, 0.97, -0.01, 0.03)
    assert drawn.champion.accuracy == pytest.approx(0.97, abs=0.002)
    assert drawn.challenger.accuracy == pytest.approx(0.96, abs=0.002)
    assert drawn.lost + drawn.won == pytest.approx(0.03 * 200_000, rel=0.05)


def test_the_gate_experiment_runs_in_small() -> None:
    outcome = gates.run(Scale(short=True))
    assert {aim.name.split(":")[0] for aim in outcome.aims} == {"gate", "gate and trial"}
    assert json.dumps(outcome.figures)
    worse = [row for row in outcome.figures["single_cycles"] if row["change_points"] == -2]
    assert all(row["promoted"] == 0 for row in worse)


def test_dated_mails_are_read_in_the_order_of_their_days(tmp_path: Path) -> None:
    path = tmp_path / "mails.csv"
    path.write_text(
        "date,text,label\n"
        "2003-01-02T00:00:00+02:00,later,ham\n"
        '"Thu, 22 Aug 2002 13:17:21 +0100","earlier, and spam",phishing\n'
    )
    table = mails.read(path)
    assert table["text"].to_list() == ["earlier, and spam", "later"]
    assert table["label"].to_list() == [1, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,text\n", "no column label"),
        ("date,text,label\n2003-01-01,x,maybe\n", "row 2: the label 'maybe'"),
        ("date,text,label\nyesterday,x,ham\n", "'yesterday' is no date"),
    ],
)
def test_a_bad_row_of_mails_is_named(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mails.csv"
    path.write_text(text)
    with pytest.raises(Invalid, match=says):
        mails.read(path)


def test_spread_keeps_every_value() -> None:
    assert spread([0.1, 0.3]) == {"mean": 0.2, "low": 0.1, "high": 0.3, "values": [0.1, 0.3]}
