"""Settings of the operator."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings, read_secret


class ApiAccess(Settings):
    """How the operator reaches the API: it counts the evidence and keeps the ledger."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_API_", use_attribute_docstrings=True)

    url: str = "http://127.0.0.1:8000"
    """Where the API answers."""

    token: SecretStr | None = None
    """A bearer token of the role `operator`."""

    token_file: Path | None = None
    """A file with the token, read anew when the API no longer takes the old one. Wins over
    `token`."""

    def read_token(self) -> str | None:
        """Return the token as it is now.

        Raises:
            Misconfigured: The file of the token cannot be read.
        """
        if self.token_file is None:
            return self.token.get_secret_value() if self.token else None
        return read_secret(self.token_file, "SHIELD_API_TOKEN_FILE")


class OperatorSettings(Settings):
    """How fast the operator looks, and where it keeps what it needs."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_OPERATOR_", use_attribute_docstrings=True)

    poll_seconds: float = Field(default=0.02, gt=0)
    """How often the table of rollouts is looked at at most, and model servers that start or end; an
    eighth as often where all of them answer."""

    tick_seconds: float = Field(default=0.25, gt=0)
    """Every rollout with a version on trial is reconciled at least this often, even if nothing
    seems to have changed; the others an eighth as often."""

    evidence_seconds: float = Field(default=0.25, gt=0)
    """How often the API is asked for evidence while a version is on trial. Where counting takes
    long, it is asked less often."""

    drain_seconds: float = Field(default=3.0, ge=0)
    """A model server that is no longer needed answers for so long, for requests already routed to
    it."""

    namespace: str | None = None
    """Whose rollouts are looked after (cluster only). By default the namespace of the pod."""

    server_template: Path | None = None
    """A JSON file with the PodTemplate of the model servers: image, environment, volumes, security
    (cluster only). Its container `model-server` is completed with what a version needs."""

    lease: str = "antispam-shield-operator"
    """Name of the Lease that elects one of several operators (cluster only)."""

    lease_seconds: float = Field(default=15.0, ge=1)
    """An operator that has not renewed its Lease for so long is replaced (cluster only)."""

    metrics_port: int = Field(default=8080, ge=0, le=65535)
    """Port of `/healthz`, `/readyz` and `/metrics` (cluster only)."""

    gateways: list[dict[str, Any]] = []
    """Gateways, as JSON `parentRefs`, that an HTTPRoute with the split's weights is attached to
    (cluster only). Empty: no route is made."""

    log_dir: Path = Path.home() / ".local/share/antispam-shield/logs"
    """Where the model servers' output goes, one file per version (laptop only)."""

    ready_file: Path | None = None
    """Written, as JSON with the process id, when the operator works (laptop only)."""


class DatabaseSettings(Settings):
    """Where the table of rollouts is (laptop only)."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_DATABASE_", use_attribute_docstrings=True)

    url: str = Field(default=f"sqlite:///{Path.home()}/.local/share/antispam-shield/shield.db")
    """SQLAlchemy URL; the same database as the API's."""
