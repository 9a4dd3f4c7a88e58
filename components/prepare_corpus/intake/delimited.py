"""Rows of cells in text: which sign parts them, how they are quoted, and where a row ends.

Each way of writing is tried on the whole file, and the one that leaves the fewest rows odd is
taken. A quotation mark that is not closed costs its own line and no more: reading goes on behind
it, so rows are never fused.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from components.prepare_corpus.intake.table import BadRow
from shield.errors import Invalid

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HIDDEN = {'"': "\ue0f1", "\\": "\ue0f2"}
_SHOWN = str.maketrans({hidden: sign for sign, hidden in _HIDDEN.items()})
_ESCAPED = re.compile(r'\\(["\\])')
_BEFORE_QUOTE = re.compile(r'(\\+)"')
_BACKSLASHES = re.compile(r'\\+(?!["\\])')
_MOST_LINES = 200
"""Lines of one message. What goes on for longer is an open quotation mark."""
_TRIED_LINES = 2_000
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Dialect:
    """A way of writing cells."""

    delimiter: str
    quoting: str
    """`doubled` or `escaped`: how a quotation mark within quotation marks is written; `none`: they
    mean nothing."""

    raw_backslashes: bool = False
    """Only quotation marks are escaped: other backslashes are the message's own, each of them."""

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Return a reader of rows that are written so; it raises `csv.Error` at any other."""
        if self.quoting != "escaped":
            return csv.reader(
                lines,
                delimiter=self.delimiter,
                strict=True,
                quoting=csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            )
        # `csv` is not strict about escapes: what is escaped is hidden from it.
        hide = _hide_quotes if self.raw_backslashes else _hide_escaped
        rows = csv.reader(map(hide, lines), delimiter=self.delimiter, strict=True)
        return ([cell.translate(_SHOWN) for cell in row] for row in rows)

    def words(self) -> dict[str, str]:
        """Return it as a person is told."""
        quoting = {
            "doubled": 'quotation marks, doubled within ("")',
            "escaped": 'quotation marks, escaped within (\\")',
            "none": "quotation marks mean nothing",
        }
        name = _DELIMITERS.get(self.delimiter, self.delimiter)
        return {"delimiter": name, "quoting": quoting[self.quoting]}


def _hide_escaped(line: str) -> str:
    return _ESCAPED.sub(lambda pair: _HIDDEN[pair[1]], line)


def _hide_quotes(line: str) -> str:
    """Hide escaped quotation marks; a backslash before one is itself escaped, if anything is."""
    return _BEFORE_QUOTE.sub(
        lambda run: run[1][: len(run[1]) // 2] + (_HIDDEN['"'] if len(run[1]) % 2 else '"'), line
    )


@dataclass
class Rows:
    """The rows of a file, each with the line on which it begins, and lines that are none."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def width(self) -> int:
        """Return how many cells most rows have."""
        counted = Counter(map(len, self.rows))
        return max(counted, key=lambda width: (counted[width], width), default=0)


def rows_of(text: str, name: str, delimiter: str | None = None) -> tuple[Rows, Dialect]:
    """Return the rows of a text, and how they are written.

    Raises:
        Invalid: Nothing parts a row into cells.
    """
    lines = io.StringIO(text, newline="").readlines()
    if delimiter is not None:
        delimiter = "\t" if delimiter in ("tab", "\\t") else delimiter
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise Invalid(f"The delimiter has to be one character or `tab`, not {delimiter!r}.")
    raw = any(len(run) % 2 for run in _BACKSLASHES.findall(text))
    tried = [
        (_oddness(read(lines[:_TRIED_LINES], dialect)), place, dialect)
        for place, dialect in enumerate(_candidates(delimiter, raw))
    ]
    oddness, _, dialect = min(tried, key=lambda each: each[:2])
    if oddness >= 1:
        raise Invalid(
            f"{name} has no cells that a comma, semicolon, tab or bar parts. Name the sign with "
            "--delimiter; or is it a plain list, one message a line? Then say what they are: "
            "--label spam."
        )
    return read(lines, dialect), dialect


def _candidates(delimiter: str | None, raw_backslashes: bool) -> Iterator[Dialect]:
    for quoting in ("doubled", "escaped", "none"):
        for sign in [delimiter] if delimiter else _DELIMITERS:
            yield Dialect(sign, quoting, raw_backslashes)


def _oddness(rows: Rows) -> float:
    """Return which share of the rows does not fit; signs of another writing count half."""
    width = rows.width()
    if width < 2:
        return 1.0
    odd = sum(len(row) != width for row in rows.rows)
    # Read the wrong way, cells keep signs of how they were written.
    signs = sum(
        cell.endswith("\\") or '\\"' in cell or (cell[:1] == cell[-1:] == '"' and len(cell) > 1)
        for row in rows.rows
        for cell in row
    )
    total = max(1, len(rows.rows) + len(rows.bad))
    return min(0.99, (odd + len(rows.bad) + 0.5 * signs) / total)


def read(lines: Sequence[str], dialect: Dialect) -> Rows:
    """Read lines as rows; a line that cannot be read is bad, and the next begins anew."""
    done, start = Rows(), 0
    while start < len(lines):
        feed = _Feed(lines, start)
        reader = dialect.reader(feed)
        begun = start
        try:
            for row in reader:
                if len(row) > 1 or (row and row[0].strip()):
                    done.rows.append(row)
                    done.lines.append(begun + 1)
                begun = feed.begin_row()
        except csv.Error:
            why = "a quotation mark in it is not closed, or stands within a cell"
            done.bad.append(BadRow(begun + 1, why))
            start = begun + 1
        else:
            break
    return done


class _Feed:
    """Lines for `csv.reader`, which end a row that takes too many."""

    def __init__(self, lines: Sequence[str], start: int) -> None:
        self._lines = lines
        self._next = start
        self._limit = start + _MOST_LINES

    def begin_row(self) -> int:
        """Return the line on which the next row begins."""
        self._limit = self._next + _MOST_LINES
        return self._next

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            raise StopIteration
        if self._next >= self._limit:
            raise csv.Error("too many lines in one row")
        self._next += 1
        return self._lines[self._next - 1]
