"""JSON, JSON Lines and spreadsheets as tables."""

import io
import json
from typing import Any

from components.prepare_corpus.intake.columns import header_of
from components.prepare_corpus.intake.table import (
    BadRow,
    HowToRead,
    Table,
    distinct_names,
    table_of,
)
from shield.characters import well_formed
from shield.errors import Invalid


def of_json(text: str, name: str) -> Table:
    """Return the rows of a JSON document: a list of objects, by itself or as a member.

    Raises:
        Invalid: It is no JSON, or there is no such list in it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter: thousands of lists in lists
        raise Invalid(f"{name} is no JSON: {error}.") from error
    rows = document
    if isinstance(document, dict):
        lists = {key: value for key, value in document.items() if isinstance(value, list)}
        if len(lists) != 1:
            raise Invalid(
                f"{name} is an object with {len(lists)} lists, not with one list of messages. "
                "Write the messages as a list."
            )
        rows = next(iter(lists.values()))
    if not isinstance(rows, list):
        raise Invalid(f"{name} is no list of messages.")
    return _of_objects(rows, list(range(1, len(rows) + 1)), [], {"kind": "JSON"})


def of_json_lines(text: str) -> Table:
    """Return the rows of JSON Lines; a line that is no object is bad."""
    rows: list[Any] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    # Not `splitlines`: U+2028 may stand unescaped within a string of JSON.
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            rows.append(json.loads(written))
            lines.append(line)
        except (ValueError, RecursionError) as error:
            bad.append(BadRow(line, f"it is no JSON ({error})"))
    return _of_objects(rows, lines, bad, {"kind": "JSON Lines"})


def _of_objects(
    rows: list[Any], lines: list[int], bad: list[BadRow], found: dict[str, str]
) -> Table:
    columns: dict[str, None] = {}
    kept: list[dict[str, Any]] = []
    places: list[int] = []
    for row, line in zip(rows, lines, strict=True):
        if isinstance(row, dict):
            columns.update(dict.fromkeys(row))
            kept.append(row)
            places.append(line)
        else:
            bad.append(BadRow(line, f"it is {_kind(row)}, not an object"))
    cells = [[_flat(row.get(column)) for column in columns] for row in kept]
    return table_of(list(map(well_formed, columns)), cells, places, bad=bad, found=found)


def _flat(value: Any) -> Any:
    return f"({_kind(value)})" if isinstance(value, list | dict) else value


def _kind(value: Any) -> str:
    kinds = {list: "a list", dict: "an object", str: "a text", bool: "a truth", type(None): "null"}
    return kinds.get(type(value), "a number")


def of_spreadsheet(raw: bytes, name: str, how: HowToRead) -> Table:
    """Return the first sheet with rows of an XLSX file; formulas count as their last results.

    Its first row is a message where it names no columns, as in a file of cells.

    Raises:
        Invalid: It is no XLSX, or has no row.
    """
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheets = {sheet.title: _rows(sheet) for sheet in book.worksheets}
    except Exception as error:  # whatever openpyxl, zipfile, zlib or expat say of a torn file
        why = f"{type(error).__name__}: {error}"
        raise Invalid(f"{name} is no XLSX file ({why}). Save it again, or as CSV.") from error
    filled = {title: rows for title, rows in sheets.items() if rows}
    if not filled:
        raise Invalid(f"{name} has no row.")
    title, rows = next(iter(filled.items()))
    others = ", ".join(repr(each) for each in filled if each != title)
    facts = {"kind": "XLSX", "sheet": f"{title!r}{f'; not read: {others}' if others else ''}"}
    header = header_of([rows[0][1]], how)
    width = max(len(row) for _, row in rows)
    names = distinct_names(header) if header else [str(place + 1) for place in range(width)]
    facts["header"] = ", ".join(names) if header else "none: columns go by their places"
    body = rows[1 if header else 0 :]
    return table_of(
        names,
        [row for _, row in body],
        [line for line, _ in body],
        found=facts,
        named=header is not None,
    )


def _rows(sheet: Any) -> list[tuple[int, list[Any]]]:
    """Return the rows of a sheet that hold anything, each with its number."""
    sheet.reset_dimensions()  # some programs write that a sheet ends where it does not
    return [
        (line, list(row))
        for line, row in enumerate(sheet.iter_rows(values_only=True), start=1)
        if any(cell is not None for cell in row)
    ]
