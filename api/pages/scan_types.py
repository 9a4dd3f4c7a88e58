"""Write what the phone's scripts know of the scan types: `python -m api.pages.scan_types`.

`src/app/scan-types.ts` is made from `shield/labels.py` and committed, since the pages are built
where no Python is; a test proves it current.
"""

import json
from pathlib import Path

from shield.labels import MODEL_TYPES

SCRIPT = Path(__file__).parent / "assets/src/app/scan-types.ts"


def script() -> str:
    """Return the TypeScript module."""
    types = {
        record.scan_type.value: {
            "labels": list(record.labels),
            "noun": record.noun,
            "prompt": record.prompt,
            "verdicts": list(record.verdicts),
            "scamAdvice": record.scam_advice,
        }
        for record in MODEL_TYPES.values()
    }
    return (
        "// Generated from shield/labels.py by `make types`; do not edit.\n\n"
        "/** What a user can scan. Of labels and verdicts, the harmless one comes first. */\n"
        f"export const SCAN_TYPES = {json.dumps(types, indent=2, ensure_ascii=False)} as const;\n"
    )


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
