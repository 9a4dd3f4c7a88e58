"""Settings of the web pages, read from the environment."""

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from api.kit.limits import parsed_address
from shield.environment import Settings, read_secret
from shield.errors import Misconfigured


class PagesSettings(Settings):
    """How people sign in to `/review`. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="SHIELD_PAGES_", use_attribute_docstrings=True, extra="ignore"
    )

    session_seconds: float = Field(default=12 * 3600, gt=0)
    """Longest duration of a session; a session never outlives the token of its sign-in."""
    secure_cookies: bool = False
    """Mark cookies as `Secure`. Always done for HTTPS requests; set it behind a proxy that
    terminates TLS without a forwarding header."""
    token_login: bool | None = None
    """Allow sign-in with an access token. Default: on in embedded mode (`shieldctl up`) only."""

    trusted_header: str | None = None
    """Header in which an authenticating proxy names the user, e.g. `kubeflow-userid`. Not used if
    unset."""
    trusted_proxies: list[str] = []
    """Addresses or networks of that proxy, e.g. `["10.42.7.9"]`. The header is accepted only from
    these."""
    reviewers: list[str] = []
    """Users signed in by the proxy or OIDC who may review, by user id or e-mail; `["*"]` allows
    everybody."""
    admins: list[str] = []
    """Users who may also promote, pause and undo rollouts."""

    oidc_discovery_url: str | None = None
    """`https://issuer/.well-known/openid-configuration`. OIDC sign-in is off if unset."""
    oidc_client_id: str | None = None
    """Client id of this dashboard at the issuer."""
    oidc_client_secret: str | None = None
    """Client secret."""
    oidc_client_secret_file: Path | None = None
    """File with the client secret."""
    oidc_scope: str = "openid email profile"
    """Scopes requested from the issuer."""
    oidc_name: str = "your organisation"
    """Name of the issuer on the button "Sign in with ..."."""
    public_url: str | None = None
    """URL of this server for browsers, e.g. `https://shield.example.org`; the OIDC redirect is
    built from it."""

    def client_secret(self) -> str | None:
        """Return the OIDC client secret, from the setting or its file.

        Raises:
            Misconfigured: The file cannot be read.
        """
        if self.oidc_client_secret_file is None:
            return self.oidc_client_secret
        return read_secret(self.oidc_client_secret_file, "SHIELD_PAGES_OIDC_CLIENT_SECRET_FILE")

    def check(self) -> None:
        """Refuse settings that would admit unauthenticated users.

        Raises:
            Misconfigured: A trusted header without a trusted proxy, a bad network, OIDC without a
            client.
        """
        if self.trusted_header is not None and not self.trusted_proxies:
            raise Misconfigured(
                "SHIELD_PAGES_TRUSTED_HEADER is set, but SHIELD_PAGES_TRUSTED_PROXIES is empty, so "
                "any client could send the header. List the proxy's networks, e.g. "
                'SHIELD_PAGES_TRUSTED_PROXIES=["10.42.7.9"].'
            )
        for network in self.trusted_proxies:
            try:
                ip_network(network)
            except ValueError as fault:
                raise Misconfigured(
                    f"SHIELD_PAGES_TRUSTED_PROXIES contains {network!r}, which is not a network "
                    f"({fault}). Write addresses like 10.1.2.3 or networks like 10.42.7.0/24."
                ) from fault
        if self.oidc_discovery_url is not None and self.oidc_client_id is None:
            raise Misconfigured(
                "SHIELD_PAGES_OIDC_DISCOVERY_URL is set without SHIELD_PAGES_OIDC_CLIENT_ID. "
                "Register the dashboard at the issuer and set its client id and secret."
            )

    def trusts(self, address: str | None) -> bool:
        """Return whether a request from `address` comes from the authenticating proxy."""
        origin = parsed_address(address or "")
        return origin is not None and any(
            origin in ip_network(network) for network in self.trusted_proxies
        )

    def roles_of(self, names: set[str]) -> list[str]:
        """Return the roles of a person known by `names` (user id, e-mail)."""
        roles = ["user"]
        if names & set(self.reviewers) or "*" in self.reviewers:
            roles.append("reviewer")
        if names & set(self.admins):
            roles.extend(["reviewer", "admin"])
        return list(dict.fromkeys(roles))
