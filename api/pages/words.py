"""The phone's sentences for pages that the server renders, in the reader's language.

The tables are those of the phone's script, `assets/src/words/`, as the build has checked them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request

from api.pages.assets import Assets
from shield.reasons import reader_of
from shield.reasons.sentences import RIGHT_TO_LEFT

_FALLBACK = "en"


@dataclass(frozen=True)
class Spoken:
    """The sentences of one language."""

    language: str
    table: dict[str, Any]

    @property
    def direction(self) -> str:
        """Return the value of HTML's `dir`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def __call__(self, key: str, **parts: str) -> str:
        """Return a sentence with its placeholders filled in.

        Raises:
            KeyError: There is no such sentence.
        """
        sentence: str = self.table[key]
        return sentence.format(**parts) if parts else sentence


class Words:
    """All languages of a build."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def asked_by(self, request: Request, chosen: str = "") -> Spoken:
        """Return the sentences in the chosen language, else in the browser's, else in English.

        Raises:
            Unavailable: There is no build.
        """
        names = self._assets.names()
        preferred = reader_of(request.headers.get("accept-language")).language
        known = next(
            code for code in (chosen, preferred, _FALLBACK) if f"words-{code}.json" in names
        )
        return Spoken(known, _read(self._assets.folder / names[f"words-{known}.json"]))

    def languages(self) -> list[tuple[str, str]]:
        """Return all languages with their own names.

        Raises:
            Unavailable: There is no build.
        """
        names = self._assets.names()
        codes = sorted(
            name[len("words-") : -len(".json")] for name in names if name.startswith("words-")
        )
        return [
            (code, _read(self._assets.folder / names[f"words-{code}.json"])["language"])
            for code in codes
        ]


@cache
def _read(file: Path) -> dict[str, Any]:
    # A name carries the hash of its content.
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return table
