"""Make present what the tests need beside Python packages, saying so: `python -m tests.prepare`.

Everything lands in caches outside the working tree; a second call takes a second.
"""

from tests.support.browser import ensure_chromium
from tests.support.controlplane import ensure_binaries
from tests.support.promtool import ensure_promtool
from tests.support.provider import ensure_provider


def main() -> None:
    """Provide the browser, the OpenID provider, the Kubernetes control plane and promtool."""
    ensure_chromium()
    ensure_provider()
    ensure_binaries()
    ensure_promtool()


if __name__ == "__main__":
    main()
