import json
from pathlib import Path

import polars as pl
import pytest

from components.prepare_corpus.add import add
from components.prepare_corpus.intake.rows import read_rows
from components.shared import messages
from components.shared.corpus_store import current_key
from shield.artifacts.directory import DirectoryStore
from shield.errors import Invalid
from shield.labels import ModelType


def store_with_corpus(folder: Path) -> DirectoryStore:
    store = DirectoryStore(folder / "store")
    store.put(current_key(ModelType.SMS), b'{"modelType": "sms"}')
    return store


def test_bad_rows_are_listed_with_line_and_reason_and_good_ones_taken(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    long = "x" * 20_001
    file.write_bytes(
        b"text,label\nhello there,ham\n,spam\nwin now,scam\nwin a prize,SPAM\n\xff\xfebad,ham\n"
        + f"{long},ham\n".encode()
        + "😀😀,1\n".encode()
    )
    reading = read_rows(file, ModelType.SMS)
    assert reading.rows.select("text", "label").rows() == [
        ("hello there", 0),
        ("win a prize", 1),
        ("😀😀", 1),
    ]
    assert [each.line for each in reading.bad] == [3, 4, 6, 7]
    assert "none of ham, spam" in reading.bad[1].why


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_other_formats_are_read_with_their_dates(tmp_path: Path, ending: str) -> None:
    table = pl.DataFrame({"text": ["a b"], "label": ["spam"], "date": ["2026-01-02T03:04:05"]})
    file = tmp_path / f"mine{ending}"
    if ending == ".jsonl":
        table.write_ndjson(file)
    else:
        table.write_parquet(file)
    reading = read_rows(file, ModelType.SMS)
    assert reading.bad == []
    assert reading.rows["scanned_at"][0].isoformat() == "2026-01-02T03:04:05+00:00"


def test_adding_twice_names_the_file_once(tmp_path: Path) -> None:
    file, store = tmp_path / "mine.csv", store_with_corpus(tmp_path)
    file.write_text("text,label\nhello there,ham\nhello there,ham\n")
    assert add(store, ModelType.SMS, file).known == 1
    add(store, ModelType.SMS, file)
    (entry,) = json.loads(store.get(current_key(ModelType.SMS)))["added"]
    assert messages.read(store.root / entry["key"])["text"].to_list() == ["hello there"]


@pytest.mark.parametrize(
    "content", ["", "text,label\n", "text,label\nx,what\n", "message,y\na,b\n"]
)
def test_a_file_without_a_usable_row_adds_nothing_and_says_why(
    tmp_path: Path, content: str
) -> None:
    file, store = tmp_path / "mine.csv", store_with_corpus(tmp_path)
    file.write_text(content)
    with pytest.raises(Invalid):
        add(store, ModelType.SMS, file)
    assert store.get(current_key(ModelType.SMS)) == b'{"modelType": "sms"}'
