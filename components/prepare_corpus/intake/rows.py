"""Rows of a source as messages: taken, or listed with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from components.prepare_corpus.intake.columns import Meaning, meaning_of, other_types
from components.prepare_corpus.intake.dates import NONE, dates
from components.prepare_corpus.intake.decoding import BROKEN
from components.prepare_corpus.intake.sources import name_of, read_source
from components.prepare_corpus.intake.table import LINE, BadRow, HowToRead, Table
from components.shared import messages
from shield.characters import NOTHING_SEEN
from shield.errors import Invalid
from shield.labels import LABELS, ModelType
from shield.spreadsheet import unguarded

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

LONGEST = 20_000
"""Longest message, characters; the API takes no longer ones either."""
_EXPORT = {"text", "originalLabel", "correctedLabel"}
"""Columns by which an export of ours is known."""


@dataclass(frozen=True)
class Reading:
    """A source as it was read: every row of it is in `rows` or in `bad`."""

    rows: pl.DataFrame
    """Usable rows, as messages."""
    lines: list[int]
    """Where each of them stands."""
    bad: list[BadRow]
    """In the order of the source."""
    found: dict[str, str]
    """What was found about the source, by name."""


def read_rows(
    source: Path | Dataset | DatasetDict,
    model_type: ModelType,
    name: str | None = None,
    how: HowToRead | None = None,
) -> Reading:
    """Return the usable rows of a source, and the others with the reason.

    Args:
        source: A file, a directory of `save_to_disk` or of mails, or a dataset of `datasets`: all
            its splits.
        model_type: Whose labels.
        name: What the rows are called; by default after the source.
        how: What is known about the source; the rest is found.

    Raises:
        Invalid: It cannot be read at all, or it does not show what it holds; says what to name.
    """
    how = how or HowToRead()
    table, name = read_source(source, how), name or name_of(source)
    if table.rows.height == 0 and not table.columns:
        raise Invalid(f"{name} is empty. Nothing was added.")
    ours = set(table.columns) >= _EXPORT
    if ours:
        table.rows = table.rows.with_columns(
            text=pl.col("text").map_elements(unguarded, return_dtype=pl.String)
            if table.delimiter
            else pl.col("text")
        )
        table.delimiter = None  # written by us: rows in a message are its own
        table.found["kind"] = f"our own export ({table.found['kind']})"
    meaning = meaning_of(table, model_type, how, name)
    times, undated, form = _times(table, meaning.date, how.date_format)
    facts = {**table.found, **meaning.shown(table, model_type), "date": form}
    judged = _judged(table, meaning, model_type, undated, other_types(table, model_type))
    judged = judged.with_columns(times)
    bad = table.bad + [
        BadRow(int(line), str(why))
        for line, why in judged.filter(pl.col("why").is_not_null()).select(LINE, "why").iter_rows()
    ]
    good = judged.filter(pl.col("why").is_null())
    origin = f"{messages.ADDED}{name}"
    rows = good.select(
        pl.col("text"),
        pl.col("label"),
        pl.lit(origin).alias("source"),
        pl.col("scanned_at"),
        *(pl.col(each) for each in ("tactic", "language") if each in good.columns),
        id=pl.col("text").map_elements(
            lambda each: messages.message_id(origin, each), return_dtype=pl.String
        ),
    )
    bad.sort(key=lambda each: each.line)
    return Reading(messages.conform(rows), good[LINE].to_list(), bad, facts)


def _times(table: Table, column: str | None, told: str | None) -> tuple[pl.Series, pl.Series, str]:
    """Return (times of the rows, which rows hold no date where one should be, the form)."""
    cells: list[str | None] = [None] * table.rows.height
    at: list[datetime | None] = [None] * table.rows.height
    form = "there is no such column"
    if column is not None:
        cells = table.rows[column].to_list()
        at, form = dates(cells, column, told)
    wrong = [
        told != NONE and when is None and bool((cell or "").strip())
        for cell, when in zip(cells, at, strict=True)
    ]
    return (
        pl.Series("scanned_at", at, messages.SCHEMA["scanned_at"]),
        pl.Series("undated", wrong, pl.Boolean),
        form if column is None else f"{column}: {form}",
    )


def _judged(
    table: Table,
    meaning: Meaning,
    model_type: ModelType,
    undated: pl.Series,
    foreign: pl.Expr | None,
) -> pl.DataFrame:
    """Return the rows with the columns `text`, `label` (1: scam) and `why` (null: usable)."""
    text = pl.col(meaning.text)
    words = {word: int(scam) for word, scam in meaning.words.items()}
    if meaning.label is None:
        label = pl.lit(int(bool(meaning.only)), dtype=pl.Int8)
    else:
        word = pl.col(meaning.label).str.strip_chars().str.to_lowercase()
        label = word.replace_strict(words, default=None, return_dtype=pl.Int8)
    shown = pl.lit("nothing") if meaning.label is None else pl.col(meaning.label).fill_null("")
    known = ", ".join([*LABELS[model_type], "0", "1"])
    judged = table.rows.with_columns(undated.alias("\x00undated")).with_columns(
        pl.when(text.is_null() | text.str.contains(NOTHING_SEEN))
        .then(pl.lit("the text is empty"))
        .when(text.str.len_chars() > LONGEST)
        .then(pl.lit(f"the text is longer than {LONGEST} characters"))
        .when(text.str.contains(BROKEN, literal=True))
        .then(pl.lit("the text has bytes that are no characters in this encoding: see --encoding"))
        .when(text.is_in(["(a list)", "(an object)", "(no text)"]))
        .then(pl.format("the text is no text but {}", text))
        .when(_holds_rows(text, table, words))
        .then(pl.lit("it holds further rows: a quotation mark before it is not closed"))
        .when(foreign if foreign is not None else pl.lit(value=False))
        .then(pl.lit(f"it is of another model type than {model_type}"))
        .when(label.is_null())
        .then(
            pl.format(
                "the label {} is none of " + known + "; say what it means: --map WORD=LABEL",
                pl.concat_str(pl.lit("'"), shown, pl.lit("'")),
            )
        )
        .when(pl.col("\x00undated"))
        .then(pl.lit("the date is none, or of another form than the others: see --date-format"))
        .alias("\x00why"),
        label.alias("\x00label"),
        text.alias("\x00text"),
    )
    judged = judged.select(
        LINE,
        *(each for each in ("tactic", "language") if each in table.columns),
        text="\x00text",
        label="\x00label",
        why="\x00why",
    )
    usable = pl.col("why").is_null()
    torn = judged.filter(usable).filter(pl.col("label").n_unique().over("text") > 1)
    return judged.with_columns(
        why=pl.when(usable & pl.col("text").is_in(torn["text"].implode()))
        .then(pl.lit("the same text stands in the file with the other label, too"))
        .otherwise(pl.col("why"))
    )


def _holds_rows(text: pl.Expr, table: Table, words: dict[str, int]) -> pl.Expr:
    """Tell which cells hold lines that look like rows of their own: a label and a delimiter."""
    if table.delimiter is None:
        return pl.lit(value=False)
    sign = re.escape(table.delimiter)
    spelled = "|".join(re.escape(word) for word in words if word.isalpha())
    label = rf'"?(?:{spelled})"?'
    return text.str.contains(rf"(?im)\n{label}{sign}|{sign}{label}\r?\n")
