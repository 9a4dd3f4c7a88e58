"""Find notable traits of a message: link targets, look-alike letters, phone numbers.

Pure. Uses the text only, not the model, so that it helps where the model is wrong.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from shield.disguises import disguises
from shield.links import LINK, links
from shield.text import apart, readable

MOST = 6
"""Most traits shown."""

_PHONE = re.compile(r"(?<![\w/.-])\+?\d(?:[ ().-]{0,2}\d){6,14}(?![\w/-])")


@dataclass(frozen=True)
class Trait:
    """One hint for the reviewer."""

    icon: str
    text: str
    odd: bool = False
    """Whether the trait is rare in harmless messages."""


def traits(text: str) -> list[Trait]:
    """Return the traits of a message, the most suspicious first."""
    marks = [*_disguises(text), *_links(text), *_phones(text)]
    unique = list(dict.fromkeys(marks))
    return sorted(unique, key=lambda trait: not trait.odd)[:MOST]


def _disguises(text: str) -> list[Trait]:
    marks = [
        Trait("warning", f"{word} reads {readable(word)}: letters apart", odd=True)
        for word in apart(text)
    ]
    for one in disguises(text):
        told = f"reads {one.reads}, but {one.words}" if one.reads else one.words
        marks.append(Trait("warning", told, odd=True))
    return marks


def _links(text: str) -> list[Trait]:
    return [_link(link) for link in links(text)]


def _link(link: str) -> Trait:
    try:
        parts = urlsplit(link if "://" in link else f"http://{link}")
        host = parts.hostname or ""
    except ValueError:
        return Trait("link", "a link that is none", odd=True)
    if parts.username is not None:
        return Trait("link", f"leads to {host}, whatever stands before the @", odd=True)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        disguised = "xn--" in host or not host.isascii()
        tail = ", a name with letters of other scripts" if disguised else ""
        return Trait("link", f"leads to {host}{tail}", odd=disguised)
    return Trait("link", f"leads to {host}, an address without a name", odd=True)


def _phones(text: str) -> list[Trait]:
    without_links = LINK.sub(" ", text)
    return [Trait("phone", f"to call: {match.group()}") for match in _PHONE.finditer(without_links)]
