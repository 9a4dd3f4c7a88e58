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
    """File to which `{"port": N}` is written once the API accepts requests."""
    workers: int = Field(default=1, ge=1, le=64)
    """Worker processes on this port. One process uses one core; on a cluster use replicas instead.
    With more than one, rate limits need `SHIELD_API_RATE_STORAGE`."""
    migrate: bool = True
    """Migrate the database at start. On a cluster a Job migrates it before."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`. Logs are JSON lines on stderr."""

    database_url: str = Field(default="sqlite:///shield.db", validation_alias="SHIELD_DATABASE_URL")
    """`sqlite:///path` or `postgresql+psycopg://user:password@host/name`."""
    database_direct_url: str | None = Field(
        default=None, validation_alias="SHIELD_DATABASE_DIRECT_URL"
    )
    """URL of PostgreSQL itself where `SHIELD_DATABASE_URL` names a pooler (PgBouncer in transaction
    mode). Migrations use it, and each process listens for known campaigns on one connection of it.
    No statement is prepared through the pooler."""
    pool_size: int = Field(default=10, ge=1)
    """Database connections kept open per process (PostgreSQL)."""
    rollouts: Literal["table", "kubernetes"] = Field(
        default="table", validation_alias="SHIELD_ROLLOUTS"
    )
    """Store of rollouts: a database table, or `ModelRollout` objects."""
    rollouts_namespace: str | None = Field(
        default=None, validation_alias="SHIELD_ROLLOUTS_NAMESPACE"
    )
    """Namespace of the `ModelRollout` objects. Default: the pod's."""

    jwt_secret: str | None = None
    """HS256 secret of own tokens, at least 32 bytes. There is no default."""
    jwt_secret_file: Path | None = None
    """File with the HS256 secret."""
    jwt_issuer: str = "antispam-shield"
    """Issuer (`iss`) of own tokens."""
    jwt_audience: str = "antispam-shield"
    """Audience (`aud`) that all tokens must have."""
    jwks_url: str | None = None
    """URL of the JWKS of an OIDC issuer whose RS256, ES256 or EdDSA tokens are accepted too."""
    oidc_issuer: str | None = None
    """Issuer (`iss`) of those tokens."""
    oidc_roles_claim: str = "roles"
    """Claim with the roles; may be a dotted path, e.g. `realm_access.roles`."""
    token_review: bool = False
    """Accept Kubernetes service-account tokens, verified by the cluster's TokenReview."""
    service_account_audience: str = "antispam-shield"
    """Audience of projected service-account tokens."""
    service_accounts: CommaList = []
    """Service accounts and their roles: comma-separated `namespace:name=role`."""
    message_keys: Path | None = None
    """File with the key ring that encrypts message texts: JSON, created by `shieldctl`."""

    cors_origins: CommaList = []
    """Origins of web apps that may call the API from a browser (CORS), e.g.
    `https://app.example.org`; `*` for any. They must send a token; cookies are not accepted."""

    rate_per_user: str = "120/minute"
    """Rate limit of writes per user; empty for none."""
    rate_per_address: str = "1200/minute"
    """Rate limit of writes per client address; empty for none."""
    rate_reads_per_user: str = "600/minute"
    """Rate limit of reads per user; empty for none. Reviewers, admins and machines are exempt."""
    rate_contests: str = "6/hour"
    """Messages that may be contested without an account, per client address; empty for no limit."""
    rate_storage: str = "memory://"
    """Storage of rate limits: `memory://` for one process, `redis://...` for several."""
    trusted_proxies: str = ""
    """Networks of trusted gateways, comma-separated, e.g. `10.42.7.0/24`. A request from a gateway
    counts for the client address in `X-Forwarded-For`; without this setting all clients behind it
    count as one address."""
    proxy_hops: int = Field(default=1, ge=1, le=10)
    """Number of gateways in a row that append to `X-Forwarded-For`: this entry from the end is
    used."""
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    """Largest request body, in bytes; larger ones get 413."""

    predict_timeout_seconds: float = Field(default=5.0, gt=0)
    """Time-out of a model server's answer."""
    undo_seconds: float = Field(default=3600, ge=0)
    """Time within which a decision can be undone."""
    claim_seconds: float = Field(default=600, gt=0)
    """Duration of a claim on an item."""
    second_review_share: float = Field(default=0.1, ge=0, le=1)
    """Share of items that a second reviewer judges blind, if there are at least two reviewers."""
    review_reasons: CommaList = []
    """The team's reasons for decisions, comma-separated, e.g. `asks for money, false sender,
    ordinary`. If set, every decision needs one of them."""
    review_guidelines_file: Path | None = None
    """File with guidelines that are shown beside each item: plain text, paragraphs separated by
    empty lines."""
    review_teams: dict[str, list[str]] = {}
    """Teams that items can be assigned to, with their members, as JSON, e.g. `{"fraud": ["rita",
    "paul"]}`. Only its members see a team's items in their queues."""
    audit_sample_share: float = Field(default=0.005, ge=0, le=1)
    """Share of consenting users' unreported scans that are added to the queue (audit sample)."""
    known_looks: int = Field(default=2, ge=1, le=5)
    """Number of reviewers who must agree before their decision answers other copies of a message;
    with fewer, copies are marked as being checked."""
    known_gold_accuracy: float | None = Field(default=None, ge=0.5, le=1)
    """Least accuracy on gold items (lower bound of its interval) of a reviewer who decides alone.
    If unset, no reviewer does."""
    known_second_look_reports: int = Field(default=3, ge=1)
    """Number of a campaign's reports from which a second, blind look is required, if there are at
    least two reviewers."""
    known_days: float = Field(default=30, gt=0)
    """Time from its last match after which a known campaign expires."""
    known_check_days: float = Field(default=7, gt=0)
    """Period of the check of a new known campaign: it must not change many verdicts of this period
    that were not objected to."""
    known_feed: bool = False
    """Share confirmed scam campaigns with other deployments at `/api/v2/feed`, without a token:
    signed, masked, and none that fewer than three people have reported."""
    known_feed_seconds: float = Field(default=300, gt=0)
    """How often the feeds of other deployments are read."""
    revise_days: float = Field(default=30, gt=0)
    """Period of earlier messages whose verdicts are corrected by a new known campaign."""
    inbox_days: float = Field(default=90, gt=0)
    """Time after which notices are erased."""
    outbox_lease_seconds: float = Field(default=60, gt=0)
    """Lease of work that follows a decision: if a process crashes, another repeats its work after
    this time."""
    contests: bool = True
    """Let senders of flagged messages contest it at `/contest`, without an account."""
    contests_waiting: int = Field(default=200, ge=1)
    """Once so many contests wait for reviewers, no more are taken."""
    device_encoder: bool = True
    """Offer the encoder of each version to phones, whose owners may load it (20 to 30 MB) to judge
    as exactly as the server does."""
    push_key: str | None = None
    """Private key of Web Push (VAPID), which wakes phones when there is a notice; `shieldctl push
    key` makes one. If unset, phones learn of notices when the app is opened."""
    push_contact: str | None = None
    """Contact that push services are given: `mailto:...` or `https://...`. Needed with a key."""
    push_networks: CommaList = []
    """Private networks that push services may be in, comma-separated; for tests and own push
    services. Any user may name an address in them."""
    webhook_networks: CommaList = []
    """Private networks that webhooks may address, comma-separated, e.g. `10.20.0.0/16`; `http://`
    is allowed for them too."""
    webhook_timeout_seconds: float = Field(default=10, gt=0, le=60)
    """Time-out of a webhook's receiver; the delivery is then retried later."""
    retention_days: float | None = Field(default=None, gt=0)
    """Age at which messages without feedback are erased. If unset, they are kept."""
    scan_days: float | None = Field(default=None, ge=1)
    """Age at which scans that nobody has reported are removed with their verdicts, by whole days.
    If unset, they are kept. Scans that the drift watch counts stay longer: those since 30 days
    before the release of each version that serves."""
    care_seconds: float = Field(default=600, gt=0)
    """Interval of periodic maintenance: ending leases, erasing old messages, removing leftover
    files."""
    embedded: bool = False
    """Whether `shieldctl up` runs everything on one machine."""

    def check_workers(self) -> None:
        """Check that several worker processes share their rate limits.

        Raises:
            Misconfigured: Each process would count separately.
        """
        limited = self.rate_per_user.strip() or self.rate_per_address.strip()
        if self.workers > 1 and limited and self.rate_storage.startswith("memory:"):
            raise Misconfigured(
                f"SHIELD_API_WORKERS is {self.workers}, but rate limits are counted in memory, "
                "separately by each process. Set SHIELD_API_RATE_STORAGE to redis://..., or run "
                "one worker."
            )

    def secret(self) -> str:
        """Return the HS256 secret.

        Raises:
            Misconfigured: There is no secret, or it is too short.
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
