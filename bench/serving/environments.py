"""A virtual environment per peer, outside the tree, built once."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.uv import uv

# The same onnxruntime for everybody. Versions that were measured; raise them with care.
_COMMON = ["onnxruntime==1.32.0", "tokenizers==0.23.3", "numpy==2.4.6"]
REQUIREMENTS: dict[str, list[str]] = {
    "litserve": ["litserve==0.2.19", *_COMMON],
    "bentoml": ["bentoml==1.4.39", *_COMMON],
    "ray": ["ray[serve]==2.60.0", *_COMMON],
    "kserve": ["kserve==0.21.0", *_COMMON],
    # uvloop 0.22 dropped what MLServer's start-up uses.
    "mlserver": ["mlserver==1.7.1", "uvloop<0.22", *_COMMON],
}


def home() -> Path:
    """Return the folder of the environments: SHIELD_BENCH_CACHE, or the user's cache."""
    given = os.environ.get("SHIELD_BENCH_CACHE")
    return Path(given) if given else Path.home() / ".cache/antispam-shield/bench"


def python_of(peer: str) -> Path:
    """Return the interpreter of a peer's environment; build it first if need be.

    Raises:
        RuntimeError: It cannot be built here; the message is the installer's last line.
    """
    if peer not in REQUIREMENTS:
        return Path(sys.executable)
    requirements = REQUIREMENTS[peer]
    key = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = home() / f"{peer}-{key}"
    python = folder / "bin/python"
    if (folder / "complete").exists():
        return python
    print(f"Building the environment of {peer} in {folder} ...", file=sys.stderr)
    for command in (
        [uv(), "venv", "-q", "--clear", "--python", f"3.{sys.version_info.minor}", str(folder)],
        [uv(), "pip", "install", "-q", "--python", str(python), *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise RuntimeError(f"{peer}: {lines[-1]}")
    (folder / "complete").touch()
    return python


def packages(requirement: str) -> Path:
    """Return a folder with one package for our own interpreter; install it first if need be.

    Raises:
        RuntimeError: It cannot be installed here; the message is the installer's last line.
    """
    folder = home() / requirement.replace("==", "-")
    if not (folder / "complete").exists():
        command = [uv(), "pip", "install", "-q", "--python", sys.executable, "--no-deps"]
        done = subprocess.run(
            [*command, "--target", str(folder), requirement],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise RuntimeError(f"{requirement}: {lines[-1]}")
        (folder / "complete").touch()
    return folder
