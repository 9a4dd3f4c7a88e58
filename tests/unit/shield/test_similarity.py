"""One set of hard cases for all who ask which messages are copies of one another.

The API asks by `same_campaign`, the training and the drift watch by `campaigns` over a whole table.
"""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.learning import evasions
from components.prepare_corpus.reading import read_corpus
from components.shared.campaigns import campaigns, folded, hosts_of, near
from components.shared.environment import StepSettings
from shield.labels import ModelType
from shield.similarity import (
    PERMUTATIONS,
    bands,
    estimate,
    form,
    likeness,
    same_campaign,
    sketches,
    unpacked,
)
from shield.similarity.sketch import shingles

SCAM = (
    "URGENT! Your mobile number was awarded a 2000 pounds bonus prize. To claim your reward call "
    "09061 743 810 from a landline before Friday, quote code 4K7."
)
PARCEL = "Your parcel is held at our depot. Pay the fee of 1.99 at {} or it will be returned today"

SAME = {
    "numbers": (SCAM, SCAM.replace("2000", "350").replace("743 810", "749 602")),
    "case and marks": (SCAM, SCAM.upper().replace(".", "!!!")),
    "homoglyphs": (SCAM, SCAM.replace("a", "\u0430").replace("e", "\u0435").replace("o", "\u043e")),
    "zero width": (SCAM, SCAM.replace("prize", "p\u200br\u200bi\u200bz\u200be")),
    "full width": (SCAM, SCAM.translate({n: n + 0xFEE0 for n in range(0x61, 0x7B)})),
    "spacing": (SCAM, SCAM.replace("bonus prize", "b o n u s p.r.i.z.e")),
    "underscores": (SCAM, SCAM.replace("prize", "p_r_i_z_e").replace("claim", "c-l-a-i-m")),
    "digits for letters": (SCAM, SCAM.translate(str.maketrans("aeiost", "4310$7"))),
    "a one for an l": (SCAM, SCAM.replace("l", "1").replace("i", "!")),
    "other words": (SCAM, SCAM.replace("call", "ring").replace("mobile", "phone").lower()),
    "a greeting": (SCAM, "Hello dear customer. " + SCAM),
    "other path, same host": (
        PARCEL.format("https://fee.example/a1"),
        PARCEL.format("http://www.fee.example/zz?q=9"),
    ),
    "subdomains": (PARCEL.format("https://a1.fee.co.uk/x"), PARCEL.format("https://b2.fee.co.uk")),
    "hindi": (
        "आपका पार्सल रोक दिया गया है, 25 रुपये का शुल्क अभी जमा करें वरना वापस भेज दिया जाएगा",
        "आपका पार्सल रोक दिया गया है! 99 रुपये का शुल्क अभी जमा करें, वरना वापस भेज दिया जाएगा।",
    ),
    "arabic": ("طردك محتجز لدينا ادفع رسوم 12 الآن", "طردك محتجز لدينا، ادفع رسوم 35 الآن!"),
    "chinese": (
        "您的包裹被扣留，请立即支付费用12元以便投递",
        "您的包裹被扣留 请立即支付费用99元以便投递！",
    ),
    "emoji alone": ("😀😀", "😀 😀"),
}
ALERT = "Barclays: a payment of 48.20 to TESCO was made from your account. Not you? Go to {}"
DIFFERENT = {
    "an alert and its forgery": (
        ALERT.format("https://barclays.co.uk/fraud"),
        ALERT.format("https://barclays-secure.example/fraud"),
    ),
    "the same words, another host": (
        PARCEL.format("https://zoom.us/j/1"),
        PARCEL.format("https://bank-login.example/j/1"),
    ),
    "the same words, no link": (PARCEL.format("https://fee.example"), PARCEL.format("the depot")),
    "a look-alike host": (
        PARCEL.format("https://paypal.com/x"),
        PARCEL.format("https://p\u0430ypal.com/x"),
    ),
    "a shortener's other link": (
        PARCEL.format("https://bit.ly/3kQz1"),
        PARCEL.format("https://bit.ly/9wPa7"),
    ),
    "a name that looks like a suffix": (
        PARCEL.format("https://hsbc.co.uk"),
        PARCEL.format("https://hsbc.co.uk.example"),
    ),
    "two alerts of one bank": (
        ALERT.format("https://barclays.co.uk"),
        "Barclays: your one-time code is 482 113. Never tell it to anybody. https://barclays.co.uk",
    ),
    "two short greetings": ("Sorry, I'll call later", "I'll call the bank about the card"),
    "emoji": ("😀😀", "🙃"),
    "two scams": (SCAM, PARCEL.format("https://fee.example")),
    "a number, another number": ("4711", "0815"),
}


