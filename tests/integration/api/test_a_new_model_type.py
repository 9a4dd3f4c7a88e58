"""A newcomer who adds a model type edits one file of code: `shield/labels.py`."""

import subprocess
import sys
from pathlib import Path


def test_a_type_added_to_the_one_table_goes_from_scan_to_queue_to_export(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.image_walk", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "walked\n"
