import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components import new_component


def test_what_it_says_to_try_can_be_typed(tmp_path: Path) -> None:
    real = Path(new_component.__file__).parent
    (tmp_path / "components").mkdir()
    for place in real.iterdir():
        (tmp_path / "components" / place.name).symlink_to(place)
    for name in ("shield", "pyproject.toml"):
        (tmp_path / name).symlink_to(real.parent / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    found = {**os.environ, "PYTHONPATH": str(tmp_path)}
    there: dict[str, Any] = {"cwd": tmp_path, "env": found, "text": True}
    command = [sys.executable, "-m", "components.new_component", "length_probe"]
    said = subprocess.run(command, capture_output=True, check=True, **there).stdout
    (typed,) = re.findall(r"Try it: (.+)", said)
    done = subprocess.run(typed, shell=True, capture_output=True, check=False, **there)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_component_passes_its_own_tests_and_the_linters_at_once(tmp_path: Path) -> None:
    # Beside links to the real rooms, so that nothing is written into the tree.
    real = Path(new_component.__file__).parent
    rooms = tmp_path / "components"
    rooms.mkdir()
    for place in real.iterdir():
        (rooms / place.name).symlink_to(place)
    for name in ("shield", "pyproject.toml"):
        (tmp_path / name).symlink_to(real.parent / name)
    room = new_component.write("length_probe", rooms)
    later = new_component.write("zeta", rooms)  # its imports stand behind those of `shared`
    for command in (
        ["pytest", "-q", "--timeout=200", str(room)],
        ["ruff", "check", str(room), str(later)],
        ["ruff", "format", "--check", str(room), str(later)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Bad", "with-dash", "class", "../up", ""])
def test_a_name_that_python_or_kfp_refuses_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no component name"):
        new_component.write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_name_is_left_alone(tmp_path: Path) -> None:
    new_component.write("mine", tmp_path)
    with pytest.raises(ValueError, match="exists already"):
        new_component.write("mine", tmp_path)
