"""The uv that `make setup` uses: the machine's, or the one that it keeps in `.tools`."""

import shutil
from pathlib import Path

_KEPT = Path(__file__).parents[2] / ".tools/bin/uv"


def uv() -> str:
    """Return uv's path.

    Raises:
        RuntimeError: There is none.
    """
    found = shutil.which("uv") or (str(_KEPT) if _KEPT.exists() else None)
    if found is None:
        raise RuntimeError(f"uv is neither on PATH nor at {_KEPT}: run `make setup`.")
    return found
