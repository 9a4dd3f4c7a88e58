"""Normalise a message before it is tokenised: the same in training, evaluation and serving.

A package's manifest names the normaliser it was trained with, so that a model is never fed with
text prepared in another way. A normaliser never changes once released:
a better one gets a new name.
"""

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from shield.errors import PackageInvalid

Normaliser = Callable[[str], str]
"""Maps a message to the text the tokenizer sees. Pure, total (any `str`), and idempotent."""

# Control characters that are not white space. NUL among them: it ends strings in other people's C.
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0E, 0x1C), 0x7F))

# Letters of other scripts that the eye reads as Latin. Only used inside words that also hold Latin
# letters: a Russian or Greek word stays what it is, "p\u0430ypal" does not get past the model.
# Source: Unicode TS 39, confusables.txt, the single-letter look-alikes of Cyrillic and Greek.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u03bf\u03b1\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f"
    "\u03a1\u03a4\u03a5\u03a7\u0131",
    "aeopcyxijshdqwABEKMHOPCTXIJSoavpABEZHIKMNOPTYXi",
)


def scam_text_v1(text: str) -> str:
    """Fold the disguises of scam messages: look-alikes, invisible characters, odd white space.

    Compatibility forms become plain (NFKC: full-width and mathematical letters), format characters
    (zero-width, bidirectional, soft hyphen), control characters and lone surrogates vanish,
    look-alike letters inside Latin words become Latin, runs of white space become one space.
    """
    text = text.translate(_CONTROLS)
    if not text.isascii():
        text = _fold_unicode(text)
    return " ".join(text.split())


def _fold_unicode(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(map(_visible, folded))
    # Removing a character may bring two others together that compose, hence the second pass.
    visible = unicodedata.normalize("NFKC", visible)
    return " ".join(_fold_word(word) for word in visible.split())


@lru_cache(maxsize=65536)
def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in {"Cf", "Cc", "Cs"} and not character.isspace()
    return "" if hidden else character


def _fold_word(word: str) -> str:
    if word.isascii():
        return word
    has_latin = any("a" <= letter <= "z" for letter in word.lower())
    return word.translate(_LOOKALIKES) if has_latin else word


NORMALISERS: dict[str, Normaliser] = {"scam-text-v1": scam_text_v1}
DEFAULT_NORMALISER = "scam-text-v1"


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
