"""Keys of S3 from files, so that no process has them in its environment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from botocore.credentials import CredentialProvider, RefreshableCredentials
from botocore.session import get_session

from shield.environment import SECRETS, read_secret, secrets_folders

KEY_ID, SECRET_KEY, SESSION_TOKEN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
GOOD_FOR = timedelta(minutes=20)
"""What is read counts as good for so long. botocore reads anew a quarter of an hour before the end
of that, so every five minutes: a changed Secret reaches a pod without a restart."""


class _Files(CredentialProvider):
    """Reads the keys that `SHIELD_SECRETS` holds; there may be none."""

    METHOD = "shield-secrets"

    def __init__(self, good_for: timedelta) -> None:
        super().__init__()
        self._good_for = good_for

    def load(self) -> RefreshableCredentials | None:
        """Return credentials that are read anew from time to time, or `None`."""
        folder = next((one for one in secrets_folders() if (one / KEY_ID).exists()), None)
        if folder is None:
            return None
        return RefreshableCredentials.create_from_metadata(
            self._read(folder), refresh_using=lambda: self._read(folder), method=self.METHOD
        )

    def _read(self, folder: Path) -> dict[str, str | None]:
        token = folder / SESSION_TOKEN
        return {
            "access_key": read_secret(folder / KEY_ID, SECRETS),
            "secret_key": read_secret(folder / SECRET_KEY, SECRETS),
            "token": read_secret(token, SECRETS) if token.exists() else None,
            "expiry_time": (datetime.now(UTC) + self._good_for).isoformat(),
        }


def session(good_for: timedelta = GOOD_FOR) -> boto3.session.Session:
    """Return a new session whose chain asks the files after the environment.

    Args:
        good_for: So long counts as good what was read from files.
    """
    own = get_session()
    own.get_component("credential_provider").insert_after("env", _Files(good_for))
    return boto3.session.Session(botocore_session=own)
