"""What the normaliser folds, and what it leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shield.errors import PackageInvalid
from shield.text import NORMALISERS, normaliser, scam_text_v1


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


@pytest.mark.parametrize("text", ["привет, мама", "Καλημέρα", "你好 世界", "naïve café", "☎ 😀"])
def test_a_message_in_another_script_stays_what_it_is(text: str) -> None:
    assert scam_text_v1(text) == text


@given(st.text(st.characters(), max_size=60))
def test_any_string_becomes_encodable_text_and_folding_twice_changes_nothing(text: str) -> None:
    once = scam_text_v1(text)
    once.encode("utf-8")
    assert "\x00" not in once
    assert scam_text_v1(once) == once


def test_an_unknown_normaliser_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(PackageInvalid, match="scam-text-v1"):
        normaliser("scam-text-v9")
    assert normaliser("scam-text-v1") is NORMALISERS["scam-text-v1"]
