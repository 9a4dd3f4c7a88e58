"""Write the tables of reasons that the phone explains by: `python -m api.pages.reasons`.

`src/reasons.json` is made from `shield/reasons`, and committed, since the pages are built where no
Python is; a test proves it current. It holds what a phone can tell by itself.
"""

import json
from pathlib import Path

from shield.reasons.explanation import ALARMING, PRESSURE, WANTED
from shield.reasons.hosts import MAYBE_LINK
from shield.reasons.sentences import places, sentences
from shield.reasons.signs import GAP, NEVER_TAKEN_BACK, table_of_signs

FILE = Path(__file__).parent / "assets/src/reasons.json"
_OTHERS = (
    *("link-numbers", "link-broken", "disguised", "reads-like-scams", "reads-harmless"),
    *("asks-nothing", "no-link", "no-words", "close-call", "now-scam", "now-call", "now-unsure"),
    *("now-harmless", "tell", "tell-place"),
)


def table() -> str:
    """Return the tables as JSON."""
    signs = table_of_signs()
    phrases: dict[str, dict[str, list[str]]] = {sign: {} for sign in signs.signs}
    for phrase in signs.phrases:
        steps = " ".join(("+" if gap == GAP else "") + word for word, gap in phrase.steps)
        phrases[phrase.sign].setdefault(phrase.language, []).append(steps)
    document = {
        "signs": {
            sign: {language: sorted(each) for language, each in sorted(languages.items())}
            for sign, languages in phrases.items()
        },
        "takesBack": {name: sorted(words) for name, words in sorted(signs.takes_back.items())},
        "neverTakenBack": sorted(NEVER_TAKEN_BACK),
        "wanted": sorted(WANTED),
        "pressure": sorted(PRESSURE),
        "alarming": sorted(ALARMING),
        "maybeLink": MAYBE_LINK,
        "sentences": {name: sentences()[name] for name in (*signs.signs, *_OTHERS)},
        "places": {
            country: {key: told for key, told in place.items() if key != "source"}
            for country, place in sorted(places().items())
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
