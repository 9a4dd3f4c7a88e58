"""Prometheus's own `promtool`: what checks its rules, and runs them over made-up series.

The machine's where there is one, else Debian's, unpacked into a cache outside the working tree,
else built there from its Go module: some minutes on two cores the first time.
"""

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.gotools import ensure_program

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
        if (folder / "promtool").exists() or _of_debian(folder):
            return folder / "promtool"
    return ensure_program(_PACKAGE, "some")


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
