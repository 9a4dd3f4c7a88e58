"""Prometheus's own `promtool`: what checks its rules, and runs them over made-up series.

The machine's where there is one, else Debian's, unpacked into a cache outside the working tree,
else built there from its Go module: some minutes on two cores the first time.
"""

import os
import shutil
import subprocess
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.controlplane.binaries import go

VERSION = "v0.316.0"
_PACKAGE = f"github.com/prometheus/prometheus/cmd/promtool@{VERSION}"


def ensure_promtool() -> Path:
    """Return the program, fetching or building it if it is not there.

    Raises:
        RuntimeError: The build failed; the message ends with what Go said.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "antispam-shield" / "promtool"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (folder / "promtool").exists() and not _of_debian(folder):
            _build(folder)
    return folder / "promtool"


def _of_debian(folder: Path) -> bool:
    """Unpack the program of Debian's package into `folder`, without installing a server."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return False
    fetch = [["apt-get", "download", "-qq", "prometheus"]]
    if os.geteuid() == 0:  # an image's lists of packages are empty as a rule
        fetch += [["apt-get", "update", "-qq"], *fetch]
    with TemporaryDirectory(dir=folder) as place:
        for command in fetch:
            subprocess.run(command, cwd=place, capture_output=True, check=False)
            if packages := list(Path(place).glob("*.deb")):
                subprocess.run(["dpkg-deb", "-x", str(packages[0]), place], check=True)
                (Path(place) / "usr/bin/promtool").replace(folder / "promtool")
                return True
    return False


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
