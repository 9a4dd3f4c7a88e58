"""Programs that come as Go modules: built once, kept outside the working tree."""

import os
import re
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path

from tests.support.controlplane.binaries import go

KUBE_ROUTER = "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0"


def ensure_program(package: str, minutes: str) -> Path:
    """Return the program of a Go package, building it if it is not there.

    Args:
        package: With its version, e.g. `example.org/cmd/thing@v1`.
        minutes: How long the build takes on two cores; said while it runs.

    Raises:
        RuntimeError: The build failed; the message ends with what Go said.
    """
    path, _, version = package.partition("@")
    name = path.rpartition("/")[2]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "antispam-shield" / "programs" / re.sub(r"[^\w.-]", "", f"{name}-{version}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # another process may be building it; then it is there afterwards
        if not (folder / name).exists():
            print(
                f"Building {package} into {folder}: about {minutes} minutes.",
                file=sys.stderr,
                flush=True,
            )
            _build(package, folder)
    return folder / name


def _build(package: str, folder: Path) -> None:
    done = subprocess.run(
        [*go(), "install", package],
        cwd=folder,
        env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{package} could not be built:\n{done.stderr[-2000:]}")
