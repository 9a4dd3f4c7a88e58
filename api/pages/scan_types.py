"""Generate the TypeScript module of scan types and countries.

Run as `python -m api.pages.scan_types`.

`src/app/scan-types.ts` is made from `shield/labels.py` and `shield/reasons/places.yaml`, and
committed, since the pages are built where no Python is; a test proves it current.
"""

import json
from pathlib import Path

from shield.labels import MODEL_TYPES
from shield.reasons import countries

SCRIPT = Path(__file__).parent / "assets/src/app/scan-types.ts"


def script() -> str:
    """Return the TypeScript module."""
    types = {
        record.scan_type.value: {"labels": list(record.labels)} for record in MODEL_TYPES.values()
    }
    return (
        "// Generated from shield/labels.py and shield/reasons/places.yaml by `make types`; do not "
        "edit.\n\n"
        "/** What a user can scan; of its two labels the harmless one comes first. */\n"
        f"export const SCAN_TYPES = {json.dumps(types, indent=2, ensure_ascii=False)} as const;\n\n"
        "/** The countries (ISO 3166) of which it is known who takes reports of scams. */\n"
        f"export const COUNTRIES = {json.dumps(countries())};\n"
    )


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
