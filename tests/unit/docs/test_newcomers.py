"""Count the files that are edited by hand to add a model type, a parameter, or a reported fact."""

import re
from collections.abc import Iterator
from pathlib import Path

from shield.labels import MODEL_TYPES

ROOT = Path(__file__).parents[3]
TREES = (
    "api",
    "cli",
    "clients",
    "components",
    "helm",
    "manifests",
    "pipelines",
    "serving",
    "shield",
)
SUFFIXES = {".py", ".ts", ".kt", ".js", ".mjs", ".html", ".json", ".yaml"}
WRITTEN_BY_US = {"helm/values.schema.json", "manifests/base", "manifests/overlays"}
"""What `make generate` writes and does not say of itself."""
_NAMED = re.compile(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:py|md|yaml))`")


def by_hand() -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that people write, without tests."""
    for tree in TREES:
        for path in sorted((ROOT / tree).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            left_out = {
                "node_modules",
                "static",
                "dist",
                "target",
                "__pycache__",
                "crds",
                "generated",
            }
            if path.suffix not in SUFFIXES or left_out & set(path.parts) or not path.is_file():
                continue
            if (
                path.name.startswith("test_")
                or "/test/" in name
                or name.startswith(tuple(WRITTEN_BY_US))
            ):
                continue
            text = path.read_text(encoding="utf-8")
            if not re.search(r"(?i)generated (from|by)|do not edit", text[:600]):
                yield name, text


def row(task: str) -> set[str]:
    """Return the files that CONTRIBUTING.md names for a task."""
    (line,) = re.findall(rf"^\| {task} \|(.*)\|$", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    return set(_NAMED.findall(line))


def test_a_model_type_is_named_in_five_files_at_most() -> None:
    types = [
        rf"(?i)\b({record.scan_type}|{record.model_type})\b" for record in MODEL_TYPES.values()
    ]
    naming = {name for name, text in by_hand() if all(re.search(one, text) for one in types[-2:])}
    told = row("add a model type")
    assert "shield/labels.py" in naming
    assert naming <= told
    assert len(told) <= 5


def test_a_parameter_needs_its_field_and_the_step_that_uses_it() -> None:
    named = row("add a parameter to the retraining")
    assert named == {"shield/retraining.py", "step.py"}


def test_a_fact_of_a_report_needs_eight_files_at_most() -> None:
    named = row("add a fact to a report")
    assert {"shield/wire/feedback.py", "api/tables/feedback.py"} <= named
    assert len(named) <= 8
