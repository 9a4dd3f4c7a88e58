"""Which parts of a message are links."""

import pytest

from shield.links import links


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
