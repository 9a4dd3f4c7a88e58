"""What is costly to make and the same for every test: made once per machine, outside the tree.

A thing is named by the bytes of everything that it follows from, so that a change makes a new one;
workers of pytest-xdist wait for each other instead of making it twice.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from fcntl import LOCK_EX, flock
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
_KEPT_SECONDS = 6 * 3600.0
_NAMED = re.compile(r"[0-9a-f]{16}(\.part)?")
_LIBRARIES = ("numpy", "onnxruntime", "polars", "scikit-learn", "torch", "transformers")


def made_once(name: str, follows_from: Iterable[str], make: Callable[[Path], None]) -> Path:
    """Return a directory that `make` has filled. Never write into it: copy it.

    Args:
        name: What it is; names the directory.
        follows_from: Files and folders of the repository whose Python code decides its content;
            versions of the libraries are looked at besides.
        make: Fills an empty directory.
    """
    home = Path(os.environ.get("SHIELD_TEST_CACHE") or _default_home())
    home.mkdir(parents=True, exist_ok=True)
    target = home / f"{name}-{_digest(tuple(follows_from))}"
    with (home / f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not target.exists():
            part = target.with_name(f"{target.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(target)
            _drop_unused(home, name)
        os.utime(target)
    return target


def _drop_unused(home: Path, name: str) -> None:
    """Remove what former sources have made, unless another checkout uses it these hours."""
    for former in home.glob(f"{name}-*"):
        if _NAMED.fullmatch(former.name.removeprefix(f"{name}-")):
            unused = time.time() - former.stat().st_mtime
            if unused > _KEPT_SECONDS:
                shutil.rmtree(former, ignore_errors=True)


def _default_home() -> Path:
    return Path(tempfile.gettempdir()) / f"antispam-shield-{os.getuid()}"


@lru_cache
def _digest(places: tuple[str, ...]) -> str:
    content = hashlib.sha256()
    for place in places:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if not file.name.startswith("test_"):
                content.update(file.relative_to(ROOT).as_posix().encode() + b"\0")
                content.update(file.read_bytes() + b"\0")
    content.update(repr([(name, version(name)) for name in _LIBRARIES]).encode())
    return content.hexdigest()[:16]
