"""Texts of all scripts, disguised, broken and odd, drawn by a seed: what phones really meet."""

import random
import unicodedata
from collections.abc import Iterator
from functools import cache

from shield import characters

_TEXT = (
    "Your parcel is held at customs pay the fee now http://parcel-fee.example/x?id=12 "
    "WINNER!! R.S.V.P U.S.A code 482913 don't share www.bank.example £1.99 "
    "Ваша посылка задержана оплатите Σίσυφος ΟΔΥΣΣΕΥΣ İstanbul ISPARTA ıßſ ǅungla ﬁne ﬃ "
    "你的包裹 已被扣留 小包をお支払い ｶﾞｷﾞ 안녕하세요 각 각 नमस्ते आपका पार्सल مرحبا طردك "
    "שלום חבילה สวัสดีพัสดุ ตำรวจ வணக்கம் ಕನ್ನಡ ქართული Հայերեն አማርኛ ខ្មែរ မြန်မာ বাংলা"
)
_WORDS = _TEXT.split()
_SIGNS = (
    "😀 👩\u200d👩\u200d👧 🇩🇪 🇫🇷🇮🇹 ❤\ufe0f 1\ufe0f\u20e3 🆓 🆗 🅱 🎁 ™ № ㎏ ① ㈱ Ⅷ ½ ² ª 𝓕𝓻𝓮𝓮 𝔉𝔯𝔢𝔢 "
    "Ｆｒｅｅ ᖴᖇEE ⒜⒝ 🄰🄱 ɢɪꜰᴛ"
)
_EMOJI = _SIGNS.split()
_SEPARATORS = (" ",) * 3 + ("  ", "\n", "\t", "\u00a0", "\u2003", "\u3000", ".", "-", "*", "_", "~")
_APART = (" ", ".", "-", "*", "_", "~", "·", "•", "|")
_STROKES = "\u0336\u0335\u20dd\u0338\u20e0\u0301\u0308\u0323\u0327\u0345"


@cache
def _assigned() -> str:
    return "".join(
        sign for sign in map(chr, range(0x110000)) if unicodedata.category(sign) not in {"Cn", "Co"}
    )


@cache
def _marks() -> str:
    return "".join(sign for sign in _assigned() if unicodedata.combining(sign))


@cache
def _invisible() -> str:
    return "".join(sorted(characters.INVISIBLE)) + characters.BLANKS


def odd_texts(seed: int, count: int) -> Iterator[str]:
    """Yield `count` texts; the same seed gives the same."""
    draw = random.Random(seed)
    for _ in range(count):
        pieces = [_piece(draw) for _ in range(draw.choice((1, 2, 3, 5, 8, 13)))]
        text = "".join(piece + draw.choice(_SEPARATORS) for piece in pieces)
        yield text if draw.random() < 0.9 else text.upper()


def _piece(draw: random.Random) -> str:
    kind = draw.randrange(12)
    word = draw.choice(_WORDS)
    if kind <= 2:
        return word
    if kind == 3:
        return draw.choice(_APART).join(word)
    if kind == 4:
        return "".join(letter + draw.choice(_invisible()) for letter in word)
    if kind == 5:
        return "".join(letter + draw.choice(_STROKES) for letter in word)
    if kind == 6:
        return draw.choice(_EMOJI) + draw.choice(("", word, "\u200d", "\ufe0f"))
    if kind == 7:
        return "".join(draw.choice(_assigned()) for _ in range(draw.randrange(1, 9)))
    if kind == 8:
        return "".join(chr(draw.randrange(0x110000)) for _ in range(draw.randrange(1, 6)))
    if kind == 9:
        return word[0] + "".join(draw.choice(_marks()) for _ in range(draw.randrange(1, 7)))
    if kind == 10:
        return draw.choice((".", "-", "·", "_")).join(draw.choice(_WORDS) for _ in range(6))
    return word.translate({ord("a"): "\u0430", ord("e"): "\u0435", ord("o"): "\u03bf"})
