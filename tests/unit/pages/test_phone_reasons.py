"""The phone explains as the server does, but for what only the server can know."""

from pathlib import Path

import pytest

from api.pages import reasons
from components.prepare_corpus.book import book_messages
from shield.book import Side
from shield.labels import ModelType, ScanType
from shield.reasons import Reader, explain
from shield.reasons.explanation import MOST
from shield.reasons.signs import signs_among
from shield.reasons.words import words_of
from tests.support.odd_texts import odd_texts
from tests.support.reasons import on_phone

ONLY_THE_SERVERS = ("tactic:", "link-", "reads-like-scams", "disguised")


def test_the_phones_tables_are_current() -> None:
    assert reasons.FILE.read_text(encoding="utf-8") == reasons.table(), "run `make types`"


MADE = [
    *("", "\U0001f389", "Pay 3 at http://203.0.113.5/x", "hxxp://a[.]example", "Call 0171 234567"),
    *(
        "See shop.example",
        "See shop . example",
        "See tinyurl\u3002com/abc",
        "See bit,ly/xyz",
        "ok. com",
    ),
    *("See you\u00a0. At 18.30", "See you. " * 700, 'He said "no.".', "See اتصل.شبكة", "WWW shop"),
]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Messages of the book in all its languages."""
    book = book_messages(ModelType.SMS, Side.JUDGE, seed=5).sample(150, seed=5)
    return [*book["text"].to_list(), *MADE]


def test_words_and_signs_are_those_of_python(texts: list[str], tmp_path: Path) -> None:
    said = {"scanType": "text", "flagged": True, "sure": True}
    texts = [*texts, *odd_texts(9, 150)]
    told = on_phone(texts, Reader(), said, tmp_path)
    assert [each["words"] for each in told] == [words_of(text) for text in texts]
    assert [each["signs"] for each in told] == [
        sorted(signs_among(words_of(text))) for text in texts
    ]
    assert sum(len(each["signs"]) for each in told) > 20


@pytest.mark.parametrize(
    ("flagged", "sure", "scan_type", "reader"),
    [
        (True, True, ScanType.TEXT, Reader("de", "GB")),
        (True, True, ScanType.VOICE, Reader("ar", "DE")),
        (True, False, ScanType.TEXT, Reader("ar", "US")),
        (False, True, ScanType.PHISHING, Reader("hi")),
        (False, False, ScanType.TEXT, Reader("en", "ZZ")),
    ],
)
def test_reasons_and_advice_are_the_servers(
    texts: list[str],
    flagged: bool,
    sure: bool,
    scan_type: ScanType,
    reader: Reader,
    tmp_path: Path,
) -> None:
    said = {"scanType": scan_type.value, "flagged": flagged, "sure": sure}
    for text, told in zip(texts, on_phone(texts, reader, said, tmp_path), strict=True):
        whole = explain(text, scan_type, flagged=flagged, sure=sure, reader=reader)
        expected = [
            (each.id, each.kind.value, each.sentence)
            for each in whole.reasons
            if not each.id.startswith(ONLY_THE_SERVERS)
        ]
        found = [
            (each["id"], each["kind"], each["sentence"])
            for each in told["why"]["reasons"]
            if not each["id"].startswith(ONLY_THE_SERVERS)
        ]
        # The server's list may end earlier, where it has more to say before.
        assert found[: len(expected)] == expected, text
        assert len(whole.reasons) == MOST or len(found) == len(expected), text
        if not any(each.id.startswith("tactic:") for each in whole.reasons):
            assert told["why"]["advice"] == whole.advice.model_dump(by_alias=True), text


def test_links_of_numbers_and_in_pieces_are_said(tmp_path: Path) -> None:
    said = {"scanType": "text", "flagged": True, "sure": True}
    written = ["Pay 3 at http://203.0.113.5/x", "hxxp://a[.]example", "W\u200bin b\u200big", "Soup"]
    told = on_phone(written, Reader(), said, tmp_path)
    ids = [[each["id"] for each in one["why"]["reasons"]] for one in told]
    assert "link-numbers" in ids[0]
    assert "203.0.113.5" in str(told[0])
    assert "link-broken" in ids[1]
    assert "disguised" in ids[2]
    assert ids[3] == ["reads-like-scams"]
