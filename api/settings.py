"""Settings of the API, read from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import CommaList, Settings, read_secret
from shield.errors import Misconfigured


class ApiSettings(Settings):
    """How the API runs. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="SHIELD_API_",
        use_attribute_docstrings=True,
        populate_by_name=True,
        extra="ignore",
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 picks a free one and writes it to the ready file."""
    ready_file: Path | None = None
    """Where `{"port": N}` is written once the API answers."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that answer on this port. One uses one core; two or more serve a machine of several
    cores better than one does (on a cluster, replicas do the same). Rate limits then need
    `SHIELD_API_RATE_STORAGE`."""
    migrate: bool = True
    """Bring the database to the present schema at start. On a cluster a Job does it beforehand."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`. Logs are JSON lines on stderr."""

    database_url: str = Field(default="sqlite:///shield.db", validation_alias="SHIELD_DATABASE_URL")
    """`sqlite:///path` or `postgresql+psycopg://user:password@host/name`."""
    pool_size: int = Field(default=10, ge=1)
    """Database connections kept open per process (PostgreSQL)."""
    rollouts: Literal["table", "kubernetes"] = Field(
        default="table", validation_alias="SHIELD_ROLLOUTS"
    )
    """Where rollouts are kept: a database table, or `ModelRollout` objects."""
    rollouts_namespace: str | None = Field(
        default=None, validation_alias="SHIELD_ROLLOUTS_NAMESPACE"
    )
    """Namespace of the `ModelRollout` objects; left out, the pod's own."""

    jwt_secret: str | None = None
    """HS256 secret, at least 32 bytes. There is no default."""
    jwt_secret_file: Path | None = None
    """File that holds the HS256 secret."""
    jwt_issuer: str = "antispam-shield"
    """Expected `iss` of our own tokens."""
    jwt_audience: str = "antispam-shield"
    """Expected `aud` of all tokens."""
    jwks_url: str | None = None
    """JWKS of an OIDC issuer whose RS256/ES256/EdDSA tokens are accepted beside our own."""
    oidc_issuer: str | None = None
    """Expected `iss` of those tokens."""
    oidc_roles_claim: str = "roles"
    """Claim that holds the roles; a dotted path is followed, e.g. `realm_access.roles`."""
    token_review: bool = False
    """Accept Kubernetes service-account tokens, checked by the cluster's TokenReview."""
    service_account_audience: str = "antispam-shield"
    """Audience that service-account tokens must be projected for."""
    service_accounts: CommaList = []
    """Service accounts and their roles, `namespace:name=role` with commas between."""
    message_keys: Path | None = None
    """Key ring that message text is encrypted with: JSON, made by `shieldctl`."""

    cors_origins: CommaList = []
    """Origins of web apps that call the API from a browser, e.g. `https://app.example.org`; `*` for
    any. They send their own token; no cookie of ours is ever accepted from there."""

    rate_per_user: str = "120/minute"
    """Writes per user; empty for no limit."""
    rate_per_address: str = "1200/minute"
    """Writes per client address; empty for no limit."""
    rate_reads_per_user: str = "600/minute"
    """Reads per user; empty for no limit. Reviewers, admins and machines are not counted."""
    rate_contests: str = "6/hour"
    """Messages that may be contested without an account, per client address; empty for no limit."""
    rate_storage: str = "memory://"
    """`memory://` for one process, `redis://...` for several."""
    trusted_proxies: str = ""
    """Networks of gateways in front, e.g. `10.42.7.0/24`, with commas between. A request from there
    counts for the address that `X-Forwarded-For` names; without this all phones behind a gateway
    count as one address."""
    proxy_hops: int = Field(default=1, ge=1, le=10)
    """How many gateways in a row add to `X-Forwarded-For`: that entry from the end counts."""
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    """Larger request bodies are refused with 413."""

    predict_timeout_seconds: float = Field(default=5.0, gt=0)
    """A model server that takes longer has failed."""
    undo_seconds: float = Field(default=3600, ge=0)
    """For so long a review may be taken back."""
    claim_seconds: float = Field(default=600, gt=0)
    """A claimed item is free again after this."""
    second_review_share: float = Field(default=0.1, ge=0, le=1)
    """Share of items that a second reviewer judges blind, once there are two reviewers."""
    review_reasons: CommaList = []
    """Reasons of your own, with commas between, e.g. `asks for money, false sender, ordinary`. If
    there are any, every decision needs one of them."""
    review_guidelines_file: Path | None = None
    """Plain text that reviewers read beside each item, paragraphs parted by empty lines."""
    review_teams: dict[str, list[str]] = {}
    """Teams that items can be given to, by name with their members, as JSON, e.g. `{"fraud":
    ["rita", "paul"]}`. What is a team's is in the queue of its members alone."""
    audit_sample_share: float = Field(default=0.005, ge=0, le=1)
    """Share of consenting users' unreported scans that join the queue unmarked."""
    known_looks: int = Field(default=2, ge=1, le=5)
    """So many reviewers must agree before their decision answers other people's copies of a
    message; before that it marks them as being checked."""
    known_gold_accuracy: float | None = Field(default=None, ge=0.5, le=1)
    """A reviewer whose accuracy on gold items is at least this (lower end of its interval) decides
    alone; left out, nobody does."""
    known_second_look_reports: int = Field(default=3, ge=1)
    """A campaign with so many reports gets a second, blind look once there are two reviewers."""
    known_days: float = Field(default=30, gt=0)
    """A known campaign expires so long after its last match."""
    known_check_days: float = Field(default=7, gt=0)
    """A campaign becomes known only if it would have changed few verdicts that nobody objected to
    in this time."""
    revise_days: float = Field(default=30, gt=0)
    """Messages of so many days are corrected, and their owners told, when a campaign is known."""
    inbox_days: float = Field(default=90, gt=0)
    """Notices to people are erased after this."""
    outbox_lease_seconds: float = Field(default=60, gt=0)
    """Work that follows a decision is done again by another process if the one that has taken it
    says nothing for so long."""
    contests: bool = True
    """Let senders of flagged messages contest it at `/contest`, without an account."""
    contests_waiting: int = Field(default=200, ge=1)
    """Once so many contests wait for reviewers, no more are taken."""
    webhook_networks: CommaList = []
    """Networks that are not public and may be told by webhooks all the same, e.g. `10.20.0.0/16`,
    with commas between; by `http://` too."""
    webhook_timeout_seconds: float = Field(default=10, gt=0, le=60)
    """A receiver of a webhook that takes longer has failed, and is asked again later."""
    retention_days: float | None = Field(default=None, gt=0)
    """Messages without feedback are erased after this; left out, they are kept."""
    care_seconds: float = Field(default=600, gt=0)
    """How often leases are ended, old messages erased and leftovers removed."""
    embedded: bool = False
    """True when `shieldctl up` runs everything on one machine."""

    def check_workers(self) -> None:
        """Pass when several processes would count the rate limits together.

        Raises:
            Misconfigured: Each would count for itself.
        """
        limited = self.rate_per_user.strip() or self.rate_per_address.strip()
        if self.workers > 1 and limited and self.rate_storage.startswith("memory:"):
            raise Misconfigured(
                f"SHIELD_API_WORKERS is {self.workers}, but rate limits are counted in memory, by "
                "each process for itself. Set SHIELD_API_RATE_STORAGE to redis://..., or run one "
                "worker."
            )

    def secret(self) -> str:
        """Return the HS256 secret.

        Raises:
            Misconfigured: There is none, or it is too short to be safe.
        """
        value = self.jwt_secret
        if value is None and self.jwt_secret_file is not None:
            value = read_secret(self.jwt_secret_file, "SHIELD_API_JWT_SECRET_FILE")
        if value is None or len(value.encode()) < 32:
            raise Misconfigured(
                "SHIELD_API_JWT_SECRET must hold at least 32 bytes, and there is no default. Make "
                "one with `openssl rand -hex 32`, or let `shieldctl up` do it."
            )
        return value
