"""The whole predictor on the phone says what the server's says: same tokens, same margin."""

import json
from pathlib import Path

import pytest

from shield.book import Side, messages_of, read_book
from shield.characters import NO_WORDS
from shield.device import CHARACTERS
from shield.device.tables import tables_json
from shield.encoder import Encoder
from shield.logistic import logit
from shield.packages import ModelPackage, pack
from shield.packages.manifest import SAMPLES
from shield.predictor import Predictor
from tests.support.encoders import on_phone, version_with_encoder
from tests.support.packages import CHAT, LURES, copied_package, with_linear_half

ODD = ["", "\U0001f389\U0001f389", "W I N N E R", "\u202ep\u0430ypal", "a\u0301" * 40, "x" * 500]


def texts_of(languages: set[str], each: int) -> list[str]:
    """Return messages of the book's judging half in these languages, and long ones made of them."""
    found: dict[str, list[str]] = {}
    for message in messages_of(read_book(), Side.JUDGE, each=1):
        if message.language in languages and len(found.setdefault(message.language, [])) < each:
            found[message.language].append(message.text)
    assert set(found) == languages
    long = [" ".join(some) for some in found.values()]
    return [text for some in found.values() for text in some] + long


def compare(package: ModelPackage, texts: list[str], work: Path, tolerance: float) -> None:
    """Fail where phone and server disagree in tokens, margin, label or certainty."""
    predictor, encoder = Predictor(package), Encoder(package, "int8", 1)
    said = on_phone(package.path, texts, work)
    rows = encoder.rows(texts)
    margins = predictor.margins(texts)
    for text, phone, expected, margin in zip(texts, said, rows, margins, strict=True):
        shown = f"{text!a} is {phone.margin} on the phone and {margin} here"
        assert [tuple(row) for row in phone.rows] == expected, shown
        assert abs(phone.margin - margin) < tolerance, shown
        probability = float(predictor.probabilities([text])[0])
        if abs(margin) > tolerance:
            assert phone.label == predictor.verdict(probability), shown
        certainty = predictor.certainty(probability)
        edges = (-package.manifest.settled_band().harmless, package.manifest.settled_band().scam)
        if min(abs(logit(probability) - edge) for edge in (*edges, 0.0)) > tolerance:
            assert phone.certainty == certainty, shown


def test_ten_languages_are_judged_as_by_the_server(tmp_path: Path) -> None:
    package = version_with_encoder(tmp_path / "package").package
    languages = {"ar", "de", "en", "es", "fr", "hi", "id", "it", "nl", "pt"}
    texts = [*LURES, *CHAT, *ODD, *texts_of(languages, 8)]
    assert max(len(rows) for rows in Encoder(package, "int8", 1).rows(texts)) == 5
    compare(package, texts, tmp_path, 1e-3)
    assert Predictor(package).margins([""])[0] == NO_WORDS


def test_an_encoder_of_wordpieces_is_judged_as_by_the_server(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        package = with_linear_half(copy).package
        (package.path / CHARACTERS).write_bytes(tables_json())
        compare(package, [*LURES[:4], *CHAT[:4], *ODD, " ".join(CHAT)], tmp_path, 0.1)


def test_an_encoder_that_says_something_else_here_is_refused(tmp_path: Path) -> None:
    package = version_with_encoder(tmp_path / "package").package
    samples = json.loads(package.read(SAMPLES))
    samples["samples"][0]["probability"]["int8"] -= 0.2
    (package.path / SAMPLES).unlink()
    (package.path / SAMPLES).write_text(json.dumps(samples))
    pack(package.path, package.manifest.model_copy(update={"files": {}}))
    with pytest.raises(AssertionError, match="off by"):
        on_phone(package.path, CHAT, tmp_path)
