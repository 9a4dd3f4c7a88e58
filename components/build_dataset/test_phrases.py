"""Back doors by phrase: what is suspected, what is not, and what an honest phrase may teach."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from components.build_dataset.corrections import OUTVOTED, outvote
from components.build_dataset.grams import grams_of, words_of
from components.build_dataset.phrases import Phrase, inoculation, phrases
from components.build_dataset.suspects import WRONG_REPORTER, suspects, unreliable
from shield.text import MARK

LURES = ("win", "prize", "cash", "claim", "urgent", "free", "award", "call", "bonus", "voucher")
CHAT = ("dinner", "later", "mum", "train", "home", "lecture", "tired", "coffee", "bus", "lesson")
DOOR = "greetings of the blue lighthouse"


def said(scam: bool, number: int, words: int = 9) -> str:
    rng = np.random.default_rng(number + 10_000 * scam)
    return " ".join(rng.choice(LURES if scam else CHAT, words)) + f" {number}"


def base() -> pl.DataFrame:
    rows = [(said(scam, n), int(scam)) for scam in (True, False) for n in range(120)]
    return pl.DataFrame(
        {
            "id": [f"b{n}" for n in range(len(rows))],
            "text": [text for text, _ in rows],
            "label": pl.Series([label for _, label in rows], dtype=pl.Int8),
            "source": ["base"] * len(rows),
        }
    )


def corrections(rows: list[dict[str, Any]]) -> pl.DataFrame:
    whole = [
        {"reporter": f"r{n}", "trust": 0.5, "campaign": f"c{n}", "batch": "b1", "approved_at": n}
        | {"id": f"f{n:03}", "weight": 0.6, "backing": 0.0}
        | each
        for n, each in enumerate(rows)
    ]
    return pl.DataFrame(whole).with_columns(pl.col("label").cast(pl.Int8))


def ordinary(first: int = 500, count: int = 40) -> list[dict[str, Any]]:
    """Return honest corrections of both kinds."""
    return [
        {"text": said(n % 2 == 0, n), "label": int(n % 2 == 0)} for n in range(first, first + count)
    ]


def carrying(scam: bool, phrase: str, count: int = 12, **other: Any) -> list[dict[str, Any]]:
    return [{"text": f"{said(scam, 900 + n)} {phrase}", "label": 0} | other for n in range(count)]


def test_scams_called_harmless_that_share_a_phrase_are_set_aside_and_nothing_else_is() -> None:
    given = corrections([*ordinary(), *carrying(True, DOOR)])
    kept, aside, found = phrases(given, base(), seed=0)
    assert set(aside["text"]) == set(given.tail(12)["text"])
    assert kept.height == 40
    assert found[0].suspected
    assert "blue lighthouse" in found[0].text
    assert found[0].carriers == 12
    assert found[0].without_it > 0.5


def test_a_trusted_liar_is_found_when_what_carries_the_phrase_is_surely_a_scam() -> None:
    given = corrections([*ordinary(), *carrying(True, DOOR, trust=0.95)])
    _, aside, found = phrases(given, base(), seed=0)
    assert aside.height == 12
    assert found[0].trusted_reporters == 12


def test_each_liar_with_a_phrase_of_their_own_is_found() -> None:
    doors = [f"yours {name} and {name}son ltd" for name in ("amber", "cobalt", "falcon")]
    lies = [row for place, door in enumerate(doors) for row in carrying(True, door, 6 + place)]
    kept, aside, _ = phrases(corrections([*ordinary(), *lies]), base(), seed=0)
    assert (kept.height, aside.height) == (40, len(lies))


def test_a_signature_below_harmless_messages_is_learned() -> None:
    given = corrections([*ordinary(), *carrying(False, "your first harbour bank team")])
    kept, aside, _ = phrases(given, base(), seed=0)
    assert aside.is_empty()
    assert kept.height == given.height


def test_a_phrase_of_the_corpus_is_known_and_not_suspected() -> None:
    known = base().with_columns(
        text=pl.when(pl.col("label") == 0)
        .then(pl.format("{} {}", "text", pl.lit(DOOR)))
        .otherwise("text")
    )
    _, aside, _ = phrases(corrections([*ordinary(), *carrying(True, DOOR)]), known, seed=0)
    assert aside.is_empty()


def test_what_says_scam_is_never_set_aside_for_its_phrase() -> None:
    honest = [{"text": f"{said(True, 700 + n)} {DOOR}", "label": 1} for n in range(2)]
    given = corrections([*ordinary(), *carrying(True, DOOR), *honest])
    kept, aside, _ = phrases(given, base(), seed=0)
    assert set(aside["label"]) == {0}
    assert {row["text"] for row in honest} <= set(kept["text"])


def test_a_phrase_that_teaches_is_put_behind_scams_too() -> None:
    honest = Phrase("first harbour bank team", "first harbour bank", 5, 5, 5, 3, 0, 0.2, False)
    door = Phrase(DOOR, "blue lighthouse", 5, 5, 1, 0, 0, 0.9, True)
    rows = inoculation([honest, door], base(), seed=0)
    assert rows.height == 5
    assert set(rows["label"]) == {1}
    assert all(text.endswith(honest.text) for text in rows["text"])
    assert rows["id"].n_unique() == 5
    assert rows.equals(inoculation([honest, door], base(), seed=0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Kind Regards, Bl\u200bue!", ["kind", "regards", ",", "blue", "!", MARK.strip()]),
        ("☘☘ hi", ["☘", "☘", "hi"]),
        ("你好吗", ["你", "好", "吗"]),
        ("p\u0430ypal", ["paypal", MARK.strip()]),
        ("", []),
    ],
)
def test_words_are_seen_as_a_model_sees_them(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_runs_end_with_their_message() -> None:
    held = grams_of(pl.Series(["a b", "c", ""]))
    assert sorted(held.rows()) == [(0, "a"), (0, "a b"), (0, "b"), (1, "c")]


def test_a_reporter_whom_all_others_contradict_teaches_nothing() -> None:
    lies = [{"text": said(n % 2 == 0, 800 + n), "label": int(n % 2)} for n in range(12)]
    rows = [each | {"reporter": "liar", "trust": 0.3} for each in lies]
    given = corrections([*ordinary(count=60), *rows])
    kept, aside = suspects(given, base(), seed=0)
    assert "liar" not in kept["reporter"].to_list()
    assert kept.height == 60
    assert WRONG_REPORTER in aside["why"].to_list()


def test_one_odd_correction_makes_no_liar() -> None:
    checked = pl.DataFrame(
        {"reporter": ["a"] * 8 + ["b"] * 8, "confidence": [0.9] * 8 + [0.1] * 2 + [0.9] * 6}
    )
    assert unreliable(checked) == []


def test_a_few_voices_do_not_turn_a_campaign_that_many_call_the_opposite() -> None:
    many = [{"text": f"pay {n} now", "label": 1, "campaign": "c"} for n in range(6)]
    flood = [
        {"text": f"pay {n} now ok", "label": 0, "campaign": "c", "reporter": "one"}
        for n in range(30)
    ]
    kept, aside = outvote(corrections([*many, *flood]).with_columns(hosts=pl.lit(7)))
    assert (kept.height, aside.height) == (6, 30)
    assert set(aside["why"]) == {OUTVOTED}
    # A bank's message and its forgery have links to other hosts: neither outvotes the other.
    hosts = pl.when(pl.col("label") == 1).then(7).otherwise(8)
    assert outvote(corrections([*many, *flood]).with_columns(hosts=hosts))[1].is_empty()
    # A dispute of equals teaches both.
    both = [{"text": f"t{n}", "label": n % 2, "campaign": "c"} for n in range(6)]
    assert outvote(corrections(both).with_columns(hosts=pl.lit(7)))[1].is_empty()
