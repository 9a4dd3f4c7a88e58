"""Commands start fast: what they import is counted, since seconds depend on the machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cli.app import build, word_of

_COUNT = """
import json, sys
from cli.main import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)))
"""
_NEVER = {
    "numpy",
    "sqlalchemy",
    "fastapi",
    "cryptography",
    "polars",
    "yaml",
    "torch",
    "kfp",
    "boto3",
}


def imported(line: list[str], folder: Path) -> set[str]:
    environment = {**os.environ, "SHIELD_HOME": str(folder / "none")}
    command = [sys.executable, "-c", _COUNT, json.dumps(line)]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(told.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("line", "most"),
    [
        (["--help"], 450),
        (["token", "--help"], 490),
        (["db", "--help"], 490),
        (["status"], 500),
        (["feedback", "--help"], 600),
        (["rollout", "--help"], 600),
        (["known", "--help"], 600),
    ],
)
def test_a_small_command_imports_little(line: list[str], most: int, tmp_path: Path) -> None:
    modules = imported(line, tmp_path)
    assert not modules & _NEVER
    assert len(modules) <= most, "import late what only some commands need"
    if line[0] not in ("feedback", "rollout", "known", "status"):
        assert "shield.wire" not in modules


def test_names_and_help_of_commands_that_are_not_read_are_those_of_the_commands() -> None:
    whole, names = get_command(build()), get_command(build("nothing"))
    assert {name: (each.help or "").split("\n")[0] for name, each in whole.commands.items()} == {  # type: ignore[attr-defined]
        name: each.help
        for name, each in names.commands.items()  # type: ignore[attr-defined]
    }


def test_the_command_of_a_line_is_found_behind_the_options_of_the_root() -> None:
    assert word_of(["--json", "--data-dir", "/a", "-q", "rollout", "status"]) == "rollout"
    assert word_of(["--data-dir=/a", "up"]) == "up"
    assert word_of(["--help"]) == word_of([]) == ""
