"""What all readers of files hand on: rows of cells, what could not be read, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from shield.characters import well_formed

LINE = "\x00line"
"""The column with the place of each row: no file's own column is called so."""


@dataclass(frozen=True)
class HowToRead:
    """What the user says of a file; whatever is left out is found in it, and shown."""

    text: str | None = None
    """Name, or place from 1, of the column with the messages."""
    label: str | None = None
    """Name, or place from 1, of the column with the labels; or one label for every message."""
    meanings: dict[str, str] = field(default_factory=dict)
    """Words of the file and the labels that they stand for, e.g. `{"smishing": "spam"}`."""
    encoding: str | None = None
    """A codec of Python, e.g. `cp1252`."""
    delimiter: str | None = None
    """One character between cells, or `tab`."""
    date_format: str | None = None
    """As for `strptime`, e.g. `%d/%m/%Y`; `none` leaves the dates out."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used."""

    line: int
    """Line of a text file, the header counted; else the place of the row, both from 1."""
    why: str


@dataclass
class Table:
    """A file as rows of cells, before anybody has said what they mean."""

    rows: pl.DataFrame
    """The cells by column, and `LINE`."""
    bad: list[BadRow] = field(default_factory=list)
    """Rows that cannot even be parted into cells."""
    found: dict[str, str] = field(default_factory=dict)
    """What was found about the file, by name: shown to the user."""
    named: bool = True
    """Whether the columns have names of their own; else they are called `1`, `2` ..."""
    delimiter: str | None = None
    """The sign between cells, where there is one."""

    @property
    def columns(self) -> list[str]:
        """Return the names of the file's columns."""
        return [name for name in self.rows.columns if name != LINE]


def table_of(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], lines: Sequence[int], **fields: Any
) -> Table:
    """Return a table of strings; a cell that is none, or only a part of a row, is null.

    A cell of another kind than text or number is put into words: `the label is a list`. Half an
    emoji, as programs leave it that cut messages, becomes U+FFFD.
    """
    series = {
        name: pl.Series(name, [_cell(row, place) for row in rows], dtype=pl.String)
        for place, name in enumerate(columns)
    }
    return Table(pl.DataFrame({**series, LINE: pl.Series(LINE, list(lines), pl.Int64)}), **fields)


def _cell(row: Sequence[Any], place: int) -> str | None:
    value = row[place] if place < len(row) else None
    if value is None:
        return None
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if isoformat else value)


def distinct_names(header: Sequence[Any]) -> list[str]:
    """Return column names, each once: one without a name, or with another's, is named by its place.

    A spreadsheet's empty columns have no names, and they may be many.
    """
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = well_formed(str(cell if cell is not None else "")).strip()
        names.append(name if name and name not in names else f"column {place}")
    return names
