"""A hundred files of all kinds, made at random: every row is taken, and its label is right."""

import csv
import io
import json
import mailbox
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from openpyxl import Workbook

from components.prepare_corpus.intake.rows import Reading, read_rows
from components.prepare_corpus.intake.table import HowToRead
from shield.labels import ModelType

WORDS = (
    *("you", "have", "won", "a", "prize", "call", "now", "free", "see", "at", "home", "later"),
    *("thanks", "love", "£250", "café", "naïve", "Ünal", 'quote"d', '"twice"', "it's", "a;b"),
    *("x,y", "1,000", "€5", "50%", "back\\slash", "|bar|", "http://a.example/b?c=d", "-off"),
    *("=sum", "+44", "@me", "(ok)", "so..."),
)
WIDE = ["😀", "日本", "Привет", "\u2019"]
LABELS = (("ham", "spam"), ("0", "1"), ("legit", "smishing"), ("HAM", "Spam"))
DATES = {
    "%Y-%m-%dT%H:%M:%S": None,
    "%d/%m/%Y %H:%M": None,
    "%m/%d/%Y %I:%M %p": None,
    "%d.%m.%Y": None,
    "%b %d, %Y": None,
}


class Made(NamedTuple):
    """One row as it was meant."""

    text: str
    scam: bool
    at: datetime


class File(NamedTuple):
    """A file and what is true of it."""

    path: Path
    how: HowToRead
    rows: list[Made]
    words: tuple[str, str]
    form: str | None = None
    """How its dates are written, if it has them."""


def drawn(rng: random.Random, count: int, *, wide: bool, lines: bool) -> list[Made]:
    """Return messages, each of them once."""
    rows: dict[str, Made] = {}
    while len(rows) < count:
        words = rng.choices([*WORDS, *(WIDE if wide else [])], k=rng.randint(3, 14))
        if lines and rng.random() < 0.2:
            words.insert(rng.randrange(1, len(words)), "\n")
        text = f"{' '.join(words).strip()} {len(rows)}"
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(500_000))
        rows[text] = Made(text, rng.random() < 0.3, at)
    return list(rows.values())


def cells(rng: random.Random, folder: Path, sign: str, quoting: str, encoding: str) -> File:
    """Write cells between signs; `quoting` as the dialects are called."""
    wide, header = encoding.startswith("utf"), rng.random() < 0.7
    rows = drawn(rng, 40, wide=wide, lines=quoting != "none")
    if quoting == "none":
        rows = [row for row in rows if sign not in row.text]
    words, form = rng.choice(LABELS), rng.choice([None, *DATES])
    turned = rng.random() < 0.5
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=sign,
        doublequote=quoting != "escaped",
        escapechar="\\" if quoting == "escaped" else None,
        quoting=csv.QUOTE_NONE if quoting == "none" else rng.choice([0, 1]),
        quotechar=None if quoting == "none" else '"',
        lineterminator=rng.choice(["\n", "\r\n"]),
    )
    names = ["text", "label"] if rng.random() < 0.5 else ["Message", "Category"]
    if not header:
        form = None
    for row in [None, *rows] if header else rows:
        pair = names if row is None else [row.text, words[row.scam]]
        pair = pair[::-1] if turned else pair
        if form:
            pair = [*pair, "date" if row is None else row.at.strftime(form)]
        writer.writerow(pair)
    path = folder / f"mine{'.tsv' if sign == chr(9) else '.csv'}"
    path.write_bytes(text.getvalue().encode(encoding))
    how = HowToRead(encoding=encoding if encoding == "cp1250" else None)
    return File(path, how, rows, words, form)


def objects(rng: random.Random, folder: Path, kind: str) -> File:
    """Write JSON, JSON Lines, Parquet or XLSX."""
    rows, words = drawn(rng, 30, wide=True, lines=True), rng.choice(LABELS)
    number = rng.choice([int, float, bool] if kind != "xlsx" else [int, float])
    dicts = [
        {
            "body": row.text,
            "class": number(row.scam) if words == ("0", "1") else words[row.scam],
            "date": row.at.isoformat(),
        }
        for row in rows
    ]
    path = folder / f"mine.{kind}"
    match kind:
        case "json":
            document = dicts if rng.random() < 0.5 else {"success": True, "data": dicts}
            path.write_text(json.dumps(document, ensure_ascii=rng.random() < 0.5))
        case "jsonl":
            path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in dicts))
        case "parquet":
            pl.DataFrame(dicts).with_columns(
                pl.col("date").str.to_datetime(time_zone="UTC")
            ).write_parquet(path)
        case "xlsx":
            book = Workbook()
            sheet = book.active
            sheet.append(["body", "class", "date"])
            for row, each in zip(rows, dicts, strict=True):
                sheet.append([row.text, each["class"], row.at.replace(tzinfo=None)])
                sheet.cell(sheet.max_row, 1).data_type = "s"  # "=sum" is no formula
            book.save(path)
    return File(path, HowToRead(), rows, words, "ISO 8601")


