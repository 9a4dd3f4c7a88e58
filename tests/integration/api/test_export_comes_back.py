"""What we export can be added to a corpus: the very texts, with the labels that reviewers gave."""

from pathlib import Path
from typing import Literal

import pytest

from components.prepare_corpus.intake.rows import read_rows
from shield.labels import FeedbackType, ModelType, ScanType
from tests.integration.api.steps import decide
from tests.support.api import RunningApi

TEXTS = [
    *("=1+1 win", "'=win", "''+win", "  @win", "-win, now", '"win", he "said"', "'win'"),
    *(
        "win,ham\nspam,win",
        "win\r\nand\nwin",
        '\twin \\\\ \\"',
        "win \ufffd now",
        "win \u2028 €5 日本",
    ),
]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_comes_back_byte_for_byte(
    sqlite_api: RunningApi, form: Literal["csv", "json"], tmp_path: Path
) -> None:
    with sqlite_api.client("ida") as user:
        for text in TEXTS:
            scan = user.scan(ScanType.TEXT, text)
            decide(sqlite_api, user.send_feedback(scan.id, FeedbackType.FALSE_POSITIVE).id)
    path = tmp_path / f"export.{form}"
    with sqlite_api.client("sam", "admin") as client:
        path.write_bytes(client.export(form))
    reading = read_rows(path, ModelType.SMS)
    assert reading.bad == []
    assert sorted(reading.rows["text"]) == sorted(TEXTS)
    assert set(reading.rows["label"]) == {0}
    assert reading.rows["scanned_at"].null_count() == 0
    assert reading.found["kind"].startswith("our own export")
    foreign = read_rows(path, ModelType.VOICE)
    assert {each.why for each in foreign.bad} == {"it is of another model type than voice"}
