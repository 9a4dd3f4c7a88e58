"""The decisions that are written are the decisions that are listed."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs/adr"
TREES = ("api", "bench", "cli", "components", "pipelines", "serving", "shield", "tests")


def test_the_index_names_every_decision():
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \|", (FOLDER / "README.md").read_text(), re.M)
    written = [(path.name[:4], path.name) for path in sorted(FOLDER.glob("0*.md"))]
    assert listed == written


def test_every_decision_that_code_names_is_written():
    written = {path.name[:4] for path in FOLDER.glob("0*.md")}
    for tree in TREES:
        for path in (ROOT / tree).rglob("*.py"):
            named = set(re.findall(r"(?:ADR |docs/adr/)(\d{4})", path.read_text()))
            assert named <= written, path
