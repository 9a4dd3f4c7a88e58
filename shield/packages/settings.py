"""Settings of signing and trusting model packages."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from shield.environment import Settings
from shield.errors import Misconfigured


class PackageSettings(Settings):
    """Who signs model packages, and whose signature counts."""

    model_config = SettingsConfigDict(
        env_prefix="SHIELD_", use_attribute_docstrings=True, extra="ignore"
    )

    signing_key: Path | None = None
    """Ed25519 private key (PEM) that signs new packages. Only the training side needs it."""

    trusted_keys: Path | None = None
    """Directory of Ed25519 public keys (`*.pem`).

    A package signed by none of them is never loaded.
    """

    def require_signing_key(self) -> Path:
        """Return the signing key's path. Raises `Misconfigured` when it is not set."""
        if self.signing_key is None:
            raise Misconfigured(
                "No signing key is configured, so a package could not be signed. Set "
                "SHIELD_SIGNING_KEY to an Ed25519 private key (PEM)."
            )
        return self.signing_key

    def require_trusted_keys(self) -> Path:
        """Return the trusted keys' directory. Raises `Misconfigured` when it is not set."""
        if self.trusted_keys is None:
            raise Misconfigured(
                "No trusted keys are configured, so no package can be loaded. Set "
                "SHIELD_TRUSTED_KEYS to a directory of public keys (*.pem)."
            )
        return self.trusted_keys
