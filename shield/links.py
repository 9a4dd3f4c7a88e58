"""Find the links of a message, in time that grows with its length and no faster.

The patterns are possessive, and a host is tried at its first character only: whoever sends 20,000
times `a-` waits no longer than others, and nobody waits for him.
"""

import re

_REST = r"[^\s<>\"']"
_HOST = r"(?:[\w-]++\.)++(?:xn--[\w-]++|[^\W\d_]{2,}+)"
"""Labels and a top-level name, which has letters alone or is punycode."""

LINK = re.compile(
    rf"(?:https?://|(?<![\w-])www\.){_REST}++"
    # A host without a scheme is a link if a path follows: "e.g." and "the end.Then" are none.
    rf"|(?<![\w-])(?<![\w-]\.){_HOST}(?::\d{{1,5}}+)?/{_REST}*+",
    re.IGNORECASE,
)
"""Matches one link: with a scheme, with `www.`, or a host with a path."""


def may_hold_links(text: str) -> bool:
    """Tell whether `LINK` may match: cheap, and no surely means no."""
    return "/" in text or "www." in text.lower()


def links(text: str) -> list[str]:
    """Return the links of `text` as they are written, without the punctuation behind them."""
    if not may_hold_links(text):
        return []
    return [match.group().rstrip(".,;:!?)") for match in LINK.finditer(text)]
