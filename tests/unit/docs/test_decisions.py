"""The decisions that are written are the decisions that are listed."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from api.settings import ApiSettings
from serving.server.settings import ServerSettings

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


def choices() -> list[str]:
    """Return each choice of an engine or backend that the chart and the settings offer by name."""
    chart: Any = json.loads((ROOT / "helm/values.schema.json").read_text())["properties"]
    offered = [
        f"{part}.{name}={choice}"
        for part, name in (("serving", "backend"), ("pipeline", "engine"))
        for choice in chart[part]["properties"][name]["enum"]
        if choice not in {"auto", "none"}  # `auto` takes one of the others
    ]
    for settings, name in ((ApiSettings, "rollouts"), (ServerSettings, "precision")):
        prefix = str(settings.model_config["env_prefix"])
        values = get_args(settings.model_fields[name].annotation)
        offered += [f"{prefix}{name.upper()}={value}" for value in values]
    return offered


@pytest.mark.parametrize("choice", choices())
def test_each_engine_that_is_offered_has_a_user_and_a_test(choice: str) -> None:
    table = (FOLDER / "0023-each-engine-has-a-user-and-a-test.md").read_text()
    (row,) = [line for line in table.splitlines() if f"| `{choice}` |" in line]
    *_, user, test = (cell.strip() for cell in row.strip("|").split("|"))
    assert user
    assert "`tests/" in test or "`components/" in test or test.startswith("the same")
