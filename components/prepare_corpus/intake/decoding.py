"""Bytes to text: which encoding, and what makes one think so."""

import codecs
import re

from charset_normalizer import from_bytes

from shield.errors import Invalid

BROKEN = "\ue0f0"
"""Stands for bytes that are no character; a U+FFFD in a file is the message's own."""
_BROKEN = "shield-broken"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return BROKEN, error.end


codecs.register_error(_BROKEN, _mark)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_HIGH = re.compile(rb"[\x80-\xff]")
_IN_WORD = re.compile(r"(?<=[^\W\d_])[^\x00-\x7f]|[^\x00-\x7f](?=[^\W\d_])")
_SAMPLE = 200_000
_SCRIPTS = ("Cyrillic", "Greek", "Hebrew", "Arabic", "CJK", "Hiragana", "Hangul", "Thai")


def decoded(raw: bytes, name: str, encoding: str | None = None) -> tuple[str, str]:
    """Return (text, how it was found), without the byte order mark.

    A file in UTF-8 with a few broken bytes stays UTF-8: `BROKEN` stands for each, and the rows that
    hold one are listed. Otherwise the encoding is guessed, and the guess is told.

    Raises:
        Invalid: The encoding that was named does not exist, or does not fit.
    """
    if encoding is not None:
        return _as_told(raw, name, encoding), f"{encoding} (as told)"
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return raw.decode(codec, _BROKEN), f"{codec.removesuffix('-sig')} (byte order mark)"
    if (wide := _two_bytes(raw)) is not None:
        return raw.decode(wide, _BROKEN), f"{wide} (guessed by its zero bytes; else --encoding)"
    try:
        return raw.decode("utf-8"), "utf-8" if _HIGH.search(raw) else "ascii"
    except UnicodeDecodeError:
        pass
    whole = sum(map(len, _SEQUENCE.findall(raw)))
    broken = len(_HIGH.findall(raw)) - whole
    if whole >= broken:
        return raw.decode("utf-8", _BROKEN), f"utf-8, with {broken} broken bytes"
    codec = _guessed(raw)
    example = next((line for line in raw.splitlines() if _HIGH.search(line)), b"")
    shown = example.decode(codec, "replace").strip()[:60]
    return raw.decode(codec, _BROKEN), (
        f"{codec} (guessed; {broken} bytes are no UTF-8; is {shown!r} right? else --encoding)"
    )


def _as_told(raw: bytes, name: str, encoding: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise Invalid(
            f"There is no encoding {encoding!r}. Usual ones: utf-8, cp1252, utf-16, cp1251."
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{name} is not {encoding}: {error.reason} at byte {error.start}. Leave --encoding out "
            "to have it found."
        ) from error


def _two_bytes(raw: bytes) -> str | None:
    """Return the codec of UTF-16 without a byte order mark, by where its zero bytes stand.

    As UTF-8 it is valid, and every second character of a message would be NUL.
    """
    even, odd = raw[:_SAMPLE:2].count(0), raw[1:_SAMPLE:2].count(0)
    if max(even, odd) * 40 < min(len(raw), _SAMPLE):  # blanks and line ends alone have more
        return None
    if odd > 10 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 10 * odd else None


def _guessed(raw: bytes) -> str:
    """Return the codec of bytes that are no UTF-8.

    Codecs of Latin letters are taken for one another where there are few accents: a pound sign is a
    letter in another. Most such files come from Western Windows, so that one is taken unless its
    signs would stand within words.
    """
    best = from_bytes(raw[:_SAMPLE]).best()
    if best is not None and any(
        alphabet.startswith(script) for alphabet in best.alphabets for script in _SCRIPTS
    ):
        return best.encoding
    signs = {codec: _signs_in_words(raw, codec) for codec in ("cp1252", "cp1250", "cp1254")}
    return min(signs, key=lambda codec: signs[codec])  # the first of equals


def _signs_in_words(raw: bytes, codec: str) -> int:
    text = raw[:_SAMPLE].decode(codec, "replace")
    return sum(not sign.isalpha() and sign not in "’‘'“”" for sign in _IN_WORD.findall(text))
