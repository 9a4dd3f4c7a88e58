"""Read a mail as it was received (`.eml`): what its reader sees, and where its links lead.

The standard library's parser undoes MIME, encodings and charsets. Attachments are left out, and
nothing in a mail is executed or fetched.
"""

import re
import string
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from html import unescape
from urllib.parse import urlsplit

from shield.characters import REPLACEMENT, well_formed
from shield.errors import Invalid
from shield.mail_headers import known
from shield.mail_parts import opened

LONGEST = 20_000
"""Characters that are kept: as many as a scan takes."""
_HEADERS = ("From", "Subject", "To", "Date", "Received", "Return-Path", "Message-ID")
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""Of other letters the small one may be longer, and places would no longer fit."""
_HIDDEN = (
    ("<!--", "-->"),
    ("<script", "</script"),
    ("<style", "</style"),
    ("<head>", "</head"),
    ("<title", "</title"),
)
_INLINE = frozenset({"a", "b", "em", "font", "i", "span", "strong", "u"})
"""Tags that part no words."""
_LEADING_ZEROS = re.compile(r"&#0++(?=[0-9])")
_NO_CHARACTER = re.compile(r"&#[0-9]{8,}+;?")
_TAG = re.compile(r"<([^<>]{0,2000}+)>")
_TARGET = re.compile(r"\bhref\s{0,9}=\s{0,9}[\"']?(https?://[^\s\"'<>]{1,300}+)", re.IGNORECASE)


def read_mail(raw: bytes) -> str:
    """Return subject and body of a mail as its reader sees them, links with their targets.

    The sender's address stands in front: it is part of what a reader judges by.

    Of a mail of more than 500 kB the beginning is read, and of a header of more than 2 kB.

    Raises:
        Invalid: It is no mail: it has none of the headers that each mail has.
        TooLarge: It has too many lines, headers or parts, or they are in one another too deeply.
    """
    mail = opened(raw)
    if not any(name in mail for name in _HEADERS):
        raise Invalid(
            "This is no mail: it has no From, Subject or Date. Save the mail with its headers "
            "(`.eml`), or scan its words as a text."
        )
    body = body_of(mail)
    parts = [header_of(mail, "From"), header_of(mail, "Subject"), body]
    return well_formed("\n".join(part for part in parts if part))[:LONGEST]


def body_of(mail: Message) -> str:
    """Return the part that a program shows: the HTML, as text, or else the plain text."""
    parts = [part for part in mail.walk() if not part.is_multipart() and not part.get_filename()]
    for kind, read in (("text/html", text_of_html), ("text/plain", str)):
        for part in parts:
            if part.get_content_type() == kind and (text := read(decoded(part))).strip():
                return " ".join(text.split())
    return ""


def decoded(part: Message) -> str:
    """Return the text of a part in whatever charset it is; what cannot be read as U+FFFD."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(known(part.get_content_charset() or "utf-8"), "replace")
    except (LookupError, ValueError):
        return payload.decode("latin-1")


def unescaped(html: str) -> str:
    """Return HTML's text with its references (`&amp;`, `&#65;`) undone, whatever numbers they are.

    The standard library refuses numbers of thousands of digits.
    """
    return unescape(_NO_CHARACTER.sub(REPLACEMENT, _LEADING_ZEROS.sub("&#", html)))


def text_of_html(html: str) -> str:
    """Return what a reader sees of HTML, each link followed by where it leads in brackets.

    Linear in its length; the standard library's HTML parser is not, and a mail is a stranger's.
    """
    for start, end in _HIDDEN:
        html = _without(html, start, end)
    shown, at, target, since = list[str](), 0, "", 0
    for tag in _TAG.finditer(html):
        shown.append(unescaped(html[at : tag.start()]))
        at = tag.end()
        name = next(iter(tag[1].lstrip("/").lower().split(None, 1)), "")
        if name == "a":
            shown.append(_told(target, "".join(shown[since:])))
            link = _TARGET.search(tag[1])
            target, since = (link[1] if link else ""), len(shown)
        shown.append("" if name in _INLINE else " ")
    shown.append(unescaped(html[at:]))
    return "".join([*shown, _told(target, "".join(shown[since:]))])


def _told(target: str, shown: str) -> str:
    """Return where a link leads, unless what is shown of it says so."""
    try:
        host = urlsplit(target).hostname or ""
    except ValueError:
        host = ""
    return f" ({target})" if host and host not in shown.lower() else ""


def _without(html: str, start: str, end: str) -> str:
    """Return HTML without what stands between two marks; what is never closed ends it."""
    folded, kept, at = html.translate(_SMALL), list[str](), 0
    while (opened := folded.find(start, at)) >= 0:
        kept.append(html[at:opened])
        closed = folded.find(end, opened)
        shut = folded.find(">", closed + len(end) - 1) if closed >= 0 else -1
        if shut < 0:
            return "".join(kept)
        at = shut + 1
    return "".join([*kept, html[at:]])


def header_of(mail: Message, name: str) -> str:
    """Return a header as it is read, encoded words undone; empty where there is none."""
    # Without an encoding a header is UTF-8, if it is anything (RFC 6532).
    held = next((held for key, held in mail.raw_items() if key.lower() == name.lower()), None)
    if held is None:
        return ""
    value = str(held).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        words = [
            (word, charset and known(charset.partition("*")[0]))
            for word, charset in decode_header(value)
        ]
        return " ".join(str(make_header(words)).split())
    except (HeaderParseError, LookupError, ValueError):
        return " ".join(value.split())