def mails(rng: random.Random, folder: Path, kind: str) -> File:
    """Write mails, which are of one label: they bring none."""
    scam, sent = rng.random() < 0.5, []
    for row in drawn(rng, 12, wide=True, lines=False):
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["Date"] = "Hello there", "a@b.example", row.at
        mail.set_content(row.text)
        sent.append((mail, Made(f"Hello there {' '.join(row.text.split())}", scam, row.at)))
    path = folder / "mine.mbox"
    if kind == "mbox":
        box = mailbox.mbox(path)
        for mail, _ in sent:
            box.add(mail)
        box.close()
    else:
        path = folder / "mails"
        path.mkdir()
        for place, (mail, _) in enumerate(sent):
            (path / f"{place:02}.eml").write_bytes(bytes(mail))
    words = LABELS[0]
    return File(path, HowToRead(label=words[scam]), [row for _, row in sent], words, "ISO 8601")


def plain(rng: random.Random, folder: Path) -> File:
    """Write a plain list, a message a line."""
    scam = rng.random() < 0.5
    rows = [row._replace(scam=scam) for row in drawn(rng, 25, wide=True, lines=False)]
    path = folder / "mine.txt"
    path.write_text("\n\n".join(row.text for row in rows))
    return File(path, HowToRead(label=LABELS[0][scam]), rows, LABELS[0])


def made(seed: int, folder: Path) -> File:
    """Make file `seed` of the hundred; the kinds take turns."""
    rng = random.Random(f"file {seed}")
    kinds: list[Callable[[], File]] = [
        lambda: cells(rng, folder, ",", "doubled", "utf-8"),
        lambda: cells(rng, folder, rng.choice([";", "|"]), "doubled", "utf-8-sig"),
        lambda: cells(rng, folder, ",", "escaped", "utf-8"),
        lambda: cells(rng, folder, "\t", "none", "utf-8"),
        lambda: cells(rng, folder, rng.choice([",", "\t"]), "doubled", "cp1252"),
        lambda: cells(rng, folder, "\t", "doubled", "utf-16"),
        lambda: objects(rng, folder, "json"),
        lambda: objects(rng, folder, "jsonl"),
        lambda: objects(rng, folder, "parquet"),
        lambda: objects(rng, folder, "xlsx"),
        lambda: mails(rng, folder, rng.choice(["mbox", "eml"])),
        lambda: plain(rng, folder),
    ]
    file = kinds[seed % len(kinds)]()
    meanings = dict(zip(file.words, ("ham", "spam"), strict=True))
    how = HowToRead(**{**vars(file.how), "meanings": meanings})
    return file._replace(how=how) if file.words[0] == "legit" else file


def right(reading: Reading, rows: list[Made], form: str | None) -> list[str]:
    """Return what is wrong with rows that were read."""
    meant = {row.text: row for row in rows}
    wrong = []
    for text, label, at in reading.rows.select("text", "label", "scanned_at").iter_rows():
        row = meant.get(text)
        if row is None:
            wrong.append(f"nobody wrote {text!r}")
        elif bool(label) != row.scam:
            wrong.append(f"{text!r} has the other label")
        elif form and at.date() != row.at.date():
            wrong.append(f"{text!r} is of {row.at}, not of {at}")
    return wrong


@pytest.mark.parametrize("seed", range(100))
def test_a_made_file_comes_in_whole(seed: int, tmp_path: Path) -> None:
    file = made(seed, tmp_path)
    reading = read_rows(file.path, ModelType.SMS, how=file.how)
    assert reading.bad == []
    assert right(reading, file.rows, file.form) == []
    assert reading.rows.height == len(file.rows), reading.found
