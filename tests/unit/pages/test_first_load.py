"""What a phone loads before anything is asked of it stays small."""

import gzip
import re

from api.pages.assets import BUILT
from tests.support.judge import bundler

MOST_BYTES = 300_000


def test_what_the_app_keeps_for_offline_use_stays_below_300_kb() -> None:
    bundler()
    worker = (BUILT / "worker.js").read_text(encoding="utf-8")
    names = {
        name
        for name in re.findall(r"/assets/([\w.-]+)", worker)
        if not name.startswith(("picture-", "encoder-"))
    }
    assert {re.sub(r"-[0-9a-f]{12}", "", name) for name in names} > {"app.js", "mail.js", "qr.js"}
    files = [BUILT / "worker.js", *(BUILT / name for name in sorted(names))]
    sizes = {file.name: len(gzip.compress(file.read_bytes())) for file in files}
    assert sum(sizes.values()) <= MOST_BYTES, sizes
