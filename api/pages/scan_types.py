"""Generate what clients and pages know of the scan types: `python -m api.pages.scan_types`.

Made from `shield/labels.py` and `shield/reasons/places.yaml`: the TypeScript module of `/app`, the
enum of the Kotlin client, and the table of labels in `docs/phone.md`. All are committed, since
pages and clients are built where no Python is; a test proves them current.
"""

import json
import re
from pathlib import Path

from shield.labels import MODEL_TYPES
from shield.reasons import countries

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "assets/src/lib/scan-types.ts"
KOTLIN = ROOT / "clients/kotlin/src/main/kotlin/org/antispamshield/client/ScanType.kt"
PAGE = ROOT / "docs/phone.md"
_TABLE = re.compile(r"(?<=<!-- `make types` writes this table -->\n)(?:\|.*\n)+")


def generated() -> dict[Path, str]:
    """Return the content of each file that is generated, or has a generated part."""
    return {SCRIPT: script(), KOTLIN: kotlin(), PAGE: page(PAGE.read_text(encoding="utf-8"))}


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


def kotlin() -> str:
    """Return the Kotlin enum."""
    entries = "\n\n".join(
        f"    /** {record.covers}. */\n"
        f'    @SerialName("{record.scan_type}") '
        f'{record.scan_type.name}("{record.labels.negative}", "{record.labels.positive}"),'
        for record in MODEL_TYPES.values()
    )
    return (
        "// Generated from shield/labels.py by `make types`; do not edit.\n"
        "package org.antispamshield.client\n\n"
        "import kotlinx.serialization.SerialName\n"
        "import kotlinx.serialization.Serializable\n\n"
        "/** What is scanned, and the two labels of its verdicts. */\n"
        "@Serializable\n"
        "public enum class ScanType(public val harmless: String, public val scam: String) {\n"
        f"{entries}\n"
        "}\n"
    )


def page(text: str) -> str:
    """Return the text of `docs/phone.md` with the current table of labels."""
    rows = "".join(
        f"| `{record.scan_type}` | {record.covers} "
        f"| `{record.labels.negative}` | `{record.labels.positive}` |\n"
        for record in MODEL_TYPES.values()
    )
    head = "| `scanType` | messages | harmless | scam |\n|---|---|---|---|\n"
    return _TABLE.sub(lambda _: head + rows, text, count=1)


if __name__ == "__main__":
    for path, content in generated().items():
        path.write_text(content, encoding="utf-8")
