"""The book of scams holds what it promises, and a fault in it is told with its cure."""

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shield.book import Book, Channel, Side, book_directory, messages_of, read_book
from shield.book.__main__ import main
from shield.book.checks import NEAR, faults, shingles
from shield.book.model import Slots
from shield.book.template import BadTemplate, fill, literals
from shield.book.writing import heard, templates_of
from shield.errors import Invalid, NotFound

TEACH, JUDGE, SLOTS = "en/teach/sms.yaml", "en/judge/sms.yaml", "en/slots.yaml"


@pytest.fixture(scope="module")
def book() -> Book:
    return read_book()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The tactics and the English text messages of the book, to be spoilt."""
    for name in ("tactics.yaml", SLOTS, TEACH, JUDGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(book_directory() / name, tmp_path / name)
    return tmp_path


def test_every_language_covers_every_tactic_and_twin_apart_from_what_teaches(book: Book) -> None:
    assert faults(book) == []
    assert "en" in book.languages


def test_one_tactic_in_five_is_never_taught(book: Book) -> None:
    unseen = {name for name, tactic in book.tactics.items() if tactic.judge_only}
    assert len(book.tactics) >= 40
    assert len(unseen) * 5 >= len(book.tactics)
    assert not unseen & {message.tactic for message in messages_of(book, Side.TEACH, each=1)}
    assert unseen <= {message.tactic for message in messages_of(book, Side.JUDGE, each=1)}


def test_no_message_that_judges_is_like_one_that_teaches() -> None:
    book = read_book(languages=["en"])
    sides = {
        side: [shingles(each.text) for each in messages_of(book, side, each=1, seed=11)]
        for side in Side
    }
    worst = max(
        len(judged & taught) / len(judged | taught)
        for judged in sides[Side.JUDGE]
        for taught in sides[Side.TEACH]
    )
    assert worst < NEAR


def test_the_same_seed_writes_the_same_messages_and_another_others() -> None:
    book = read_book(languages=["en"])
    once = list(messages_of(book, Side.JUDGE, seed=1))
    assert once == list(messages_of(book, Side.JUDGE, seed=1))
    assert once != list(messages_of(book, Side.JUDGE, seed=2))


def test_a_new_template_leaves_the_messages_of_the_others_alone(copied: Path) -> None:
    before = set(messages_of(read_book(copied), Side.TEACH))
    change(copied, "en/teach/sms.yaml", lambda file: chat(file).insert(0, "see you at the fair"))
    after = set(messages_of(read_book(copied), Side.TEACH))
    assert before < after


def change(root: Path, name: str, how: Callable[[Any], object]) -> None:
    document = yaml.load((root / name).read_text(), yaml.CSafeLoader)
    how(document)
    (root / name).write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True))


def chat(file: Any) -> list[str]:
    found: list[str] = file["everyday"]["chat"]
    return found


TAUGHT = "Are you coming to {name}'s thing on {day}? I can drive"


SPOILT: list[tuple[str, Callable[[Any], object], str]] = [
    (JUDGE, lambda f: chat(f).append(TAUGHT.replace("drive", "walk")), "alike"),
    (TEACH, lambda f: chat(f).append(TAUGHT), "100% alike"),
    (SLOTS, lambda f: f["judge"]["name"].append("Emily"), "'Emily' is on both sides"),
    (SLOTS, lambda f: f["teach"]["short"].append("bit.ly/~~"), "bit.ly may be somebody's"),
    (SLOTS, lambda f: f["teach"]["phone"].append("07911 123###"), "may be somebody's. Take"),
    (TEACH, lambda f: chat(f).append("look at swiftlane.com/1"), "swiftlane.com may be"),
    (TEACH, lambda f: chat(f).append("ring 020 7123 4567"), "020 7123 4567 may be"),
    (TEACH, lambda f: chat(f).append("my Netflix is down"), "Netflix is a real brand"),
    (TEACH, lambda f: chat(f).append("pay {bnak}"), "there is no slot 'bnak'"),
    (TEACH, lambda f: chat(f).append("{name.host}"), "without part 'host'"),
    (TEACH, lambda f: chat(f).append("{name"), "a brace has no partner"),
    (TEACH, lambda f: f["tactics"].pop("job-offer"), "job-offer has 0 scam templates; write 3"),
    (JUDGE, lambda f: f["tactics"]["visa"]["twin"].pop(), "visa has 2 twin templates; write 3"),
    (TEACH, lambda f: f["tactics"].update(visa={"scam": ["a"], "twin": ["b"]}), "only judges"),
    (JUDGE, lambda f: f["tactics"].update(vissa={"scam": [], "twin": []}), "vissa is not in"),
    (JUDGE, lambda f: f["everyday"].pop("codes"), "codes has 0 templates; write 2"),
    (JUDGE, lambda f: f["everyday"].update(code=["x"]), "code is no group of sms"),
]


def test_each_fault_of_writing_is_told_with_its_place(copied: Path) -> None:
    for file, spoil, _ in SPOILT:
        change(copied, file, spoil)
    found = faults(read_book(copied))
    for _, _, told in SPOILT:
        assert any(told in fault and "en/" in fault for fault in found), (told, found)


def test_links_in_scams_alone_are_told(copied: Path) -> None:
    text = (copied / JUDGE).read_text()
    (copied / JUDGE).write_text(re.sub(r"\{[a-z]+\.host\}", "our shop", text))
    (fault,) = [each for each in faults(read_book(copied)) if "have a link" in each]
    assert fault.startswith("en/judge/sms.yaml: 4")


def test_a_side_without_the_other_is_told(copied: Path) -> None:
    (copied / JUDGE).unlink()
    assert any("sms has only teach" in fault for fault in faults(read_book(copied)))


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (TEACH, "tactics: {}\ntactics: {}\neveryday: {}\n", "'tactics' occurs twice"),
        (TEACH, "tactics: {}\neveryday: {}\nother: 1\n", "other: Extra inputs"),
        (TEACH, "tactics: {a: {scam: [''], twin: []}}\neveryday: {}\n", "tactics > a > scam > 0"),
        (TEACH, "tactics: [\n", "is no YAML in UTF-8"),
        ("tactics.yaml", "- id: a\n", "0 > channels: Field required"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    copied: Path, file: str, text: str, told: str
) -> None:
    (copied / file).write_text(text)
    with pytest.raises(Invalid, match=told) as caught:
        read_book(copied)
    assert str(copied / file) in str(caught.value)


def test_a_language_that_is_not_written_yet_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"'xx'; it is in .*en"):
        read_book(languages=["xx"])


def test_texts_of_a_tactic_fall_back_to_english(book: Book) -> None:
    english = book.texts("parcel-fee", "xx")
    assert english.name == "Parcel or customs fee"
    assert book.texts("parcel-fee", "en") == english


def test_a_slot_has_one_value_in_a_message_and_a_number_means_another() -> None:
    slots: Slots = {
        "bank": [{"text": "Moor", "host": "m.example"}, {"text": "Dale", "host": "d.example"}]
    }
    for seed in range(20):
        text = fill("{bank} {bank.host} {bank} {bank2}", slots, random.Random(seed))
        name, host, again, other = text.split()
        assert name == again
        assert host[0] == name[0].lower()
        assert other != name


def test_digits_are_drawn_once_for_one_slot() -> None:
    first, second = fill("{code} {code}", {"code": ["^###"]}, random.Random(1)).split()
    assert first == second
    assert first.isdigit()
    assert not first.startswith("0")


def test_a_slot_that_runs_out_of_values_says_so() -> None:
    with pytest.raises(BadTemplate, match="only 1 values"):
        fill("{name} {name2}", {"name": ["Ann"]}, random.Random(0))


def test_literals_hold_all_choices_and_no_slot() -> None:
    assert literals("{Hi|Hey} {name}, ok").split() == ["Hi", "Hey", ",", "ok"]


def test_a_heard_call_has_no_case_and_no_marks_in_any_script() -> None:
    assert heard("Don't PAY £5, now!") == "don't pay 5 now"
    assert heard("नमस्ते, आप कैसे हैं?") == "नमस्ते आप कैसे हैं"


def test_every_template_of_the_book_is_written_out(book: Book) -> None:
    for language in book.languages.values():
        for (side, channel), file in language.files.items():
            alone = Book(book.tactics, {language.code: language})
            written = {m.template for m in messages_of(alone, side, channels=(channel,), each=1)}
            assert len(written) == len({each[2] for each in templates_of(file)})
            assert channel in Channel


def test_a_writer_is_told_how_many_messages_a_language_gives(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["en"]) == 0
    assert "en judge sms  scam" in capsys.readouterr().out
