"""What the columns of a file mean: which holds the messages, which the labels, and their words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from components.prepare_corpus.intake.table import HowToRead, Table
from shield.errors import Invalid, UnknownLabel
from shield.labels import LABELS, MODEL_OF_SCAN, ModelType, ScanType, is_positive

_TEXT = (
    *("text", "message", "msg", "sms", "body", "content", "email text", "email", "mail", "url"),
    *("transcript", "sentence", "v2"),
)
_LABEL = (
    *("correctedlabel", "label", "labels", "class", "category", "target", "verdict", "v1"),
    *("email type", "spam", "is_spam", "is_scam", "phishing", "is_phishing", "type"),
)
_DATE = ("date", "timestamp", "datetime", "time", "received", "received_at", "sent", "scanned_at")
USUAL_NAMES = frozenset({*_TEXT, *_LABEL, *_DATE} - {"spam", "phishing"})
"""Names by which a first row is known to be a header, in small letters; labels are none."""
_FEW = 20
"""A column with more different words than this holds no labels."""


@dataclass(frozen=True)
class Meaning:
    """Which column is what, and what its words stand for."""

    text: str
    label: str | None
    """None: every message has the label `only`."""
    only: bool | None
    date: str | None
    words: dict[str, bool]
    """Word of the file, in small letters, to whether it is a scam."""

    def shown(self, table: Table, model_type: ModelType) -> dict[str, str]:
        """Return it as a person is told, with how often each word comes."""
        labels = LABELS[model_type]
        if self.label is None:
            return {"text": self.text, "label": f"all are {labels[bool(self.only)]}"}
        counted = Counter(_plain(table.rows[self.label]).fill_null("").to_list())
        told = [
            f"{word or 'nothing'} ({count:,})"
            + (f" is {labels[self.words[word]]}" if word in self.words else " is not known")
            for word, count in counted.most_common(_FEW)
        ]
        return {"text": self.text, "label": self.label, "labels": ", ".join(told)}


def meaning_of(table: Table, model_type: ModelType, how: HowToRead, name: str) -> Meaning:
    """Return what the columns mean: as told, else by their names, else by what is in them.

    Raises:
        Invalid: The messages or the labels cannot be told from the rest; says what to name.
        UnknownLabel: A word is said to mean a label that the model type has not.
    """
    words = _words(model_type, how.meanings)
    label = _told(table, how.label)
    only = None
    if label is None and how.label is not None:
        only = _label_for_all(table, how.label, model_type, name)
    text = _told(table, how.text)
    if text is None and how.text is not None:
        raise Invalid(f"{name} has no column {how.text!r}; it has {_listed(table)}.")
    if label is None and only is None:
        label = _label_column(table, words, name, text)
    text = text or _text_column(table, label, name)
    if text == label:
        raise Invalid(f"The column {text!r} cannot hold both the messages and the labels.")
    date = _by_name(table, _DATE) if table.named else None
    return Meaning(text, label, only, None if date in (text, label) else date, words)


def header_of(rows: Sequence[Sequence[Any]], how: HowToRead) -> Sequence[Any] | None:
    """Return the first row if it names columns: by a usual name, or by one that was told."""
    if not rows:
        return None
    cells = [str(cell if cell is not None else "").strip().lower() for cell in rows[0]]
    told = {name.strip().lower() for name in (how.text, how.label) if name}
    usual = told.intersection(cells) or any(cell in USUAL_NAMES for cell in cells)
    return rows[0] if usual and all(len(cell) <= 60 for cell in cells) else None


def other_types(table: Table, model_type: ModelType) -> pl.Expr | None:
    """Return which rows say that they are of another model type, in an export of ours."""
    if "scanType" not in table.columns:
        return None
    own = [kind.value for kind in ScanType if MODEL_OF_SCAN[kind] is model_type]
    return pl.col("scanType").is_in([kind.value for kind in ScanType]) & ~pl.col("scanType").is_in(
        own
    )


def _words(model_type: ModelType, meanings: dict[str, str]) -> dict[str, bool]:
    negative, positive = LABELS[model_type]
    words = {negative: False, positive: True, "0": False, "1": True, "false": False, "true": True}
    for word, label in meanings.items():
        words[word.strip().lower()] = is_positive(model_type, label)
    return words


def _plain(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).str.strip_chars().str.to_lowercase()


def _told(table: Table, column: str | None) -> str | None:
    """Return the column that is named so, by its name in any case, or by its place."""
    if column is None:
        return None
    for each in table.columns:
        if each.lower() == column.strip().lower():
            return each
    if column.isdecimal() and 1 <= int(column) <= len(table.columns):
        return table.columns[int(column) - 1]
    return None


def _label_for_all(table: Table, told: str, model_type: ModelType, name: str) -> bool:
    try:
        return is_positive(model_type, told.strip().lower())
    except UnknownLabel as error:
        labels = " or ".join(LABELS[model_type])
        raise Invalid(
            f"{told!r} is no column of {name} (it has {_listed(table)}) and no label of "
            f"{model_type} models. Name a column, or {labels} for all of its messages."
        ) from error


def _by_name(table: Table, names: tuple[str, ...]) -> str | None:
    lower = {each.lower(): each for each in reversed(table.columns)}
    return next((lower[each] for each in names if each in lower), None)


def _label_column(table: Table, words: dict[str, bool], name: str, text: str | None) -> str:
    if table.named and (named := _by_name(table, _LABEL)) is not None and named != text:
        return named
    fitting = [
        each
        for each in table.columns
        if each != text and table.rows.height and _plain(table.rows[each]).is_in([*words]).all()
    ]
    if len(fitting) == 1:
        return fitting[0]
    raise Invalid(
        f"{name} does not show which column holds the labels; it has {_listed(table)}. Name it: "
        "--label COLUMN; or say what all of its messages are: --label "
        f"{next(word for word, scam in words.items() if scam)}."
    )


def _text_column(table: Table, label: str | None, name: str) -> str:
    if table.named and (named := _by_name(table, _TEXT)) is not None and named != label:
        return named
    lengths = {
        each: table.rows[each].cast(pl.String).str.len_chars().fill_null(0).sum()
        for each in table.columns
        if each != label
    }
    ranked = sorted(lengths, key=lambda each: -lengths[each])
    if ranked and (len(ranked) == 1 or lengths[ranked[0]] > 3 * lengths[ranked[1]]):
        return ranked[0]
    raise Invalid(
        f"{name} does not show which column holds the messages; it has {_listed(table)}. Name it: "
        "--text COLUMN."
    )


def _listed(table: Table) -> str:
    shown = table.columns[:12]
    return f"{', '.join(map(repr, shown))}{' ...' if len(table.columns) > 12 else ''}"
