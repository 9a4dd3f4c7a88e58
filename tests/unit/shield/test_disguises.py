"""Disguises are told in words, and what Unicode itself needs is none."""

import pytest

from shield.disguises import Disguise, disguises


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 family day, see you!",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Scotland wins",
        "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 match at 8",
        "\U0001f1ec\U0001f1e7 OK",
        "Press 1\ufe0f\u20e3 or #\ufe0f\u20e3",
        "\u2139\ufe0f Info: your appointment",
        "Brand\u2122 and \xa92024 \xae",
        "10 m\xb2 flat, 5\xba floor",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0628\u0631\u0648\u0645",
        "\u0915\u094d\u200d\u0937 \u0914\u0930 \u0936\u094d\u0930\u0940",
        "\u2764\ufe0f you \u270c\U0001f3fd",
        "caf\xe9 na\xefve Z\xfcrich \u0130stanbul",
        "\ufb01ne print",
        "\uff21\uff34\uff2d\u3067\u632f\u8fbc \uff2f\uff2b",
        "\u05e9\u05dc\u05d5\u05dd \u200fABC 123",
        "Donau\xaddampf\xadschiff",
        "\u041f\u0440\u0438\u0432\u0435\u0442, \u043a\u0430\u043a \u0434\u0435\u043b\u0430?",
        "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1",
        "\xbd price",
        "\u2116 5",
        "\u24c2\ufe0f metro",
        "\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3fe",
        "Tom & \U0001f9d1\U0001f3fb\u200d\U0001f4bb at work",
        "1\ufe0f\u20e3Win",
        "\u845b\U000e0100\u57ce\u5e02",
        "\ufeffHello",
        "\u0d2e\u0d32\u0d2f\u0d3e\u0d33\u0d02 \u0d28\u0d4d\u200d \u0d15\u0d33\u0d4d\u200d",
        "\u201cquotes\u201d \u2013 dash\u2026 \u20ac5",
        "\uff21 Co \u682a\u5f0f\u4f1a\u793e",
        "na\xefve\u2026ok",
        "x\xb2+y\xb2",
        "\u2167 chapter",
        "\xbdl milk",
        "Stra\xdfe",
        "\u0153uvre",
        "\ufdfa",
        "OK\U0001f44c\U0001f3fd\U0001f44d",
        "100%\u2705Done",
        "\U0001f170\ufe0f blood group",
        "\U0001f197 fine",
        "Call \u260e\ufe0f now",
        "\u2068Anna\u2069 sent you a photo",
    ],
)
def test_what_an_honest_writer_needs_is_no_disguise(text: str) -> None:
    assert disguises(text) == []


@pytest.mark.parametrize(
    ("text", "words", "reads"),
    [
        ("p\u0430ypal locked", "contains a Cyrillic letter (\u0430)", "paypal"),
        ("\u0456Cloud", "contains a Cyrillic letter (\u0456)", "iCloud"),
        ("w\u200bin now", "contains a zero-width space, which nobody sees", ""),
        ("pay\u202egnp.exe", "contains a right-to-left override, which nobody sees", ""),
        (
            "\uff26\uff32\uff25\uff25 gift",
            "contains 4 full-width letters (\uff26, \uff32, \uff25)",
            "FREE",
        ),
        (
            "\U0001f17f\U0001f170\U0001f188\U0001f17f\U0001f170\U0001f17b",
            "is written with signs that are drawn as letters",
            "PAYPAL",
        ),
        (
            "\U0001f1f5\U0001f1e6\U0001f1fe",
            "is written with signs that are drawn as letters",
            "PAY",
        ),
        ("A\u200dmazon", "contains a zero-width joiner, which nobody sees", ""),
        ("fr\U000e0061ee", "contains a hidden tag letter, which nobody sees", ""),
        ("wi\ufe0fn", "contains a variation selector, which nobody sees", ""),
        ("\u24bb\u24e1\u24d4\u24d4", "contains 4 circled letters (\u24bb, \u24e1, \u24d4)", "Free"),
        ("b\xad\xadank", "contains 2 soft hyphens, which nobody sees", ""),
        ("p\u2067ay", "contains a mark of direction, which nobody sees", ""),
    ],
)
def test_a_disguise_is_named(text: str, words: str, reads: str) -> None:
    assert Disguise(words, reads) in disguises(text)
