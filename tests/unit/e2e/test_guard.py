"""Runs of `make e2e` do not meet, and nothing of a run outlives it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.guard import alone, end_all, rooted_in
from tests.support.waiting import PATIENCE_SECONDS

_RUN = """
import sys, time
from pathlib import Path
from tests.e2e.guard import alone
state = Path(sys.argv[1])
with alone(state):
    try:
        print("under way", flush=True)
        time.sleep(600)
    finally:
        (state / "ended-well").touch()
"""


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[str]:
    """Return a run that is under way."""
    found = subprocess.Popen(
        [sys.executable, "-c", _RUN, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert found.stdout is not None
    assert found.stdout.readline() == "under way\n"
    return found


def test_a_second_run_is_refused_and_told_which_process_is_the_first(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as refused, alone(tmp_path):
        pass
    other.kill()
    other.wait()
    assert f"under way in {tmp_path} (process {other.pid})" in str(refused.value)


def test_after_a_run_was_killed_the_next_one_starts(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    other.kill()
    other.wait()
    before = signal.getsignal(signal.SIGTERM)
    with alone(tmp_path):
        assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"
    signal.signal(signal.SIGTERM, before)


def test_a_run_that_is_asked_to_end_takes_its_node_down(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    other.terminate()
    assert other.wait(PATIENCE_SECONDS) == 1
    assert (tmp_path / "ended-well").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a process a root of its own")
def test_a_container_is_found_by_its_root_and_ended(tmp_path: Path) -> None:
    # As containerd does it: an overlay whose changes lie in the state folder is the process's root.
    for name in ("root", "changes", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir=/,upperdir={tmp_path}/changes,workdir={tmp_path}/work"
    enter = (
        f"mount -t overlay overlay -o {layers} {tmp_path}/root && cd {tmp_path}/root"
        " && pivot_root . mnt && exec sleep 60"
    )
    contained = subprocess.Popen(["unshare", "--mount", "sh", "-c", enter])
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        found: list[int] = []
        while not found and contained.poll() is None:
            found = list(rooted_in(tmp_path))
        assert found == [contained.pid]
        end_all(iter(found))
        assert contained.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
