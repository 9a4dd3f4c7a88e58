"""Run a command that may use so much memory and no more: what does not fit is killed, not told."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def run(command: Sequence[str], limit_bytes: int, timeout: float) -> tuple[str, bool]:
    """Run a command; return what it printed, and whether the kernel held it to the limit.

    Raises:
        CalledProcessError: It failed, or was killed for want of memory (returncode -9).
        TimeoutExpired: It took too long.
    """
    with _group(limit_bytes) as group:

        def enter() -> None:
            if group is not None:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
            preexec_fn=enter,  # before the program's own threads
        )
        return done.stdout, group is not None


@contextmanager
def _group(limit_bytes: int) -> Iterator[Path | None]:
    """Yield a fresh control group with that limit; None where this user may make none."""
    for root, limit in ((_CGROUPS / "memory", "memory.limit_in_bytes"), (_CGROUPS, "memory.max")):
        group = root / f"shield-bench-{os.getpid()}"
        try:
            group.mkdir()
            (group / limit).write_text(str(limit_bytes))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        try:
            yield group
        finally:
            group.rmdir()
        return
    yield None
