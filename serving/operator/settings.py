"""Settings of the operator."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings, read_secret


class ApiAccess(Settings):
    """Access to the API, which counts evidence and stores the ledger."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_API_", use_attribute_docstrings=True)

    url: str = "http://127.0.0.1:8000"
    """URL of the API."""

    token: SecretStr | None = None
    """A bearer token of the role `operator`."""

    token_file: Path | None = None
    """File with the token; read again when the API refuses the old one. Takes precedence over
    `token`."""

    def read_token(self) -> str | None:
        """Return the current token.

        Raises:
            Misconfigured: The file of the token cannot be read.
        """
        if self.token_file is None:
            return self.token.get_secret_value() if self.token else None
        return read_secret(self.token_file, "SHIELD_API_TOKEN_FILE")


class OperatorSettings(Settings):
    """Intervals, names and paths of the operator. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_OPERATOR_", use_attribute_docstrings=True)

    poll_seconds: float = Field(default=0.02, gt=0)
    """Interval of checks of the rollout table and of model servers that start or end; eight times
    longer while all servers answer."""

    tick_seconds: float = Field(default=0.25, gt=0)
    """Longest time between two reconciles of a rollout with a trial; eight times longer for the
    others."""

    evidence_seconds: float = Field(default=0.25, gt=0)
    """Interval of requests for evidence during a trial; longer if counting takes long."""

    drain_seconds: float = Field(default=3.0, ge=0)
    """Time for which a retired model server still answers requests routed to it."""

    namespace: str | None = None
    """Namespace of the rollouts (cluster only). Default: the pod's namespace."""

    server_template: Path | None = None
    """JSON file with the PodTemplate of the model servers: image, environment, volumes, security
    (cluster only). The operator completes its container `model-server` for each version."""

    lease: str = "antispam-shield-operator"
    """Name of the Lease for leader election (cluster only)."""

    lease_seconds: float = Field(default=10.0, ge=1)
    """Time without a renewal of the Lease after which an operator is replaced, a third more at most
    (cluster only)."""

    metrics_port: int = Field(default=8080, ge=0, le=65535)
    """Port of `/healthz`, `/readyz` and `/metrics` (cluster only)."""

    gateways: list[dict[str, Any]] = []
    """Gateways, as JSON `parentRefs`, for an HTTPRoute with the split's weights (cluster only). If
    empty, no route is created."""

    log_dir: Path = Path.home() / ".local/share/antispam-shield/logs"
    """Folder of the model servers' logs, one file per version (laptop only)."""

    ready_file: Path | None = None
    """File written, as JSON with the process id, once the operator works (laptop only)."""


class DatabaseSettings(Settings):
    """Database of the rollout table (laptop only)."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_DATABASE_", use_attribute_docstrings=True)

    url: str = Field(default=f"sqlite:///{Path.home()}/.local/share/antispam-shield/shield.db")
    """SQLAlchemy URL of the API's database."""
