"""What scammers do to a message so that yesterday's filter lets it through. Seeded."""

import random
import re
from collections.abc import Callable

Evasion = Callable[[str, random.Random], str]

_HOMOGLYPHS = str.maketrans(
    "aeopcyxiAEOPCTHKMBX",
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456"
    "\u0410\u0415\u041e\u0420\u0421\u0422\u041d\u041a\u041c\u0412\u0425",
)
_LEET = str.maketrans("aeiostAEIOST", "4310$7431057")
_LURES = frozenset(
    [
        "free",
        "win",
        "winner",
        "won",
        "prize",
        "claim",
        "cash",
        "call",
        "text",
        "txt",
        "reply",
        "mobile",
        "urgent",
        "award",
        "guaranteed",
        "customer",
        "service",
        "contact",
        "landline",
        "ringtone",
        "tone",
        "tones",
        "sms",
        "stop",
        "chat",
        "date",
        "sexy",
        "girls",
        "loan",
        "credit",
        "offer",
        "congratulations",
        "selected",
        "voucher",
        "holiday",
        "gift",
        "bonus",
        "draw",
        "awarded",
        "code",
        "valid",
        "nokia",
        "camera",
        "video",
        "unsubscribe",
        "subscription",
        "latest",
        "club",
        "network",
        "operator",
    ]
)
_SYNONYMS = {
    "free": ["complimentary", "at no cost", "gratis"],
    "win": ["get", "receive", "take home"],
    "won": ["been given", "earned"],
    "prize": ["reward", "surprise", "package"],
    "claim": ["collect", "pick up", "get hold of"],
    "call": ["ring", "phone", "dial"],
    "text": ["message", "write"],
    "txt": ["message", "write to"],
    "urgent": ["important", "please read"],
    "cash": ["money", "funds"],
    "mobile": ["handset", "phone"],
    "reply": ["answer", "respond"],
    "now": ["today", "straight away"],
    "stop": ["end", "quit"],
    "guaranteed": ["certain", "assured"],
    "customer": ["client", "member"],
    "winner": ["lucky one", "chosen one"],
    "congratulations": ["great news", "well done"],
    "awarded": ["granted", "given"],
    "your": ["ur", "the"],
    "you": ["u", "ya"],
    "please": ["kindly", "pls"],
    "contact": ["reach", "get back to"],
    "selected": ["picked", "chosen"],
    "offer": ["deal", "chance"],
}
_NUMBER = re.compile(r"\b\d[\d ]{4,}\d\b")
_LINK = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")


def _lure(change: Callable[[str], str], share: float) -> Evasion:
    def apply(text: str, rng: random.Random) -> str:
        def one(match: re.Match[str]) -> str:
            word = match.group()
            telling = word.lower() in _LURES or len(word) > 4
            return change(word) if telling and rng.random() < share else word

        return _WORD.sub(one, text)

    return apply


def plain(text: str, rng: random.Random) -> str:
    """Change the numbers alone, as every copy of a campaign does."""
    return re.sub(r"\d", lambda _: str(rng.randrange(10)), text)


def short_links(text: str, rng: random.Random) -> str:
    """Put a short link where a number or a link was."""
    code = "".join(rng.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(6))
    host = rng.choice(["bit.ly", "is.gd", "t.ly", "cutt.ly", "tiny.cc"])
    swapped, count = _NUMBER.subn(f"{host}/{code}", _LINK.sub(f"{host}/{code}", text))
    return swapped if count or _LINK.search(text) else f"{text} {host}/{code}"


def spaced(text: str, rng: random.Random) -> str:
    """S p a c e  the telling words."""
    mark = rng.choice([" ", ".", "-", "_"])
    return _lure(mark.join, 0.8)(text, rng)


def zero_width(text: str, rng: random.Random) -> str:
    """Break the telling words by characters that nobody sees."""
    return _lure(lambda word: "\u200b".join(word), 0.9)(text, rng)


def paraphrase(text: str, rng: random.Random) -> str:
    """Say it in other words, drop a sentence, and stop shouting."""
    words = _WORD.sub(
        lambda match: (
            rng.choice(_SYNONYMS[match.group().lower()])
            if match.group().lower() in _SYNONYMS and rng.random() < 0.8
            else match.group()
        ),
        text,
    )
    parts = [part for part in re.split(r"(?<=[.!?])\s+", words) if part]
    if len(parts) > 2:
        parts.pop(rng.randrange(1, len(parts)))
    return " ".join(parts).capitalize()


def mixed(text: str, rng: random.Random) -> str:
    """Two disguises at once."""
    return _two(text, rng, [homoglyphs, leet, spaced, paraphrase, short_links])


def unmarked(text: str, rng: random.Random) -> str:
    """Two disguises at once that no normaliser undoes or marks."""
    return _two(text, rng, [leet, paraphrase, short_links])


def _two(text: str, rng: random.Random, among: list[Evasion]) -> str:
    first, second = rng.sample(among, 2)
    return second(first(text, rng), rng)


homoglyphs: Evasion = _lure(lambda word: word.translate(_HOMOGLYPHS), 0.9)
"""Write the telling words with Cyrillic letters that look the same."""

leet: Evasion = _lure(lambda word: word.translate(_LEET), 0.9)
"""Write digits for letters."""

BY_MONTH: list[tuple[str, Evasion]] = [
    ("new numbers", plain),
    ("short links", short_links),
    ("digits for letters", leet),
    ("spacing", spaced),
    ("homoglyphs", homoglyphs),
    ("paraphrase", paraphrase),
    ("invisible characters", zero_width),
    ("two at once", mixed),
]
"""What is new in each month of the replay."""
