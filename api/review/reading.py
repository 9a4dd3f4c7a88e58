"""Filters that need a message's text: words, language, hosts and tactic.

Messages are encrypted and there is no index of their words (ADR 0034): they are decrypted and
searched one by one.
"""

import threading
import unicodedata
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from api.review.views import View
from shield.links import links
from shield.reasons import tactics
from shield.text import readable

_SURE = 0.3
"""Least probability of a detected language."""
_LONGEST = 2_000
"""Characters used for language detection; more do not improve it."""
_loading = threading.Lock()


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of a message's language, or `None` if it is uncertain."""
    code, share = _identifier().classify(" ".join(text[:_LONGEST].split()))
    return str(code) if share >= _SURE else None


def _identifier() -> Any:
    with _loading:
        return _loaded()


@cache
def _loaded() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # takes a second: not at start

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def matches(text: str, view: View) -> bool:
    """Return whether a message fulfils the text filters of a view."""
    if view.q.strip():
        folded = fold(text)
        if not all(word in folded for word in fold(view.q).split()):
            return False
    if view.host.strip() and not _leads_to(text, view.host.strip().lower()):
        return False
    if view.state == "waiting":
        return True  # its language and tactic are known of its campaign
    if view.language and language_of(text) != view.language:
        return False
    return not view.tactic or tactics.nearest(text) == view.tactic


def fold(text: str) -> str:
    """Return the visible text in lower case without accents, for searching."""
    plain = unicodedata.normalize("NFKD", readable(text).casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _leads_to(text: str, host: str) -> bool:
    return any(name == host or name.endswith(f".{host}") for name in hosts_of(text))


def hosts_of(text: str) -> list[str]:
    """Return the hosts of the links in a message."""
    hosts = []
    for link in links(text):
        try:
            name = urlsplit(link if "://" in link else f"http://{link}").hostname
        except ValueError:
            continue
        if name:
            hosts.append(name)
    return hosts
