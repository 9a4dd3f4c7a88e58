"""Make a message fit to be shown: its common words stay, what could name somebody goes."""

import re
from collections import Counter
from collections.abc import Iterable

_TOKEN = re.compile(
    # An address is tried at the first character of a word only, or long words cost quadratic time.
    r"https?://\S+|www\.\S+|(?<!\S)\S+@\S+|[^\W\d_]+|\d+|\s+|.",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+")


def common_words(texts: Iterable[str], least: int = 5) -> frozenset[str]:
    """Return the lower-case words that occur in at least `least` messages.

    A name, a street or a company that few messages hold is not among them.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_WORD.findall(text.lower())))
    return frozenset(word for word, times in counts.items() if times >= least)


def redact(text: str, common: frozenset[str], longest: int = 160) -> str:
    """Return `text` with links, addresses, digits and rare words masked, cut to `longest`."""
    masked = "".join(_mask(token, common) for token in _TOKEN.findall(text[: 4 * longest]))
    return masked if len(masked) <= longest else masked[: longest - 1] + "…"


def _mask(token: str, common: frozenset[str]) -> str:
    if token.isspace():
        return " "
    if token.lower().startswith(("http", "www.")) and "." in token:
        return "[link]"
    if "@" in token and len(token) > 1:
        return "[address]"
    if token.isdigit():
        return "0" * min(len(token), 12)
    if _WORD.fullmatch(token) and token.lower() not in common:
        return "·" * min(len(token), 12)
    return token
