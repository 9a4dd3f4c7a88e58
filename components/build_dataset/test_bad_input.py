"""Bad input has clear outcomes: it is learned from, or set aside and listed; nothing is dropped."""

from pathlib import Path

import polars as pl
import pytest

from components.build_dataset.suspects import WRONG_LABEL, suspects
from components.build_dataset.test_build_dataset import Shop, row, sentence, table
from components.shared import messages

ODD = {
    "emoji only": "\U0001f600\U0001f389" * 20,
    "one emoji": "\U0001f643",
    "right to left": "שלום עולם, طردك بانتظارك",
    "direction marks": "\u202epay\u202c \u2067now\u2069",
    "mixed scripts": "p\u0430ypal посылка 包裹 parcel ﷽",
    "100 kB": "a long story of a parcel " * 4000,
    "100 kB in one word": "\u00e4" * 50_000,
    "controls": "pay\x00 \x1b[31mnow\x07\u200b",
    "no letters": "?!?! 12345 ...",
}


def places(sets: dict[str, pl.DataFrame], correction: str) -> list[str]:
    """Return the sets in which a correction is."""
    return [name for name, found in sets.items() if correction in found["id"].to_list()]


def test_every_odd_correction_is_in_one_set_or_listed_with_its_reason(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    rows = [row(number, text) for number, text in enumerate(ODD.values())]
    rows += [row(100 + n, sentence(600 + n), "ham") for n in range(12)]
    sets = shop.build(shop.batch("odd", rows))
    for number, name in enumerate(ODD):
        found = places(sets, f"f{number:03}")
        assert len(found) == 1, f"{name}: {found}"
    learned = pl.concat([sets[name].select("id", "text") for name in sets if name != "set_aside"])
    longest = learned["text"].str.len_chars().max()
    assert isinstance(longest, int)
    assert longest <= 20_000, "what is longer is cut as the API would"


@pytest.mark.parametrize("label", ["spam", "ham"])
def test_a_batch_of_one_class_or_of_one_message_still_teaches_both_classes(
    tmp_path: Path, label: str
) -> None:
    for name, count in (("one", 1), ("many", 40)):
        (tmp_path / name).mkdir()
        shop = Shop(tmp_path / name)
        rows = [row(number, sentence(700 + number), label) for number in range(count)]
        sets = shop.build(shop.batch(name, rows))
        assert sets["train"]["label"].n_unique() == 2
        assert sum(len(places(sets, each["id"])) for each in rows) == count


def test_a_message_that_comes_five_hundred_times_teaches_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    flood = [row(number, "pay the fee for your parcel today") for number in range(500)]
    others = [row(600 + n, sentence(600 + n), "ham") for n in range(12)]
    sets = shop.build(shop.batch("flood", [*flood, *others]))
    same = sets["train"].filter(pl.col("text") == "pay the fee for your parcel today")
    assert same.height <= 1
    assert sum(count.messages for count in shop.facts.counts.values()) < 200


def test_a_correction_with_surely_the_wrong_label_is_set_aside_and_listed() -> None:
    def said(scam: int, number: int) -> str:
        words = ("win claim prize cash now", "see you at home tonight")[1 - scam].split()
        return " ".join([words[(number + at) % 5] for at in range(4)] + [f"word{number % 40}"])

    base = messages.conform(
        pl.DataFrame(
            {
                "id": [f"m{n}" for n in range(400)],
                "text": [said(n % 2, n) for n in range(400)],
                "label": [n % 2 for n in range(400)],
                "source": ["test"] * 400,
            }
        )
    )
    right = [row(n, said(n % 2, 500 + n), ("ham", "spam")[n % 2]) for n in range(40)]
    wrong = row(99, said(1, 777), "ham", trust=0.2)
    kept, aside = suspects(table([*right, wrong]), base, seed=0)
    assert aside.select("id", "why").rows() == [("f099", WRONG_LABEL)]
    assert kept.height == 40
