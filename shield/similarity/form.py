"""A message without what its copies vary: disguises folded, numbers and links taken out.

The words are compared, and the hosts of the links beside them: the same words with another host are
another message, since a forgery is a bank's own alert with another link.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from tldextract import TLDExtract

from shield.links import LINK, may_hold_links
from shield.text import readable

LONGEST = 5000
"""Characters that are looked at: campaigns differ at their beginning or not at all."""

# Possessive, and begun at the first character of an address only: linear on any text.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@([\w-]++(?:\.[\w-]++)++)")
# Vowel signs of Indian scripts and of Thai, and Arabic points, belong to their words.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0970-\u0dff"
    "\u0e31-\u0e3a\u0e47-\u0e4e"
)
_WORD = re.compile(rf"[\w{_SIGNS}$@]++(?:[!|](?=[^\W\d_])[\w{_SIGNS}$@]*+)*+")
_EDGE_DIGITS = re.compile(r"^[\d$@_]++|[\d$@_]++$")
_LEET = str.maketrans("013457@$!|l", "oieastasiii")
_LATIN = re.compile("[a-z]")
_SHARED = frozenset(
    (
        *("bit.ly", "is.gd", "t.ly", "cutt.ly", "tiny.cc", "tinyurl.com", "t.co", "goo.gl"),
        *("ow.ly", "rb.gy", "shorturl.at", "rebrand.ly", "buff.ly", "s.id", "v.gd", "lnkd.in"),
        *("qr.ae", "t.me", "wa.me", "linktr.ee"),
    )
)
"""Where anybody makes links: the host says nothing, the whole link counts."""


@dataclass(frozen=True)
class Form:
    """What of a message is compared."""

    words: str
    """Folded words with one blank between them; may be empty."""
    hosts: frozenset[str] = frozenset()
    """Registrable domains of its links and mail addresses; for link shorteners the whole link."""

    def packed(self) -> str:
        """Return it as one line of text; `unpacked` reads it."""
        return "\t".join([self.words, *sorted(self.hosts)])


def unpacked(line: str) -> Form:
    """Return the form that `packed` wrote."""
    words, *hosts = line.split("\t")
    return Form(words, frozenset(hosts))


def form(text: str) -> Form:
    """Return what of a message is compared."""
    text = text[:LONGEST]
    folded = readable(text).lower()
    # As written: a host in look-alike letters is another host.
    written = text.lower()
    hosts = _hosts(written) or (_hosts(folded) if folded != written else frozenset())
    if "@" in folded:
        folded = _EMAIL.sub(" ", folded)
    if "." in folded and may_hold_links(folded):
        folded = LINK.sub(" ", folded)
    words = " ".join(filter(None, map(_word, _WORD.findall(folded))))
    # A message without a word (emoji only, a number) is like nothing but itself.
    return Form(words or "".join(folded.split()), hosts)


def _hosts(text: str) -> frozenset[str]:
    hosts: set[str] = set()
    if "@" in text:
        hosts.update(registrable(match[1]) for match in _EMAIL.finditer(text))
        text = _EMAIL.sub(" ", text)
    if "." in text and may_hold_links(text):
        hosts.update(host for match in LINK.finditer(text) if (host := _host(match.group())))
    return frozenset(hosts)


def _word(written: str) -> str:
    """Return a word with its letters for digits; empty if it is a number."""
    if written.isalpha():
        return _seen(written)
    inner = _EDGE_DIGITS.sub("", written)
    if not any(map(str.isalpha, inner)):
        return ""
    if inner.isalpha():  # an amount and its unit
        return _seen(inner)
    if _LATIN.search(written):
        return written.translate(_LEET).replace("_", "")
    return "".join(letter for letter in written if not letter.isdigit())


def _seen(letters: str) -> str:
    """Return letters as they look: a digit one stands for either, so that two count as one."""
    return letters.replace("l", "i")


def _host(link: str) -> str:
    """Return what stands for a link; empty where there is no host in it."""
    link = link.rstrip(".,;:!?)")
    try:
        parts = urlsplit(link if "://" in link else f"//{link}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    domain = registrable(host)
    return domain + parts.path.rstrip("/") if domain in _SHARED else domain


@lru_cache(maxsize=65536)
def registrable(host: str) -> str:
    """Return the part of a host name that somebody has bought: `example.org` of `a.example.org`."""
    host = host.strip(".").lower()
    if not host.isascii():
        with suppress(UnicodeError):
            host = host.encode("idna").decode()
    suffix = _suffixes()(host)
    if suffix.suffix or suffix.ipv4 or suffix.ipv6:
        return suffix.top_domain_under_public_suffix or host
    return ".".join(host.split(".")[-2:])  # a suffix that the list does not know


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    # The list that comes with the library: nothing is fetched.
    return TLDExtract(suffix_list_urls=(), cache_dir=None)
