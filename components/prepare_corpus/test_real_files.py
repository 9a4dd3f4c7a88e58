"""Files as people have them: faults that were found with real ones, and what is told of each."""

import json
from pathlib import Path

import pytest

from components.prepare_corpus.add import add
from components.prepare_corpus.intake.rows import read_rows
from components.prepare_corpus.intake.table import HowToRead
from components.prepare_corpus.test_add import store_with_corpus
from shield.errors import Invalid
from shield.labels import ModelType


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def taken(path: Path, **how: str) -> list[tuple[str, int]]:
    reading = read_rows(path, ModelType.SMS, how=HowToRead(**how))  # type: ignore[arg-type]
    assert reading.bad == []
    return list(reading.rows.select("text", "label").iter_rows())


def test_escaped_quotation_marks_fuse_no_rows(tmp_path: Path) -> None:
    rows = [
        f'"He said \\"see you, at {place}\\", ok",{("ham", "spam")[place % 2]}'
        for place in range(600)
    ]
    path = file(tmp_path, "mine.csv", "\n".join(["text,label", *rows]))
    read = taken(path)
    assert read[1] == ('He said "see you, at 1", ok', 1)
    assert len(read) == 600


def test_an_open_quotation_mark_costs_its_own_row_alone(tmp_path: Path) -> None:
    lines = ["text,label", *(f'"hello, you {place}",ham' for place in range(20))]
    lines[7] = '"win now,spam'
    reading = read_rows(file(tmp_path, "mine.csv", "\n".join(lines)), ModelType.SMS)
    assert [each.line for each in reading.bad] == [8]
    assert "not closed" in reading.bad[0].why
    assert reading.rows.height == 19
    assert set(reading.rows["label"]) == {0}


def test_a_message_that_holds_further_rows_is_listed(tmp_path: Path) -> None:
    text = 'label,text\nham,"see you\nspam,win a prize\nham,later"\nspam,call now\n'
    reading = read_rows(file(tmp_path, "mine.csv", text), ModelType.SMS)
    assert reading.rows["text"].to_list() == ["call now"]
    assert [(each.line, "further rows" in each.why) for each in reading.bad] == [(2, True)]


def test_a_file_of_western_windows_keeps_its_pound_signs_and_says_what_it_took_it_for(
    tmp_path: Path,
) -> None:
    rows = ["spam,Win £250 now", "ham,café at noon?", "ham,I’ll be late", *["ham,ok see you"] * 9]
    content = "\r\n".join(["label,text", *rows]).encode("cp1252")
    path = file(tmp_path, "mine.csv", content)
    assert taken(path)[:3] == [("Win £250 now", 1), ("café at noon?", 0), ("I’ll be late", 0)]
    told = read_rows(path, ModelType.SMS).found["encoding"]
    assert told.startswith("cp1252 (guessed; 3 bytes are no UTF-8")
    assert "Win £250 now" in told


@pytest.mark.parametrize("codec", ["cp1251", "cp1250", "shift_jis", "utf-16-le"])
def test_another_encoding_is_read_when_it_is_told(codec: str, tmp_path: Path) -> None:
    text = {"cp1251": "Вы выиграли приз", "cp1250": "Wygrałeś nagrodę", "shift_jis": "当選しました"}
    message = text.get(codec, "Вы выиграли")
    path = file(tmp_path, "mine.csv", f"text,label\n{message},spam\n".encode(codec))
    assert taken(path, encoding=codec) == [(message, 1)]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("12/31/2025 10:00 AM", "2025-12-31T10:00:00"),
        ("31.12.2025", "2025-12-31T00:00:00"),
        ("45992", "2025-12-01T00:00:00"),
        ("1764590400", "2025-12-01T12:00:00"),
        ("Wed, 31 Dec 2025 10:00:00 +0100", "2025-12-31T09:00:00"),
        ("Dec 31, 2025", "2025-12-31T00:00:00"),
    ],
)
def test_a_date_is_read_in_the_form_that_it_has(cell: str, day: str, tmp_path: Path) -> None:
    path = file(tmp_path, "mine.csv", f'text,label,date\nhello,ham,"{cell}"\n')
    reading = read_rows(path, ModelType.SMS)
    assert reading.rows["scanned_at"][0].isoformat() == f"{day}+00:00"
    assert reading.found["date"].startswith("date: ")


