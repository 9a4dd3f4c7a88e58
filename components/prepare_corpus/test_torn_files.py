"""Files of users that are torn, cut or odd: told in words, or read as they are meant."""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from components.prepare_corpus.intake.rows import read_rows
from components.prepare_corpus.intake.table import HowToRead
from shield.errors import Invalid
from shield.labels import ModelType

ROWS = [[("ham", "spam")[place % 2], f"message number {place}"] for place in range(6)]
SHEET = "xl/worksheets/sheet1.xml"


def spreadsheet(rows: Sequence[Sequence[str]]) -> bytes:
    book, raw = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(raw)
    return raw.getvalue()


def changed(raw: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a spreadsheet with other bytes for its sheet."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, change(content) if name == SHEET else content)
    return written.getvalue()


def resized(told: bytes) -> Callable[[bytes], bytes]:
    """Return what makes a sheet say that it is smaller than it is."""
    return lambda sheet: sheet.replace(b'ref="A1:B7"', told)


def read(folder: Path, name: str, raw: bytes, **how: str) -> list[tuple[int, str]]:
    path = folder / name
    path.write_bytes(raw)
    reading = read_rows(path, ModelType.SMS, how=HowToRead(**how))  # type: ignore[arg-type]
    return list(reading.rows.select("label", "text").iter_rows())


ALL = [(place % 2, f"message number {place}") for place in range(6)]


def test_the_first_message_of_a_spreadsheet_without_column_names_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "mine.xlsx", spreadsheet(ROWS)) == ALL
    assert read(tmp_path, "named.xlsx", spreadsheet([["label", "text"], *ROWS])) == ALL


def test_a_spreadsheet_is_read_to_its_end_whatever_it_says_of_its_size(tmp_path: Path) -> None:
    raw = spreadsheet([["label", "text"], *ROWS])
    for told in (b'ref="A1:B2"', b'ref="A1"'):
        short = changed(raw, resized(told))
        assert read(tmp_path, "short.xlsx", short) == ALL


def test_a_torn_spreadsheet_is_refused_in_words(tmp_path: Path) -> None:
    raw = bytearray(
        spreadsheet([["spam", f"{place * 7919} words {place}"] for place in range(999)])
    )
    begin = zipfile.ZipFile(io.BytesIO(bytes(raw))).getinfo(SHEET).header_offset
    for place in range(begin + 200, begin + 260):
        raw[place] ^= 0x55
    half = changed(spreadsheet(ROWS), lambda sheet: sheet[: len(sheet) // 2])
    for torn in (bytes(raw), half):
        with pytest.raises(Invalid, match=r"torn\.xlsx is no XLSX file"):
            read(tmp_path, "torn.xlsx", torn)


def test_json_in_which_lists_go_on_for_ever_is_refused_or_listed(tmp_path: Path) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    with pytest.raises(Invalid, match=r"deep\.json is no JSON"):
        read(tmp_path, "deep.json", deep)
    lines = b'{"text": "see you", "label": "ham"}\n' + deep
    assert read(tmp_path, "deep.jsonl", lines) == [(0, "see you")]


def test_half_an_emoji_at_the_end_of_a_message_costs_no_file(tmp_path: Path) -> None:
    lines = b'{"text": "hi \\ud83d", "label": "ham"}\n{"text": "win now", "label": "spam"}\n'
    assert read(tmp_path, "cut.jsonl", lines) == [(0, "hi \ufffd"), (1, "win now")]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_by_its_zero_bytes(codec: str, tmp_path: Path) -> None:
    assert read(tmp_path, "list.txt", "see you\nà plus\n".encode(codec), label="ham") == [
        (0, "see you"),
        (0, "à plus"),
    ]
    cells = "label,text\nham,see you\nspam,вы выиграли приз\n".encode(codec)
    assert read(tmp_path, "mine.csv", cells) == [(0, "see you"), (1, "вы выиграли приз")]


def test_a_number_that_is_no_time_is_told_as_none(tmp_path: Path) -> None:
    cells = b"text,label,date\nhello there,ham,99999999999999999999\n"
    with pytest.raises(Invalid, match="have no form that is known"):
        read(tmp_path, "mine.csv", cells)
