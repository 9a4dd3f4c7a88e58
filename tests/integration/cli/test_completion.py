"""Completion as it is installed, in real shells: a beginning, the tab key, the rest of the word."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.shells import SHELLS, interactive, surroundings
from tests.support.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_new_shell_completes_commands_options_and_choices(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed; `python -m tests.prepare` as root does it")
    done = subprocess.run(  # it asks which shell it was called from
        [shell, "-c", "shieldctl --install-completion; true"],
        env=surroundings(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert f"{shell} completion installed" in done.stdout
    with interactive(shell, tmp_path) as terminal:
        terminal.type("echo re''ady\n")
        terminal.wait_for("ready")
        terminal.type("shieldctl mod\t")
        terminal.wait_for("model")
        terminal.type("show vo\t")
        terminal.wait_for("voice")
        terminal.type("\x15shieldctl rollout undo sms --rea\t")
        terminal.wait_for("--reason")
