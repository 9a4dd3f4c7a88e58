"""Read a text as plain words, alike in every language that the tables are written in."""

import re
import unicodedata

from shield.text import readable

# The Indic and Arabic vowel signs are no letters to `\w`, and no word ends at one.
_WORD = re.compile(r"[\w\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u097f]+|[£$€₹]")
_ACCENTS = re.compile(r"[\u0300-\u036f\u0610-\u061a\u064b-\u065f]+")
_ARABIC_ENDINGS = str.maketrans({"\u0649": "\u064a", "\u0629": "\u0647", "\u0640": ""})
_ARABIC = re.compile(r"[\u0621-\u064a]")
_LONGEST = 5_000
"""Characters that are looked at: what a message asks for stands near its beginning or nowhere."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, in small letters, without accents, in order.

    Arabic words lose the article and an "and" before them. Of a longer text the first 5,000
    characters are read.
    """
    folded = readable(text[:_LONGEST]).lower()
    if folded.isascii():
        return _WORD.findall(folded)
    folded = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded)).translate(_ARABIC_ENDINGS)
    # Hindi letters with a dot are two characters, as NFKD leaves them, in texts and tables.
    return [_bare(word) for word in _WORD.findall(folded)]


def _bare(word: str) -> str:
    if not _ARABIC.match(word):
        return word
    for prefix in ("\u0648", "\u0627\u0644"):  # "and", then "the"
        if word.startswith(prefix) and len(word) >= len(prefix) + 3:
            word = word[len(prefix) :]
    return word
