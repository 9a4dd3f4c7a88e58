"""Prometheus's own `promtool`: what checks its rules, and runs them over made-up series.

The machine's where there is one, else built from its Go module into a cache outside the working
tree: some minutes on two cores the first time, nothing afterwards.
"""

import os
import shutil
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path

from tests.support.controlplane.binaries import go

VERSION = "v0.316.0"
_PACKAGE = f"github.com/prometheus/prometheus/cmd/promtool@{VERSION}"


def ensure_promtool() -> Path:
    """Return the program, building it if it is not there.

    Raises:
        RuntimeError: The build failed; the message ends with what Go said.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "antispam-shield" / "promtool" / VERSION
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (folder / "promtool").exists():
            _build(folder)
    return folder / "promtool"


def _build(folder: Path) -> None:
    print(f"Building promtool {VERSION} into {folder}: some minutes.", file=sys.stderr, flush=True)
    done = subprocess.run(
        [*go(), "install", _PACKAGE],
        cwd=folder,
        env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"promtool could not be built:\n{done.stderr[-2000:]}")
