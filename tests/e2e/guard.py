"""One run at a time: a second one would destroy the first one's node."""

import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the state folder; the kernel gives it free when this process ends, however it ends.

    Raises:
        SystemExit: Another run holds it; the message names its process.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SystemExit(
                f"Another run is under way in {state} (process {lock.read().strip()}). Wait for "
                f"its end or end it, or give this one a folder and machine of its own."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        # The default would end Python without its `finally`, and leave the node running.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended by SIGTERM."))
        yield


def end_all(pids: Iterator[int]) -> None:
    """Kill processes that a run has left, apart from this one."""
    for pid in pids:
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def rooted_in(folder: Path) -> Iterator[int]:
    """Yield the processes whose root file system lies below `folder`: the containers' processes.

    No other pods of this machine are found, as they would be by the name of a control group.
    """
    for process in Path("/proc").glob("[0-9]*"):
        try:
            mounts = (process / "mountinfo").read_text().splitlines()
        except OSError:  # it has ended, or is a kernel's
            continue
        if any(line.split()[4] == "/" and f"{folder}/" in line for line in mounts):
            yield int(process.name)
