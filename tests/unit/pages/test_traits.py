"""What a message hides from the eye."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pages.traits import MOST, traits


def texts(message: str) -> list[str]:
    return [trait.text for trait in traits(message)]


def odd(message: str) -> list[str]:
    return [trait.text for trait in traits(message) if trait.odd]


def test_a_plain_message_hides_nothing() -> None:
    assert traits("Lunch at 12.30? I bring 2 salads, café at the corner") == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Pay at https://fee.example/a?b=1.", "leads to fee.example"),
        ("Pay at www.fee.example", "leads to www.fee.example"),
        ("Pay at fee.example/now", "leads to fee.example"),
        ("Call +44 (0)800 123-4567 now", "to call: +44 (0)800 123-4567"),
    ],
)
def test_links_and_numbers_are_named(message: str, said: str) -> None:
    assert said in texts(message)
    assert odd(message) == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Log in: https://bank.example@evil.example/", "leads to evil.example, whatever stands"),
        ("Log in: http://192.0.2.7/login", "leads to 192.0.2.7, an address without a name"),
        ("Log in: http://xn--pypal-4ve.example", "a name with letters of other scripts"),
        ("Log in: http://p\u0430ypal.example", "a name with letters of other scripts"),
        ("Your p\u0430ypal account", "reads paypal, but contains a Cyrillic letter (\u0430)"),
        ("\uff37\uff29\uff2e now", "reads WIN, but contains 3 full-width letters (\uff37"),
        ("Your par\u200bcel wai\u200bts", "contains 2 zero-width spaces, which nobody sees"),
        ("Claim your f-r-e-e gift", "f-r-e-e reads free: letters apart"),
        ("W I N N E R today", "W I N N E R reads WINNER: letters apart"),
        ("Open http://[half a link", "a link that is none"),
    ],
)
def test_disguises_are_odd_and_come_first(message: str, said: str) -> None:
    assert any(said in one for one in odd(message))
    assert traits(f"https://fine.example {message}")[0].odd


def test_other_scripts_and_initials_are_no_disguise() -> None:
    assert traits("Back from the U.S.A. at 9 a.m., r u ok") == []
    assert traits("Привет, увидимся в семь") == []
    assert traits("ραντεβού στις οκτώ") == []


def test_the_digits_of_a_link_are_no_number_to_call() -> None:
    assert texts("See https://fee.example/0800123456") == ["leads to fee.example"]


@settings(deadline=None)  # a busy machine is no fault of the function
@given(st.text(max_size=200))
def test_any_text_has_few_traits_and_none_twice(message: str) -> None:
    found = traits(message)
    assert len(found) == len(set(found)) <= MOST
