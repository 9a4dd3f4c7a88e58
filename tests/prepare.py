"""Make present what the tests need beside Python packages, saying so: `python -m tests.prepare`.

Everything lands in caches outside the working tree; a second call takes a second.
"""

import os
from tempfile import TemporaryDirectory

from tests.support import policed
from tests.support.browser import ensure_chromium
from tests.support.controlplane import ensure_binaries
from tests.support.dex import ensure_dex
from tests.support.promtool import ensure_promtool
from tests.support.provider import ensure_provider
from tests.support.shells import ensure_shells


def main() -> None:
    """Provide browser, shells, OpenID providers, control plane, promtool and kube-router."""
    ensure_chromium()
    ensure_shells()
    ensure_provider()
    with TemporaryDirectory(prefix="shield-go-") as intermediate:
        # Five gigabytes that only these builds use: once the programs are there, so is the disk.
        os.environ.setdefault("GOCACHE", intermediate)
        ensure_binaries()
        ensure_promtool()
        ensure_dex()
        policed.prepare()


if __name__ == "__main__":
    main()
