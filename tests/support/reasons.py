"""What the phone's own code (TypeScript, in node) says of texts."""

import json
import subprocess
from pathlib import Path
from typing import Any

from api.pages.build import node_folder
from shield.device.tables import tables_json
from shield.reasons import Reader
from tests.support.judge import bundler

RUNNER = Path(__file__).parent / "reasons.mjs"


def on_phone(texts: list[str], reader: Reader, said: dict[str, Any], work: Path) -> list[Any]:
    """Return for each text its `words`, its `signs` and `why`; `said` has scanType, flagged, sure.

    `work` is a folder for files.
    """
    bundler()
    question = {
        "texts": texts,
        "reader": {"language": reader.language, "country": reader.country or ""},
    }
    (work / "characters.json").write_bytes(tables_json())
    (work / "question.json").write_text(json.dumps(question | {"said": said}))
    subprocess.run(
        [
            *(node_folder() / "node", RUNNER, work / "characters.json", work / "question.json"),
            work / "told.json",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    told: list[Any] = json.loads((work / "told.json").read_text())
    return told
