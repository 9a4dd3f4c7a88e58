"""Re-encrypt all messages with the active key, and recompute all fingerprints.

Run `python -m api.reseal` after a change of the key ring.
"""

import sys

from api.app import open_services
from api.migrate import check
from api.privacy.retention import sign_again
from api.privacy.rotation import reseal
from api.settings import ApiSettings
from shield.errors import ShieldError


def _show(done: int) -> None:
    sys.stderr.write(f"\r{done} texts")


def main() -> int:
    """Reseal the database that `SHIELD_DATABASE_URL` names."""
    try:
        services = open_services(ApiSettings())
        check(services.engine)
        count = reseal(services, _show)
        signed = sign_again(services, _show)
    except ShieldError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    sys.stderr.write(
        f"\rAll texts are sealed with key {services.ring.active} ({count} changed); all signatures "
        f"are made with the present key ({signed} changed).\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
