"""Which parts of a message are links."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shield.links import LINK, links
from shield.reasons import hosts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pay at https://fee.example/a?b=1.", ["https://fee.example/a?b=1"]),
        ("Pay at www.fee.example, now", ["www.fee.example"]),
        ("Pay at (fee.example/now)", ["fee.example/now"]),
        ("Pay at ...fee.example/now", ["fee.example/now"]),
        ("Pay at fee.example:8080/now", ["fee.example:8080/now"]),
        ("Pay at me@fee.example/now", ["fee.example/now"]),
        ("Pay at xn--fe-lia.xn--p1ai/now", ["xn--fe-lia.xn--p1ai/now"]),
        ("Оплата: пример.рф/сейчас", ["пример.рф/сейчас"]),
        ('<a href="http://fee.example">pay</a>', ["http://fee.example"]),
        ("HTTP://FEE.EXAMPLE", ["HTTP://FEE.EXAMPLE"]),
        ("At 9 a.m./p.m. or the end.Then 1.5/2", []),
        ("awww.that is cute", []),
        ("a-" * 10, []),
    ],
)
def test_links_are_found(text: str, expected: list[str]) -> None:
    assert links(text) == expected


_PARTS = (
    *("http", "HTTPS", "hxxp", "h**p", "s", "\u017f", "://", ":", "//", "/", "www", "WwW", "."),
    *("[.]", "[dot]", "(.)", "(DOT)", " dot ", "dot", "com", "xyz", " ", "fee", "a", "[:]", "W"),
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(_PARTS), max_size=9).map("".join))
def test_the_quick_look_before_a_pattern_misses_nothing(text: str) -> None:
    assert bool(links(text)) == bool(LINK.search(text))
    assert hosts.is_broken(text) == bool(hosts._BROKEN.search(text))
