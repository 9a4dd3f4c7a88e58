"""The table of messages: one schema, whatever a file of somebody left out."""

import json
from pathlib import Path

import polars as pl

from components.prepare_corpus.add import add
from components.prepare_corpus.test_add import store_with_corpus
from components.shared import messages
from components.shared.corpus_store import current_key
from shield.labels import ModelType


def test_cells_that_a_file_leaves_empty_are_unknown_and_never_null(tmp_path: Path) -> None:
    lines = [
        {"text": "see you at noon", "label": "ham", "language": "en", "tactic": "chat"},
        {"text": "win a prize", "label": "spam"},
    ]
    file, store = tmp_path / "mine.jsonl", store_with_corpus(tmp_path)
    file.write_text("\n".join(map(json.dumps, lines)))
    add(store, ModelType.SMS, file)
    (entry,) = json.loads(store.get(current_key(ModelType.SMS)))["added"]
    table = messages.read(store.root / entry["key"])
    assert table["language"].to_list() == ["en", ""]
    # The card of a package lists them: a null ended each training after its last epoch.
    assert sorted(set(table["language"]) - {""}) == ["en"]


def test_a_table_that_was_written_with_nulls_is_read_without() -> None:
    table = pl.DataFrame(
        {"id": ["a"], "text": ["hi"], "label": [0]},
        schema_overrides={"label": pl.Int8},
    ).with_columns(language=pl.lit(None, pl.String), weight=pl.lit(None, pl.Float32))
    read = messages.conform(table)
    assert read.schema == messages.SCHEMA
    assert read.select("language", "reporter", "weight", "scanned_at").rows() == [
        ("", "", 1.0, None)
    ]
