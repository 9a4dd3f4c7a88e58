"""Sign a token with this installation's secret, for use before OIDC is set up.

    kubectl exec deploy/antispam-shield-api -- python -m api.token --role reviewer --hours 1

Prints only the token. Running it requires access to the API's pod, and thus to the secret.
"""

import argparse
import sys
from datetime import UTC, datetime

from api.kit.tokens import Role, mint
from api.settings import ApiSettings
from shield.errors import ShieldError

MOST_HOURS = 24.0
"""Longest lifetime: users should sign in by OIDC."""


def main(arguments: list[str] | None = None) -> int:
    """Print a token for the API whose settings the environment holds."""
    parser = argparse.ArgumentParser(prog="python -m api.token", description=__doc__)
    parser.add_argument("--subject", default="first-look", help="user id, for the audit log")
    parser.add_argument(
        "--role",
        action="append",
        choices=[Role.USER.value, Role.REVIEWER.value, Role.ADMIN.value],
        help="repeat it; default: user",
    )
    parser.add_argument("--hours", type=float, default=1.0, help=f"at most {MOST_HOURS:g}")
    options = parser.parse_args(arguments)
    if not 0 < options.hours <= MOST_HOURS:
        parser.error(f"--hours must be more than 0 and at most {MOST_HOURS:g}")
    settings = ApiSettings()
    try:
        token = mint(
            settings.secret(),
            options.subject,
            options.role or [Role.USER.value],
            now=datetime.now(UTC),
            lifetime_seconds=options.hours * 3600,
        )
    except ShieldError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    sys.stdout.write(f"{token}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
