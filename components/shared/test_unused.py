"""A cache forgets what nobody has used for two weeks, and nothing else."""

import os
import time
from pathlib import Path

from components.shared.unused import DAYS, forget_unused, use


def test_only_what_was_not_used_for_long_is_forgotten(tmp_path: Path) -> None:
    ago = time.time() - (DAYS + 1) * 86_400
    for name in ("sms-old", "sms-used", "voice-old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
        os.utime(tmp_path / name, (ago, ago))
    (tmp_path / "sms-file").write_text("x")
    os.utime(tmp_path / "sms-file", (ago, ago))
    assert use(tmp_path / "sms-used") == tmp_path / "sms-used"
    assert forget_unused(tmp_path, "sms-*") == [tmp_path / "sms-old"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["sms-file", "sms-used", "voice-old"]
