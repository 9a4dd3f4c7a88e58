"""Running commands, and saying what happens."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_BEGAN = time.monotonic()


def say(line: str) -> None:
    """Print one line with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGAN:6.1f} s] {line}", flush=True)


def run(
    *command: str | Path, stdin: str | None = None, check: bool = True, cwd: Path | None = None
) -> str:
    """Run a command and return what it printed.

    Raises:
        RuntimeError: It failed and `check` is true; the message is what it said.
    """
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip()[-3000:]
        raise RuntimeError(f"`{' '.join(str(part) for part in command)[:300]}` failed:\n{said}")
    return done.stdout


def stream(command: Sequence[str | Path], environment: dict[str, str], log: Path) -> None:
    """Run a long command with its output in a file; show the end of it when it fails."""
    with log.open("ab") as file:
        code = subprocess.call(
            [str(part) for part in command], env=environment, stdout=file, stderr=file
        )
    if code:
        sys.stderr.write(log.read_text(errors="replace")[-3000:])
        raise RuntimeError(f"`{command[0]}` failed; its log is {log}.")


def wait_for(what: str, check: Callable[[], object], timeout_seconds: float) -> object:
    """Wait until `check` returns something true, and return it.

    Raises:
        RuntimeError: It did not in time; the last error is named.
    """
    deadline, last = time.monotonic() + timeout_seconds, "nothing yet"
    while time.monotonic() < deadline:
        try:
            found = check()
        except (RuntimeError, OSError, KeyError) as error:
            last, found = str(error), None
        if found:
            return found
        time.sleep(0.5)
    raise RuntimeError(f"{what} did not happen within {timeout_seconds:.0f} s: {last}")
