"""What the normaliser folds, and what it leaves alone."""

import polars as pl
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from shield.characters import (
    INVISIBLE,
    NOTHING_SEEN,
    hidden,
    seen,
    well_formed,
)
from shield.errors import PackageInvalid
from shield.text import (
    NORMALISERS,
    Normaliser,
    normaliser,
    readable,
    scam_text_v1,
    scam_text_v2,
    scam_text_v3,
)


def is_blank(text: str) -> bool:
    return not seen(text).strip()


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
    assert scam_text_v3(disguised) == seen
    assert readable(disguised) == seen.replace(" \u2021", "")


@pytest.mark.parametrize(
    "text",
    ["r u ok", "see you at 9 a.m., i.e. early", "it is 1 2 3 4", "www.a.b.c.com", "co-op e-mail"],
)
def test_what_people_write_is_not_joined(text: str) -> None:
    assert scam_text_v2(text) == text
    assert scam_text_v3(text) == text


@pytest.mark.parametrize("text", ["привет, мама", "Καλημέρα", "你好 世界", "naïve café", "☎ 😀"])
def test_a_message_in_another_script_stays_what_it_is(text: str) -> None:
    assert scam_text_v1(text) == text
    assert scam_text_v2(text) == text
    assert scam_text_v3(text) == text


@pytest.mark.parametrize(
    ("disguised", "read"),
    [
        ("\U0001f1eb\u200b\U0001f1f7\u200b\U0001f1ea\u200b\U0001f1ea gift", "FREE \u2021 gift"),
        ("\U0001f1eb \U0001f1f7 \U0001f1ea \U0001f1ea", "FREE \u2021"),
        ("\U0001f175\U0001f181\U0001f174\U0001f174", "FREE \u2021"),
        ("\U0001f155\U0001f161\U0001f154\U0001f154", "FREE \u2021"),
        ("\u24a1\u24ad\u24a0\u24a0", "free \u2021"),
        ("\ua730\u0280\u1d07\u1d07", "free \u2021"),
        ("f\u0336r\u0336e\u0336e\u0336", "free \u2021"),
        ("Get it \U0001f193", "Get it FREE"),
        ("fr\ufe0fee f\U000e0066ree", "free \u2021 free \u2021"),
        ("You\u3164have\u2800won\U0001d159now", "You have won now"),
        ("You.have.won.a.prize", "You have won a prize"),
        ("Your-account_is*locked\u00b7now!", "Your account is locked now!"),
        ("Urgent!..You.have_won__a.prize...Call", "Urgent! You have won a prize Call"),
        ("you.must.claim.it.today.now", "you must claim it today now"),
    ],
)
def test_a_person_and_the_model_read_the_same(disguised: str, read: str) -> None:
    assert scam_text_v3(disguised) == read
    assert readable(disguised) == read.replace(" \u2021", "")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Parking \U0001f17f\ufe0f here", "Parking P here"),
        ("Ship to \U0001f1e9\U0001f1ea", "Ship to DE"),
        ("\U0001f1e9\U0001f1ea\U0001f1e6\U0001f1f9", "DEAT"),
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
        ("1\ufe0f\u20e32\ufe0f\u20e3 Sign", "12 Sign"),
        ("it is \u2260 that", "it is \u2260 that"),
        ("login.secure.bank.example.com", "login.secure.bank.example.com"),
        (
            "see http://you.have.won.a.prize.example/now",
            "see http://you.have.won.a.prize.example/now",
        ),
        ("at v1.2.3.4.5 or 10.0.0.1 on 2026-01-02", "at v1.2.3.4.5 or 10.0.0.1 on 2026-01-02"),
        ("wait.....what", "wait.....what"),
    ],
)
def test_what_is_honest_is_not_marked(text: str, read: str) -> None:
    assert scam_text_v3(text) == read


def test_every_default_ignorable_code_point_is_invisible_alone_and_within_a_word() -> None:
    every = "".join(map(chr, range(0x110000)))
    ignorable = regex.findall(r"\p{Default_Ignorable_Code_Point}", every)
    assert len(ignorable) > 4_000
    assert {sign for sign in ignorable if not is_blank(sign * 3)} == set()
    wide = {"\u115f", "\u3164", "\uffa0"}
    assert set(ignorable) - INVISIBLE == wide
    hidden = set(ignorable) - wide
    assert {sign for sign in hidden if readable(f"fr{sign}ee") != "free"} == set()
    assert {sign for sign in wide if readable(f"call{sign}now") != "call now"} == set()


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u2800\u3164", "\U0001d159", "\u200b\ufeff\x00", "\ud83d"]
)
def test_a_text_in_which_nothing_is_seen_is_blank(text: str) -> None:
    assert is_blank(text)
    assert readable(text) == ""


@pytest.mark.parametrize("text", ["a", "\u0600", "\ufffd", "\U0001f600", "\u0301", "\u3042"])
def test_what_is_drawn_is_not_blank(text: str) -> None:
    assert not is_blank(text)
    assert readable(text)


def test_tables_are_asked_the_same_as_texts() -> None:
    signs = [chr(point) for point in range(0x30000) if not 0xD800 <= point <= 0xDFFF]
    table = pl.Series(signs).str.contains(NOTHING_SEEN).to_list()
    assert [sign for sign, blank in zip(signs, table, strict=True) if blank != is_blank(sign)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("fr\u200bee g\ufe0fift \u202e!", 3),
        ("a family \U0001f468\u200d\U0001f469\u200d\U0001f467, love \u2764\ufe0f", 0),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645, Donau\u00addampfschiff", 0),
    ],
)
def test_hidden_characters_are_counted_where_honest_people_have_none(text: str, count: int) -> None:
    assert hidden(text) == count


def test_half_an_emoji_is_replaced_and_a_whole_one_is_not() -> None:
    assert well_formed("so \ud83d \U0001f600 \ude00") == "so \ufffd \U0001f600 \ufffd"
    assert seen("so \ud83d") == "so "


ANYTHING = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text("a\u0430b1 .-_*\u200b\u2021\n", max_size=30),
    st.text(
        "aB1 ..-\u2800\u3164\U0001f1eb\U0001f175\u0336\u20e3\u1d07\U0001f193\ufe0f", max_size=30
    ),
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
