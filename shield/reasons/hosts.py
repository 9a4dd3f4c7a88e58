"""What the links of a message do: where they lead, and whom they only resemble."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

import tldextract
from confusable_homoglyphs import confusables

from shield.links import LINK, links
from shield.reasons.brands import Brand, brand_names
from shield.reasons.words import words_of
from shield.text import readable

_ASCII = frozenset("abcdefghijklmnopqrstuvwxyz")
_MOST = 8
"""Links that are looked at; a message with more of them has said enough."""
_SPLIT = re.compile(r"[-._]")
# What a broken link cannot be written without, in small letters: looking for it costs nothing.
_BROKEN_HAS = ("hxxp", "h**p", "http", "[.]", "[dot]", "(dot)", "(.)", " dot ")
_BROKEN = re.compile(
    r"\bh(?:xx|\*\*)ps?\b|\bhttps?(?: ?\[:\]| :? ?//|: //)"
    r"|\w ?(?:\[\.\]|\[dot\]|\(dot\)|\(\.\)) ?\w|\w dot (?:com|net|org|info|top|xyz)\b",
    re.IGNORECASE,
)
_SPACE, _DOT = r"[ \t\n\r\u00a0]", r"[.\u3002\uff0e\uff61\u2024]"
MAYBE_LINK = "|".join(
    (
        # shop.example, and end.Then
        rf"[^ \t\n\r\u00a0.]{_DOT}[^ \t\n\r\u00a00-9.,;:!?)\]\u0022\u0027\u2026-]",
        rf"{_SPACE}{_DOT}{_SPACE}?[^ \t\n\r\u00a00-9.]{{2}}",  # shop . example
        rf"{_DOT}{_SPACE}(?:com|net|org|info|biz|co|io|app|shop|top|xyz|online|link)(?![a-z])",
        rf"[.,][^ \t\n\r\u00a00-9,]{{2,}}/|{_DOT}{_SPACE}[^ \t\n\r\u00a0]+/",
        rf"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]|www|http|hxxp|h\*\*p|:{_SPACE}?/|/{_SPACE}?/",
        rf"[\[({{]{_SPACE}?(?:\.|dot|punkt|punto|point|ponto|titik){_SPACE}?[\])}}]",
        rf"{_SPACE}(?:dot|slash){_SPACE}",
    )
)
"""What may be an address to somebody, though no program opens it. Python, TypeScript
and Kotlin read it the same, letters of any case."""
_MAYBE_LINK = re.compile(MAYBE_LINK, re.IGNORECASE)
# Digits and pairs that the eye takes for letters, as look-alike addresses use them.
_EYE = str.maketrans("015348", "oisaeb") | {ord("l"): "i"}
_SHORTENERS = frozenset(
    {
        *("bit.ly", "tinyurl.com", "t.co", "goo.gl", "is.gd", "cutt.ly", "rb.gy", "ow.ly", "t.ly"),
        *("shorturl.at", "rebrand.ly", "s.id", "buff.ly", "v.gd", "tiny.cc", "rotf.lol", "u.to"),
        *("lnkd.in", "qr.co", "q-r.to", "me-qr.com", "shrtco.de", "bl.ink"),
    }
)
_COMMON = frozenset(
    {
        *("account", "alert", "bank", "card", "claim", "click", "customer", "delivery", "express"),
        *("from", "help", "here", "http", "https", "info", "link", "login", "mail", "mobile"),
        *("money", "online", "parcel", "payment", "please", "post", "secure", "security"),
        *("service", "support", "team", "that", "this", "today", "track", "update", "verify"),
        *("with", "your"),
    }
)
"""Words of messages that are no name, though addresses hold them."""
_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
"""The list of endings that came with the library; nothing is fetched."""


@dataclass(frozen=True)
class Found:
    """One fact about a link, with what its sentence needs."""

    id: str
    host: str = ""
    name: str = ""
    claimed: str = ""


def links_of(text: str) -> list[Found]:
    """Return what is to be said of the links in the text, the plainest deceit first."""
    facts: list[Found] = []
    if found := links(text)[:_MOST]:
        words = words_of(LINK.sub(" ", text))  # names are what the text says, beside its links
        facts = [fact for link in found for fact in _of_link(link, words)]
    if is_broken(text):
        facts.append(Found("link-broken"))
    return list(dict.fromkeys(facts))


def has_no_link(text: str) -> bool:
    """Tell whether nothing in the text can be taken for an address; in doubt there is one.

    It is said to calm, so it must not be wrong: `shop.example` is no link to a program, and typed
    into a browser all the same.
    """
    return not links(text) and not is_broken(text) and not _MAYBE_LINK.search(text)


def is_broken(text: str) -> bool:
    """Tell whether a link is written so that programs do not see it: `hxxp`, `[.]`, `http //`."""
    lowered = text.lower()
    return any(part in lowered for part in _BROKEN_HAS) and bool(_BROKEN.search(text))


def _of_link(link: str, words: list[str]) -> Iterator[Found]:
    try:
        parts = urlsplit(link if "://" in link else f"http://{link}")
        host, user = (parts.hostname or "").rstrip("."), parts.username
    except ValueError:
        yield Found("link-broken")
        return
    if not host:
        return
    if user is not None:
        yield Found("link-pretends", host, claimed=user[:60])
    try:
        ipaddress.ip_address(host)
    except ValueError:
        yield from _of_host(host, words)
    else:
        yield Found("link-numbers", host)


def _of_host(host: str, words: list[str]) -> Iterator[Found]:
    shown = _decoded(host)
    if _mixed(shown):
        yield Found("link-letters", host)
    if host in _SHORTENERS:
        yield Found("link-short", host)
        return
    label, before = _named(readable(shown))
    # Without accents, as the words of the text are.
    pieces = words_of(" ".join(piece for piece in _SPLIT.split(f"{before}.{label}") if piece))
    named = next(_brands_meant(pieces, words), None)
    if named is not None:
        brand, name = named
        if not brand.owns(host, label):
            alike = _alike(name, pieces)
            yield Found("link-lookalike" if alike else "link-not-theirs", host, name)
        return
    yield from _of_names(host, "".join(words_of(label)), pieces, words)


def _named(host: str) -> tuple[str, str]:
    """Return the name that somebody has registered, without its ending, and what is before it."""
    parts = _extract(host)
    if parts.suffix or not parts.subdomain:
        return parts.domain, parts.subdomain
    # An ending that the list does not know: the last label.
    before, _, label = parts.subdomain.rpartition(".")
    return label, before


def _brands_meant(pieces: list[str], words: list[str]) -> Iterator[tuple[Brand, str]]:
    """Yield the brands that the address names or imitates, then those that the text names."""
    said = f" {' '.join(words)} "
    for in_address in (True, False):
        for brand, name, spelled in brand_names():
            joined = spelled.replace(" ", "")
            if in_address:
                meant = joined in pieces or (len(joined) > 4 and _alike(joined, pieces))
            else:
                meant = f" {spelled} " in said
            if meant:
                yield brand, _spelled(name)


def _of_names(host: str, label: str, pieces: list[str], words: list[str]) -> Iterator[Found]:
    """Say of an address without a known brand how it uses a name that the text speaks of."""
    for name in _names(words):
        if label == name:
            return  # its own name, whole: nothing to say
        if _alike(name, pieces):
            yield Found("link-lookalike", host, name.title())
            return
        if any(piece.startswith(name) for piece in pieces):
            yield Found("link-borrows-name", host, name.title())
            return


def _names(words: list[str]) -> list[str]:
    """Return what may be a name: words of four letters or more, and neighbours written as one."""
    singles = [word for word in words if len(word) > 3 and word.isalpha() and word not in _COMMON]
    pairs = [
        one + two
        for one, two in pairwise(words)
        if len(one) > 1 and len(two) > 1 and (one + two).isalpha()
    ]
    return list(dict.fromkeys([*pairs, *singles]))[:60]


def _alike(name: str, pieces: list[str]) -> bool:
    """Tell whether a piece of an address is written to be taken for the name, and is not it."""
    joined = name.replace(" ", "").lower()
    if len(joined) < 5 or joined in pieces:
        return False
    skeleton = _skeleton(joined)
    for piece in pieces:
        if piece == joined or abs(len(piece) - len(joined)) > 1:
            continue
        if _skeleton(piece) == skeleton:
            return True
        if len(joined) >= 6 and _one_edit_apart(piece, joined):
            # "parcels" beside "parcel" imitates nobody.
            return not (piece.startswith(joined) or joined.startswith(piece))
    return False


def _one_edit_apart(one: str, other: str) -> bool:
    """Tell whether a letter was changed, added, left out, or two neighbours exchanged."""
    apart = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    start = next(apart, min(len(one), len(other)))
    left, right = one[start:], other[start:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


def _skeleton(label: str) -> str:
    return label.replace("rn", "m").replace("vv", "w").translate(_EYE)


def _decoded(host: str) -> str:
    if "xn--" not in host:
        return host
    try:
        return host.encode("ascii").decode("idna")
    except (UnicodeError, ValueError):
        return host


def _mixed(host: str) -> bool:
    """Tell whether letters of other scripts pass for familiar ones; whole foreign names do not."""
    if host.isascii():
        return False
    *labels, ending = host.split(".")
    return any(_borrowed(label, ending) for label in labels if not label.isascii())


def _borrowed(label: str, ending: str) -> bool:
    if readable(label) != label:
        return True  # both scripts in one word
    alike = confusables.is_confusable(label, greedy=True, preferred_aliases=["latin"]) or []
    doubles = {
        one["character"] for one in alike if any(each["c"] in _ASCII for each in one["homoglyphs"])
    }
    # A whole name of letters with a plain double each, under a plain ending: no language's own.
    return ending.isascii() and {letter for letter in label if not letter.isascii()} <= doubles


def _spelled(name: str) -> str:
    return name.upper() if len(name) <= 4 else name.title()
