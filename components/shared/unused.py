"""What was made once and is kept in a cache: which of it is still used, and which may go."""

import os
import shutil
import time
from pathlib import Path

DAYS = 14
"""Whoever used nothing of it for so long has another release, another book or other parameters."""


def use(folder: Path) -> Path:
    """Note that a folder is used now, and return it."""
    os.utime(folder)
    return folder


def forget_unused(cache: Path, pattern: str, days: float = DAYS) -> list[Path]:
    """Remove the folders of a cache that nobody has used for some days; return those removed.

    A folder in use is safe: it is noted on each use, and a training reads it within minutes.
    """
    border = time.time() - days * 86_400
    old = [each for each in cache.glob(pattern) if each.is_dir() and each.stat().st_mtime < border]
    for each in old:
        shutil.rmtree(each, ignore_errors=True)
    return old
