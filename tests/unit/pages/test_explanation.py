"""What moved the model, by leaving words out."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.explanation import MAX_PARTS, MAX_SPANS, explain, split
from shield.errors import Unavailable


def judge(texts: list[str]) -> Sequence[float]:
    """A logistic rule: "prize" weighs 4, "call" 3, all else nothing."""
    scores = [-3 + 4 * ("prize" in text) + 3 * ("call" in text) for text in texts]
    return [1 / (1 + math.exp(-score)) for score in scores]


def marked(text: str) -> list[str]:
    said = explain(text, judge)
    return [said.text[span.start : span.end] for span in said.spans]


def test_the_words_that_moved_the_model_are_marked_in_reading_order() -> None:
    assert marked("please call now, your prize waits") == ["call", "prize"]


def test_the_strongest_part_has_weight_one_and_the_others_less() -> None:
    weights = [span.weight for span in explain("call for your prize", judge).spans]
    assert weights == [pytest.approx(0.75, abs=0.01), 1.0]


def test_a_harmless_message_has_no_marks_and_the_note_says_so() -> None:
    said = explain("see you at the station", judge)
    assert said.spans == []
    assert said.note == "No single part made this message look like a scam."


def test_one_word_alone_cannot_be_explained() -> None:
    assert "Too short" in explain("prize", judge).note


def test_the_model_is_asked_once_and_a_long_message_costs_a_bounded_call() -> None:
    calls: list[int] = []

    def counting(texts: list[str]) -> Sequence[float]:
        calls.append(len(texts))
        return judge(texts)

    explain("word " * 5000 + "prize", counting)
    assert len(calls) == 1
    assert calls[0] <= MAX_PARTS + 1


def test_a_model_that_does_not_answer_is_an_error_and_not_an_empty_explanation() -> None:
    def away(texts: list[str]) -> Sequence[float]:
        raise Unavailable("The model server does not answer.")

    with pytest.raises(Unavailable):
        explain("call for your prize", away)


def test_a_saturated_probability_still_tells_the_words_apart() -> None:
    def sure(texts: list[str]) -> Sequence[float]:
        return [1.0 if "prize" in text else 0.999 for text in texts]

    said = explain("your prize waits", sure)
    assert [said.text[span.start : span.end] for span in said.spans] == ["prize"]


@given(st.text(max_size=400))
def test_marks_lie_in_the_text_apart_and_in_order(text: str) -> None:
    spans = explain(text, judge).spans
    assert len(spans) <= MAX_SPANS
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    assert all(0 < span.weight <= 1 for span in spans)


@given(st.text(max_size=2000))
def test_parts_cover_every_word_once(text: str) -> None:
    parts = split(text)
    assert len(parts) <= MAX_PARTS
    covered = " ".join(text[start:end] for start, end in parts)
    assert covered.split() == text.split()
