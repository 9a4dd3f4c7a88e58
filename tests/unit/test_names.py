"""Local names say what they hold: `found` in a hundred functions cannot be searched for."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ("api", "cli", "clients", "components", "pipelines", "serving", "shield")
VAGUE = re.compile(
    r"^\s+(?:\w+, )*(found|seen|wanted|given)(?:, \w+)*(?:: [^=\n]+)? = (?!field\(|lambda)", re.M
)


def test_no_local_name_is_vague() -> None:
    vague = [
        f"{path.relative_to(ROOT)}: {match[0].strip()}"
        for tree in SHIPPED
        for path in (ROOT / tree).rglob("*.py")
        if not path.name.startswith("test_")
        for match in VAGUE.finditer(path.read_text())
    ]
    assert vague == []


def test_a_vague_name_is_noticed() -> None:
    for line in ("    found = 1", "    seen: set[str] = set()", "    name, seen = 1, 2"):
        assert VAGUE.search(line)
    for line in ("    found: str", "    call(found=1)", "    given: list[int] = field()"):
        assert not VAGUE.search(line)
