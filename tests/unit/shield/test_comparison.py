"""Two versions on the same messages: what is said of them follows from what each answered."""

import base64
import gzip
import json

import pytest

from shield.comparison import Answers, Judged, compare
from shield.comparison.answers import FLAGGED_FROM, kept
from shield.comparison.compare import FEWEST, MOST_KINDS
from shield.errors import Invalid, NotFound
from shield.metrics import paired_difference_interval
from shield.predictor import OPERATING_POINT

SCAMS, HARMLESS = 60, 140


def answers(found: int, flagged: int, *, begin: int = 0, budget: float = 0.01) -> Answers:
    """Return answers that find the first `found` scams and flag the first `flagged` others."""
    rows = range(SCAMS + HARMLESS)
    return Answers(
        challenger="sha256:x",
        budget=budget,
        ids=[f"m-{begin + row}" for row in rows],
        sets=["golden"] * len(rows),
        scam=[row < SCAMS for row in rows],
        scores=[
            0.8 if (row < found if row < SCAMS else row - SCAMS < flagged) else 0.2 for row in rows
        ],
        texts=[f"text {row}" for row in rows],
        kinds={"language": ["de" if row < 30 else "en" if row < 195 else "fr" for row in rows]},
    )


def test_figures_have_the_interval_of_pairs() -> None:
    found = compare(Judged("a", answers(40, 2)), Judged("b", answers(52, 5)))
    assert (found.messages, found.lost, found.won) == (200, 3, 12)
    recall, alarms, accuracy = found.sets[0].figures
    fall = paired_difference_interval(0, 12, SCAMS, 0.95)
    assert (recall.lost, recall.won, recall.kind) == (0, 12, "good")
    assert (recall.change, recall.low, recall.high) == pytest.approx((0.2, -fall.high, -fall.low))
    assert (alarms.figure, alarms.kind) == ("false positives", "")
    assert alarms.change == pytest.approx(3 / 140)
    assert alarms.low < alarms.change < alarms.high
    assert (accuracy.messages, accuracy.won) == (200, 12)
    assert accuracy.change == pytest.approx(9 / 200)


def test_the_versions_in_each_other_s_place_say_the_opposite() -> None:
    ways = [(answers(40, 2), answers(52, 5)), (answers(52, 5), answers(40, 2))]
    forth, back = (compare(Judged("a", one), Judged("b", two)) for one, two in ways)
    for one, two in zip(forth.sets[0].figures, back.sets[0].figures, strict=True):
        assert (one.change, one.low, one.high) == pytest.approx((-two.change, -two.high, -two.low))


def test_kinds_with_few_messages_are_left_out_and_the_worst_comes_first() -> None:
    found = compare(Judged("a", answers(40, 2)), Judged("b", answers(20, 2)))
    assert [kind.name for kind in found.slices] == ["language: de", "language: en"]
    assert found.slices[0].figures[-1].change < found.slices[1].figures[-1].change


def test_messages_that_changed_sides_are_named_with_their_masked_text() -> None:
    found = compare(Judged("a", answers(40, 2)), Judged("b", answers(41, 3)))
    won, lost = sorted(found.moved, key=lambda one: not one.won)
    assert (won.id, won.text, won.scam, won.won) == ("m-40", "text 40", True, True)
    assert (lost.id, lost.scam, lost.won) == ("m-62", False, False)
    assert found.curves["old"][-1].recall == 1.0
    assert sum(found.scores["new"]["scam"]) == SCAMS


def test_only_messages_that_both_were_judged_on_count() -> None:
    found = compare(Judged("a", answers(60, 0)), Judged("b", answers(60, 0, begin=150)))
    assert found.messages == 0  # where ids are the same, the truth differs: other messages
    assert "400 messages were judged by one of the two only" in found.notes[0]


def test_another_budget_is_told() -> None:
    found = compare(Judged("a", answers(60, 0)), Judged("b", answers(60, 0, budget=0.02)))
    assert "a may flag 1.00% of harmless messages, b 2.00%" in found.notes[0]


def test_without_answers_the_differences_remain() -> None:
    old = Judged("a", None, "a was pushed by hand.", {"epochs": 2, "seed": 0}, {"batches": ["x"]})
    new = Judged("b", answers(1, 1), "", {"epochs": 3, "seed": 0}, {"batches": ["x", "y"]})
    found = compare(old, new)
    assert found.messages == 0
    assert found.notes == ["a was pushed by hand."]
    assert [(one.name, one.old, one.new) for one in found.recipe] == [("epochs", "2", "3")]
    assert [(one.name, one.old, one.new) for one in found.data] == [("batches", "–", "y")]


def test_a_report_carries_its_answers() -> None:
    own = answers(40, 2)
    page = f"<!doctype html><p>x</p>{own.embedded()}</html>".encode()
    assert Answers.of_report(page, "sms-v1") == own
    assert own.embedded() == answers(40, 2).embedded()
    with pytest.raises(NotFound, match="an earlier release wrote it"):
        Answers.of_report(b"<!doctype html>", "sms-v1")
    with pytest.raises(Invalid, match="is damaged"):
        Answers.of_report(page.replace(b"H4sI", b"AAAA"), "sms-v1")


def packed(**changed: object) -> bytes:
    """Return a report whose answers are changed after they were written."""
    held = answers(1, 1).model_dump(mode="json", by_alias=True) | changed
    said = base64.b64encode(gzip.compress(json.dumps(held).encode())).decode()
    return f'<template id="answers">{said}</template>'.encode()


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": [float("nan")] * (SCAMS + HARMLESS)},
        {"scores": [1e300] * (SCAMS + HARMLESS)},
        {"budget": float("inf")},
        {"sets": [f"set-{row}" for row in range(SCAMS + HARMLESS)]},
        {"scam": [True]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_answers_that_no_evaluation_writes_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="is damaged"):
        Answers.of_report(packed(**changed), "sms-v1")


def test_a_report_cannot_fill_the_memory_of_who_reads_it() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(65 * 2**20), compresslevel=1)).decode()
    with pytest.raises(Invalid, match="more than 64 MiB"):
        Answers.of_report(f'<template id="answers">{bomb}</template>'.encode(), "sms-v1")


def test_a_report_whose_middle_is_damaged_is_refused() -> None:
    whole = bytearray(gzip.compress(b"{}" * 500))
    whole[12:20] = b"\xff" * 8
    page = f'<template id="answers">{base64.b64encode(whole).decode()}</template>'.encode()
    with pytest.raises(Invalid, match="is damaged"):
        Answers.of_report(page, "sms-v1")


def test_of_countless_kinds_the_most_frequent_are_compared() -> None:
    many = FEWEST * (MOST_KINDS + 3)
    rows = range(many)
    said = answers(0, 0).model_copy(
        update={
            "ids": [str(row) for row in rows],
            "sets": ["golden"] * many,
            "scam": [True] * many,
            "scores": [0.8] * many,
            "texts": [""] * many,
            "kinds": {"source": [f"s{row // FEWEST}" for row in rows]},
        }
    )
    assert len(compare(Judged("a", said), Judged("b", said)).slices) == MOST_KINDS


def test_a_shortened_score_stays_on_its_side_of_the_operating_point() -> None:
    assert FLAGGED_FROM == OPERATING_POINT
    for score in (0.4999999, 0.49999999, 0.5, 0.5000001, 0.1, 1.0):
        assert (kept(score) >= FLAGGED_FROM) == (score >= OPERATING_POINT)
