"""The decisions that are written are the decisions that are listed."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs/adr"


def test_the_index_names_every_decision():
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \|", (FOLDER / "README.md").read_text(), re.M)
    written = [(path.name[:4], path.name) for path in sorted(FOLDER.glob("0*.md"))]
    assert listed == written
