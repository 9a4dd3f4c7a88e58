"""Undo what the making of a collection has left in its messages, and no sender has written.

The SMS collection masks the numbers of its harmless messages alone (`&lt;#&gt;`), so that digits
would become a sign of scam; it masks owners' numbers in scams (`XXXXXX`, `****`), breaks links
(`http//www. name.com`) and keeps the signs of HTML. A model would learn such marks instead of
meaning, and meet none of them on a phone.
"""

import hashlib
import random
import re

from shield.mail import unescaped

_MASK = re.compile(r"<(#|DECIMAL|TIME|URL|EMAIL|NAME)>")
_STARS = re.compile(r"(?<![\w*])\*{5,}(?![\w*])")
_CROSSES = re.compile(r"(?<=\d)X{3,}\b|\bX{6,}(?= )|(?<=\d )X{3,}\b")
_SCHEME = re.compile(r"\b(https?)(?::? ?/ ?/|:/(?!/)) ?", re.IGNORECASE)
_APART = re.compile(r"\b((?:https?://)?(?:www|wap|tms)\.) +(?=[a-z0-9-]+\.)", re.IGNORECASE)
_POUNDS = re.compile(r"<UKP>")
_URLS = ("www.example.com/{}", "http://example.org/{}", "example.net/{}")


def neutral(text: str) -> str:
    """Return the message as its sender may have written it; the same text gives the same message.

    Masked numbers become numbers, masked links links to example hosts, broken links whole.
    """
    plain = unescaped(text)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    rng = random.Random(digest)
    plain = _POUNDS.sub("£", plain)
    plain = _MASK.sub(lambda mask: _filled(mask[1], rng), plain)
    plain = _STARS.sub(lambda stars: _digits(len(stars[0]), rng), plain)
    plain = _CROSSES.sub(lambda crosses: _digits(len(crosses[0]), rng), plain)
    plain = _SCHEME.sub(lambda scheme: f"{scheme[1]}://", plain)
    return _APART.sub(r"\1", plain)


def _filled(kind: str, rng: random.Random) -> str:
    if kind == "DECIMAL":
        return f"{rng.randint(1, 99)}.{rng.randint(1, 9)}"
    if kind == "TIME":
        return f"{rng.randint(1, 12)}:{rng.choice(('00', '15', '30', '45'))}"
    if kind == "URL":
        return rng.choice(_URLS).format(rng.randint(1, 999))
    if kind == "EMAIL":
        return f"me{rng.randint(1, 99)}@example.com"
    if kind == "NAME":
        return rng.choice(("Sam", "Lee", "Anna", "Raj"))
    # Half of the numbers of harmless messages are small; some are prices, some telephone numbers.
    return _digits(rng.choice((1, 1, 2, 2, 3, 4, 8)), rng)


def _digits(count: int, rng: random.Random) -> str:
    return "".join([str(rng.randint(1, 9)), *(str(rng.randint(0, 9)) for _ in range(count - 1))])
