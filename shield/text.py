"""Normalise a message before it is tokenised: the same in training, evaluation and serving.

A package's manifest names the normaliser it was trained with, so that a model is never fed with
text prepared in another way. A normaliser never changes once released: a better one gets a new
name.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from shield.characters import HIDDEN_IN_WORD, OVERLAY, is_disguised, letters, seen
from shield.errors import PackageInvalid

Normaliser = Callable[[str], str]
"""Maps a message to the text the tokenizer sees. Pure, total (any `str`), and idempotent."""

# Control characters that are not white space. NUL among them: it ends strings in other people's C.
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0E, 0x1C), 0x7F))

# Letters of other scripts that the eye reads as Latin. Only used inside words that also hold Latin
# letters: a Russian or Greek word stays what it is, "p\u0430ypal" does not get past the model.
# Source: Unicode TS 39, confusables.txt, the single-letter look-alikes of Cyrillic and Greek.
LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f"
    "\u03a1\u03a4\u03a5\u03a7\u0131",
    "aeopcyxijshdqwABEKMHOPCTXIJSoavpABEZHIKMNOPTYXi",
)

# A word whose letters stand apart: "f-r-e-e", "f r e e". One mark between all of them. Between
# blanks three letters are no word: "r u ok", "i c u" and "plan a b c" are how people write.
_APART = re.compile(
    r"(?<![^\W_])(?<![^\W_][._*~-])"
    r"[^\W\d_](?:([._*~-])[^\W_](?:\1[^\W_])+|(?: [^\W_]){3,})"
    r"(?![^\W_])(?![._*~-][^\W_])"
)
_LONGEST_INITIALS = len("R.S.V.P")
_BETWEEN = re.compile(r"[ ._*~-]")
# Characters without a width inside a Latin word. Other scripts need some of them, and mails a soft
# hyphen.
_BROKEN = re.compile(r"[A-Za-z][\u200b-\u200d\u2060-\u2064\ufeff]+[A-Za-z]")
_SHORTEST = 9
"""Five words and the dots between them are nine characters at least."""
_DOTS = re.compile(rf"\S{{{_SHORTEST}}}")
_DOT = re.compile("[._*~\u00b7\u2022|-]+")
_MANY = 5
_PLACE = re.compile(r"[/@\\]|^www\.", re.IGNORECASE)
TOP_LEVEL_NAMES = frozenset(
    {"com", "net", "org", "info", "biz", "top", "xyz", "online", "site", "shop"}
)
_MARKS = re.compile(r"(?: \u2021)+(?!\S)")
MARK = " \u2021"
"""Stands behind a word that was disguised. Whoever folds a disguise away takes a sign from the
model: nobody else writes like that."""


def scam_text_v1(text: str) -> str:
    """Fold the disguises of scam messages: look-alikes, invisible characters, odd white space.

    Compatibility forms become plain (NFKC: full-width and mathematical letters), format characters
    (zero-width, bidirectional, soft hyphen), control characters and lone surrogates vanish,
    look-alike letters inside Latin words become Latin, runs of white space become one space.
    """
    return _folded(text, "")


def scam_text_v2(text: str) -> str:
    """As v1, join words whose letters stand apart, and put a mark behind each disguised word.

    "f-r-e-e" and "f r e e" become "free": a model that meets such letters one by one learns nothing
    of the word. Two blanks end a word. Initials are joined, and not marked.
    """
    return _MARKS.sub(MARK, _undisguised(text, MARK))


def scam_text_v3(text: str) -> str:
    """As v2, and read what a person reads.

    Nothing that is invisible stays, by `shield.characters` instead of by Unicode's categories, and
    blanks that are no white space part words. Drawn letters (squared, white on black, small
    capitals, regional signs) become letters, strokes through letters vanish, and dots between five
    or more words are blanks. Dots are not marked: hasty honest people write so.
    """
    return _MARKS.sub(MARK, _read(text, MARK))


def readable(text: str) -> str:
    """Return what a person reads: as v3, without its marks."""
    return _read(text, "")


def apart(text: str) -> list[str]:
    """Return the words whose letters stand apart, as they are written, initials left out."""
    return [word.group() for word in _APART.finditer(text) if not _initials(word.group())]


def _undisguised(text: str, mark: str) -> str:
    text = _folded(_joined(text, mark), mark)
    # What was folded may now be letters that stand apart, and what was joined a word to fold.
    while (shorter := _joined(text, mark)) != text:
        text = _folded(shorter, mark)
    return text


def _read(text: str, mark: str) -> str:
    text = _seen(_joined(text, mark), mark)
    # Each step may make work for another: dots go, and the letters between them stand apart.
    while (plainer := _spread(_joined(text, mark))) != text:
        text = _seen(plainer, mark)
    return text


def _seen(text: str, mark: str) -> str:
    if text.isascii():
        return " ".join(seen(text).split())
    if mark:
        text = " ".join(word + mark * _is_odd(word) for word in text.split())
    folded = unicodedata.normalize("NFKC", seen(letters(text)))
    # Removing a character may bring two others together that compose, hence the second pass.
    folded = unicodedata.normalize("NFKC", OVERLAY.sub("", seen(folded)))
    return " ".join(_fold_word(word, mark) for word in folded.split())


def _is_odd(word: str) -> bool:
    """Tell whether a word is disguised in a way that folding removes."""
    if word.isascii():
        return False
    plain = letters(word)
    struck = OVERLAY.findall(plain)
    return is_disguised(word) or len(struck) > 1 or bool(HIDDEN_IN_WORD.search(plain))


def _spread(text: str) -> str:
    if not _DOTS.search(text):
        return text
    return " ".join(
        _words_of(token) if len(token) >= _SHORTEST else token for token in text.split()
    )


def _words_of(token: str) -> str:
    """Return a token in which dots stand for blanks with blanks; any other as it is.

    Hosts stay whole: all in small letters, with an ending that is a top-level name.
    """
    core = token.strip("._*~-\u00b7\u2022|")
    words = _DOT.split(core)
    spelled = sum(len(word) > 1 and word.isalpha() for word in words)
    if len(words) < _MANY or spelled < _MANY - 2 or _PLACE.search(token):
        return token
    ending = words[-1].rstrip("!?,;:")
    if core.islower() and (len(ending) == 2 or ending in TOP_LEVEL_NAMES):
        return token
    return " ".join(words)


def _joined(text: str, mark: str) -> str:
    return _APART.sub(
        lambda word: _BETWEEN.sub("", word.group()) + mark * (not _initials(word.group())), text
    )


def _initials(word: str) -> bool:
    """Tell "U.S.A" and "R.S.V.P", which honest people write, from "W.I.N.N.E.R"."""
    return "." in word and word.isupper() and len(word) <= _LONGEST_INITIALS


def _folded(text: str, mark: str) -> str:
    text = text.translate(_CONTROLS)
    if not text.isascii():
        text = _fold_unicode(text, mark)
    return " ".join(text.split())


def _fold_unicode(text: str, mark: str) -> str:
    if mark:
        text = " ".join(word + mark * bool(_BROKEN.search(word)) for word in text.split())
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(map(_visible, folded))
    # Removing a character may bring two others together that compose, hence the second pass.
    visible = unicodedata.normalize("NFKC", visible)
    return " ".join(_fold_word(word, mark) for word in visible.split())


@lru_cache(maxsize=65536)
def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in {"Cf", "Cc", "Cs"} and not character.isspace()
    return "" if hidden else character


def _fold_word(word: str, mark: str) -> str:
    if word.isascii():
        return word
    has_latin = any("a" <= letter <= "z" for letter in word.lower())
    plain = word.translate(LOOK_ALIKES) if has_latin else word
    return plain if plain == word else plain + mark


NORMALISERS: dict[str, Normaliser] = {
    "scam-text-v1": scam_text_v1,
    "scam-text-v2": scam_text_v2,
    "scam-text-v3": scam_text_v3,
}
DEFAULT_NORMALISER = "scam-text-v3"


def normalise(text: str, name: str = DEFAULT_NORMALISER) -> str:
    """Return `text` as a model sees it. Raises as `normaliser`."""
    return normaliser(name)(text)


def normaliser(name: str) -> Normaliser:
    """Return the normaliser a manifest names.

    Raises:
        PackageInvalid: This release does not know the name.
    """
    known = NORMALISERS.get(name)
    if known is None:
        raise PackageInvalid(
            f"The package wants the normaliser {name!r}; this release knows "
            f"{', '.join(sorted(NORMALISERS))}. Install the release that made the package, or "
            "train again."
        )
    return known
