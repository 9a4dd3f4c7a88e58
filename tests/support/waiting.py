"""Waiting in tests: generous, over at once when what is awaited is there, and told when it is not.

A machine may be slow and busy with other tests, so a wait never judges a speed: `bench/` does.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Page

T = TypeVar("T")

PATIENCE_SECONDS = 180.0
"""How long anything may take that takes a second on a quiet machine."""
PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1000
"""The same for Playwright."""
PATIENCE = f"{PATIENCE_SECONDS:.0f}s"
"""The same for kubectl and Helm."""


def wait_until(
    look: Callable[[], T],
    otherwise: str | Callable[[], object] = "it never came",
    *,
    process: "subprocess.Popen[Any] | None" = None,
    page: "Page | None" = None,
    seconds: float = PATIENCE_SECONDS,
    pause_seconds: float = 0.02,
) -> T:
    """Look again and again until there is something, and return it.

    Args:
        look: Returns something true once it is there.
        otherwise: What to say when it never is; a function is asked at that time.
        process: Whoever is to bring it: nothing is awaited from one that has ended.
        page: A page that goes on meanwhile: Playwright handles its events while it waits.
        seconds: Longest wait; more than usual where a model is trained meanwhile.
        pause_seconds: Between two looks.

    Raises:
        AssertionError: It is not there in time, or the process has ended.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        ended = process is not None and process.poll() is not None
        if ended and (found := look()):  # its last deed
            break
        if ended or time.monotonic() > deadline:
            told = otherwise if isinstance(otherwise, str) else otherwise()
            code = f"; the process ended with {process.returncode}" if ended and process else ""
            raise AssertionError(f"{told}{code}")
        if page is not None:
            page.wait_for_timeout(pause_seconds * 1000)
        else:
            time.sleep(pause_seconds)
    return found


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
