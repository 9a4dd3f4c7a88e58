"""Tables of the documentation, as what tests compare with."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tables_under(page: str, heading: str) -> list[list[list[str]]]:
    """Return the tables between a heading and the next one: rows of cells, without the head.

    Args:
        page: Path from the repository's root.
        heading: Its text, without the `#`.
    """
    text = (ROOT / page).read_text()
    part = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.M)[1]
    part = re.split(r"^#+ ", part, flags=re.M)[0]
    found = re.findall(r"(?:^\|.*\n)+", part, flags=re.M)
    return [[_cells(line) for line in one.splitlines()[2:]] for one in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