@pytest.mark.parametrize("case", SAME)
def test_copies_are_one_campaign(case: str) -> None:
    one, other = map(form, SAME[case])
    assert same_campaign(one, other), likeness(one.words, other.words)
    assert same_campaign(unpacked(one.packed()), other), "kept and read again"
    found = campaigns(pl.Series(SAME[case]))
    assert found.tolist() == [0, 0]


def test_a_copy_that_lacks_a_sentence_is_one_all_the_same() -> None:
    half = SCAM.partition("prize. ")[2]
    assert same_campaign(form(SCAM), form(half))
    assert near(pl.Series([half]), pl.Series([SCAM])).all(), "a training must not judge by it"
    assert not same_campaign(form(SCAM), form(half.partition(",")[0][:20])), "too short to tell"


@pytest.mark.parametrize("case", DIFFERENT)
def test_others_are_not(case: str) -> None:
    one, other = map(form, DIFFERENT[case])
    assert not same_campaign(one, other)
    pair = pl.Series(DIFFERENT[case])
    apart = len(set(campaigns(pair).tolist())) == 2 or hosts_of(pair).n_unique() == 2
    assert apart


@pytest.fixture(scope="module")
def sms() -> pl.DataFrame:
    return read_corpus(ModelType.SMS, StepSettings())


DISGUISES = {
    "leet": evasions.leet,
    "spaced": evasions.spaced,
    "homoglyphs": evasions.homoglyphs,
    "zero_width": evasions.zero_width,
    "short_links": evasions.short_links,
}


@pytest.mark.parametrize("name", DISGUISES)
def test_of_150_disguised_scams_none_is_strange_to_its_original(
    name: str, sms: pl.DataFrame
) -> None:
    rng = random.Random(f"{name} 2")
    drawn = rng.sample(sms.filter(pl.col("label") == 1)["text"].to_list(), 150)
    disguised = pl.Series([DISGUISES[name](text, rng) for text in drawn])
    assert near(disguised, pl.Series(drawn)).all()


def test_a_harmless_message_is_hardly_ever_near_a_scam(sms: pl.DataFrame) -> None:
    scams, hams = (sms.filter(pl.col("label") == label)["text"] for label in (1, 0))
    assert near(hams, scams).mean() < 0.01
    together = campaigns(pl.concat([scams, hams]))
    assert not set(together[: len(scams)]) & set(together[len(scams) :]), "no campaign is both"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abl L.!-'1 9$?@_,:/;()[]&#%+=<>\"\\^`{}\u200bé\u0430", max_size=14))
def test_the_fast_way_folds_as_the_exact_one(text: str) -> None:
    assert folded(pl.Series([text]))[0] == form(text).words


def jaccard(one: str, other: str) -> float:
    parts, others = shingles(one), shingles(other)
    return len(parts & others) / len(parts | others)


def test_one_sketch_is_the_same_alone_or_among_many_and_estimates_likeness(
    sms: pl.DataFrame,
) -> None:
    words = [form(text).words for text in sms["text"].head(400)] + ["", "a", "ab cd"]
    many = sketches(words, b"key")
    assert many.shape == (403, PERMUTATIONS)
    for place in (0, 17, 399, 400, 401, 402):
        assert np.array_equal(sketches([words[place]], b"key")[0], many[place])
        assert np.array_equal(sketches([words[place]], b"key", rows=48)[0], many[place][:48])
    off = [
        estimate(many[place], many[place + 1 : place + 2])[0]
        - jaccard(words[place], words[place + 1])
        for place in range(399)
    ]
    assert abs(float(np.mean(off))) < 0.01
    assert not set(bands(many[0], b"key", "sms")) & set(bands(many[0], b"other", "sms"))


@given(st.text(max_size=300))
def test_any_text_has_a_form_and_a_sketch(text: str) -> None:
    said = form(text.encode("utf-8", "replace").decode())
    assert "\n" not in said.words
    assert likeness(said.words, said.words) == 1.0
    alone, (among, _) = sketches([said.words]), sketches([said.words, "another"])
    assert alone.shape == (1, PERMUTATIONS)
    assert np.array_equal(alone[0], among)


@pytest.mark.parametrize(
    "words",
    ["", "a", " a  b ", "a" * 64, f"{'b' * 65} {'c' * 200} d", "\x01a \x02", "\U0001f600 é"],
)
def test_odd_words_have_one_sketch_alone_and_among_others(words: str) -> None:
    assert np.array_equal(sketches([words], b"k")[0], sketches([words, "another"], b"k")[0])
