"""What the normaliser folds, and what it leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shield.errors import PackageInvalid
from shield.text import (
    NORMALISERS,
    Normaliser,
    normaliser,
    readable,
    scam_text_v1,
    scam_text_v2,
)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("  Win   a\tprize\r\n now ", "Win a prize now"),
        ("p\u0430ypal", "paypal"),
        ("\uff30\uff32\uff29\uff3a\uff25", "PRIZE"),
        ("fr\u200bee g\u00adift", "free gift"),
        ("NUL\x00 byte\x07", "NUL byte"),
        ("half \ud83d emoji", "half emoji"),
        ("\u202ereversed\u202c", "reversed"),
    ],
)
def test_a_disguise_is_folded(disguised: str, plain: str) -> None:
    assert scam_text_v1(disguised) == plain
    assert readable(disguised) == plain


@pytest.mark.parametrize(
    ("disguised", "seen"),
    [
        ("a f-r-e-e gift", "a free \u2021 gift"),
        ("c a l l  n-o-w", "call \u2021 now \u2021"),
        ("W_1_N!", "W1N \u2021!"),
        ("p\u0430ypal", "paypal \u2021"),
        ("f\u200br\u200bee", "free \u2021"),
        ("f-r-\u0435-e", "free \u2021"),
        ("W.I.N.N.E.R!", "WINNER \u2021!"),
        ("R.S.V.P. to the U.S.A.", "RSVP. to the USA."),
    ],
)
def test_a_disguised_word_is_read_and_marked(disguised: str, seen: str) -> None:
    assert scam_text_v2(disguised) == seen
    assert readable(disguised) == seen.replace(" \u2021", "")


@pytest.mark.parametrize(
    "text",
    ["r u ok", "see you at 9 a.m., i.e. early", "it is 1 2 3 4", "www.a.b.c.com", "co-op e-mail"],
)
def test_what_people_write_is_not_joined(text: str) -> None:
    assert scam_text_v2(text) == text


@pytest.mark.parametrize("text", ["привет, мама", "Καλημέρα", "你好 世界", "naïve café", "☎ 😀"])
def test_a_message_in_another_script_stays_what_it_is(text: str) -> None:
    assert scam_text_v1(text) == text
    assert scam_text_v2(text) == text


ANYTHING = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text("a\u0430b1 .-_*\u200b\u2021\n", max_size=30),
)


@pytest.mark.parametrize("fold", NORMALISERS.values(), ids=NORMALISERS.keys())
@given(ANYTHING)
def test_any_string_becomes_encodable_text_and_folding_twice_changes_nothing(
    fold: Normaliser, text: str
) -> None:
    once = fold(text)
    once.encode("utf-8")
    assert "\x00" not in once
    assert fold(once) == once


def test_an_unknown_normaliser_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(PackageInvalid, match="scam-text-v1"):
        normaliser("scam-text-v9")
    assert normaliser("scam-text-v1") is NORMALISERS["scam-text-v1"]
