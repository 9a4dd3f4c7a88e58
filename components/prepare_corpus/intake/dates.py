"""Dates as people and programs write them: one form for a column, found or told."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shield.errors import Invalid

NONE = "none"
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d.%m.%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_OTHERS = (
    *("%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
    "%d-%b-%Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_SPREADSHEET = datetime(1899, 12, 30, tzinfo=UTC)
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SAMPLE = 300
_MOST_ODD = 0.1
"""Of a column of dates, this share may be none; those rows are listed."""

Parse = Callable[[str], datetime]


def dates(
    cells: Sequence[str | None], column: str, told: str | None = None
) -> tuple[list[datetime | None], str]:
    """Return the times of a column, UTC, and the form that they are written in.

    None stands for an empty cell, and for one that is no date of this form.

    Raises:
        Invalid: No form fits, or the day and the month cannot be told apart.
    """
    if told == NONE:
        return [None] * len(cells), "left out"
    if told is not None:
        return [_read(cell, _strptime(told)) for cell in cells], told
    written = list(dict.fromkeys(cell.strip() for cell in cells if cell and cell.strip()))
    if not written:
        return [None] * len(cells), "all are empty"
    sample = written[:: max(1, len(written) // _SAMPLE)]
    form = _form_of(sample, written, column)
    return [_read(cell, _PARSERS[form]) for cell in cells], form


def _form_of(sample: list[str], written: list[str], column: str) -> str:
    fits = {
        form: sum(_read(cell, parse) is not None for cell in sample)
        for form, parse in _PARSERS.items()
    }
    most = max(fits.values())
    if most < (1 - _MOST_ODD) * len(sample):
        raise Invalid(
            f"The dates in {column!r} have no form that is known, e.g. {sample[0]!r}. Say how they "
            "are written, as for strptime: --date-format '%d/%m/%Y %H:%M'; or leave them out: "
            "--date-format none."
        )
    best = [form for form, count in fits.items() if count == most]
    for other in best[1:]:
        differing = next(
            (
                cell
                for cell in written
                if _read(cell, _PARSERS[best[0]]) != _read(cell, _PARSERS[other])
            ),
            None,
        )
        if differing is not None:
            raise Invalid(
                f"The dates in {column!r} may be read as {best[0]} and as {other}, e.g. "
                f"{differing!r}. Say which: --date-format {best[0]!r}; or leave them out: "
                "--date-format none."
            )
    return best[0]


def _read(cell: str | None, parse: Parse) -> datetime | None:
    if cell is None or not cell.strip():
        return None
    try:
        at = parse(cell.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    return at if _FIRST <= at < _LAST else None


def _strptime(form: str) -> Parse:
    return lambda cell: datetime.strptime(cell, form)  # noqa: DTZ007 (UTC is put in by _read)


def _seconds(divisor: float) -> Parse:
    return lambda cell: datetime.fromtimestamp(float(cell) / divisor, UTC)


def _any_time(form: str) -> Parse:
    parsers = [_strptime(form + clock) for clock in _TIMES]

    def parse(cell: str) -> datetime:
        for each in parsers[:-1]:
            try:
                return each(cell)
            except ValueError:
                continue
        return parsers[-1](cell)

    return parse


_PARSERS: dict[str, Parse] = {
    "ISO 8601": datetime.fromisoformat,
    **{form: _any_time(form) for form in (*_DAY_FIRST, *_MONTH_FIRST, *_OTHERS)},
    "as in mails": parsedate_to_datetime,
    "seconds since 1970": _seconds(1),
    "milliseconds since 1970": _seconds(1000),
    "days of a spreadsheet": lambda cell: _SPREADSHEET + timedelta(days=float(cell)),
}
"""Forms in the order in which they are tried; a time of the day may follow a date."""
