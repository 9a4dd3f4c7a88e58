"""Read the tables that lie beside this code."""

from pathlib import Path
from typing import Any

import yaml


def read_table(name: str) -> Any:
    """Return the document of a table, e.g. `sentences.yaml`."""
    path = Path(__file__).with_name(name)
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