def test_what_is_no_date_is_listed_and_what_may_be_two_is_asked(tmp_path: Path) -> None:
    rows = [f"hello {day},ham,{day}/12/2025" for day in range(13, 30)]
    odd = file(tmp_path, "odd.csv", "\n".join(["text,label,date", *rows, "win,spam,13/13/2026"]))
    reading = read_rows(odd, ModelType.SMS)
    assert [(each.line, "date" in each.why) for each in reading.bad] == [(19, True)]
    two = file(tmp_path, "two.csv", "text,label,date\nhello,ham,03/04/2026\n")
    with pytest.raises(Invalid, match=r"'03/04/2026'.*--date-format '%d/%m/%Y'"):
        read_rows(two, ModelType.SMS)
    for told, month in (("%d/%m/%Y", 4), ("%m/%d/%Y", 3)):
        reading = read_rows(two, ModelType.SMS, how=HowToRead(date_format=told))
        assert reading.rows["scanned_at"][0].month == month
    reading = read_rows(two, ModelType.SMS, how=HowToRead(date_format="none"))
    assert reading.rows["scanned_at"].to_list() == [None]


def test_a_label_that_is_a_list_is_a_row_that_is_listed(tmp_path: Path) -> None:
    lines = [{"text": "hello", "label": "ham"}, {"text": "win", "label": ["spam"]}]
    path = file(tmp_path, "mine.jsonl", "\n".join([*map(json.dumps, lines), "{broken", "[1]"]))
    reading = read_rows(path, ModelType.SMS)
    assert [(each.line, each.why[:24]) for each in reading.bad] == [
        (2, "the label '(a list)' is "),
        (3, "it is no JSON (Expecting"),
        (4, "it is a list, not an obj"),
    ]


def test_unknown_label_words_are_never_guessed_and_can_be_told(tmp_path: Path) -> None:
    path = file(tmp_path, "mine.csv", "text,label\nhello,legit\nwin,smishing\n")
    reading = read_rows(path, ModelType.SMS)
    assert reading.rows.is_empty()
    assert "smishing (1) is not known" in reading.found["labels"]
    how = HowToRead(meanings={"Smishing": "spam", "legit": "ham"})
    reading = read_rows(path, ModelType.SMS, how=how)
    assert reading.rows["label"].to_list() == [0, 1]
    assert reading.found["labels"] == "legit (1) is ham, smishing (1) is spam"


def test_the_replacement_character_of_a_message_is_its_own(tmp_path: Path) -> None:
    assert taken(file(tmp_path, "mine.csv", "text,label\nwin \ufffd now,spam\n")) == [
        ("win \ufffd now", 1)
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("one,two,three\na,b,c\n", "which column holds the labels; it has '1', '2', '3'"),
        ("a message\nanother message\n", "--label spam"),
        ("when,label,who,what\nx,spam,abcd,efgh\n", "which column holds the messages"),
    ],
)
def test_what_cannot_be_told_is_asked(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=message):
        read_rows(file(tmp_path, "mine.csv", content), ModelType.SMS)


@pytest.mark.parametrize("name", ["SMSSpamCollection", "spam.csv", "spam.txt"])
def test_well_known_files_are_read_as_they_are(name: str, tmp_path: Path) -> None:
    known = {
        "SMSSpamCollection": 'ham\tGo, "jurong" point\nspam\t"Free entry" in 2 a wkly comp\n',
        "spam.csv": 'v1,v2,,,\nham,"Go, ""jurong"" point",,,\n'
        'spam,"""Free entry"" in 2 a wkly comp",,,\n',
        "spam.txt": 'Go, "jurong" point|ham\n"Free entry" in 2 a wkly comp|spam\n',
    }
    read = taken(file(tmp_path, name, known[name]))
    assert read == [('Go, "jurong" point', 0), ('"Free entry" in 2 a wkly comp', 1)]


def test_every_row_is_taken_known_or_listed_and_the_balance_is_told(tmp_path: Path) -> None:
    store = store_with_corpus(tmp_path)
    rows = ["win,spam", "hello,ham", "hello,ham", "torn,ham", "torn,spam", "what,maybe"]
    path = file(tmp_path, "mine.csv", "\n".join(["text,label", *rows]))
    looked = add(store, ModelType.SMS, path, dry_run=True)
    done = add(store, ModelType.SMS, path)
    assert (looked.taken, looked.known, looked.bad) == (done.taken, done.known, done.bad)
    assert looked.digest == ""
    assert (done.rows, done.taken, done.scams, done.known) == (6, 2, 1, 1)
    assert [(each.line, each.why.split(" ")[0]) for each in done.bad] == [
        (5, "the"), (6, "the"), (7, "the"),
    ]  # fmt: skip
    assert (done.corpus_messages, done.corpus_scams) == (2, 1)
    again = add(store, ModelType.SMS, path)
    assert (again.taken, again.known, again.corpus_messages) == (0, 3, 2)
    other = file(tmp_path, "other.csv", "text,label\nwin,ham\nnew,ham\n")
    contradicted = add(store, ModelType.SMS, other)
    assert contradicted.taken == 1
    assert contradicted.bad[0].why == "the corpus teaches the same text as spam already"
