"""Settings of the web pages, read from the environment."""

from ipaddress import ip_address, ip_network
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings, read_secret
from shield.errors import Misconfigured


class PagesSettings(Settings):
    """How people sign in to `/review`. Durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="SHIELD_PAGES_", use_attribute_docstrings=True, extra="ignore"
    )

    session_seconds: float = Field(default=12 * 3600, gt=0)
    """A sign-in holds for so long, and never longer than the token that it was made with."""
    secure_cookies: bool = False
    """Send cookies over HTTPS alone. Always so when the request came by HTTPS; set it behind a
    proxy that does not say so."""
    token_login: bool | None = None
    """Sign in with an access token. Left out: on in embedded mode (`shieldctl up`), else off."""

    trusted_header: str | None = None
    """Header in which an authenticating proxy names the user, e.g. `kubeflow-userid`. Off when left
    out."""
    trusted_proxies: list[str] = []
    """Addresses or networks of that proxy, e.g. `["10.42.7.9"]`. The header is believed from there
    alone."""
    reviewers: list[str] = []
    """Users named by the proxy or by OIDC who may review, by user id or e-mail; `["*"]` is
    everybody."""
    admins: list[str] = []
    """Users who may also promote, pause and undo rollouts."""

    oidc_discovery_url: str | None = None
    """`https://issuer/.well-known/openid-configuration`. OIDC sign-in is off when left out."""
    oidc_client_id: str | None = None
    """This dashboard's client id at the issuer."""
    oidc_client_secret: str | None = None
    """Its secret."""
    oidc_client_secret_file: Path | None = None
    """File that holds the secret."""
    oidc_scope: str = "openid email profile"
    """What is asked of the issuer."""
    oidc_name: str = "your organisation"
    """Read on the button: "Sign in with ..."."""
    public_url: str | None = None
    """Where browsers reach this server, e.g. `https://shield.example.org`: the OIDC redirect is
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
        """Refuse settings that would let strangers in, before anything is served.

        Raises:
            Misconfigured: A trusted header without a trusted proxy, a bad network, OIDC without a
            client.
        """
        if self.trusted_header is not None and not self.trusted_proxies:
            raise Misconfigured(
                "SHIELD_PAGES_TRUSTED_HEADER is set, but SHIELD_PAGES_TRUSTED_PROXIES is empty, "
                "so anybody "
                "could name themselves. List the proxy's networks, e.g. "
                'SHIELD_PAGES_TRUSTED_PROXIES=["10.42.7.9"].'
            )
        for network in self.trusted_proxies:
            try:
                ip_network(network)
            except ValueError as fault:
                raise Misconfigured(
                    f"SHIELD_PAGES_TRUSTED_PROXIES names {network!r}, which is no network "
                    f"({fault}). "
                    "Write addresses like 10.1.2.3 or networks like 10.42.7.0/24."
                ) from fault
        if self.oidc_discovery_url is not None and self.oidc_client_id is None:
            raise Misconfigured(
                "SHIELD_PAGES_OIDC_DISCOVERY_URL is set without SHIELD_PAGES_OIDC_CLIENT_ID. "
                "Register the dashboard at the issuer and set its client id and secret."
            )

    def trusts(self, address: str | None) -> bool:
        """Tell whether a request from `address` comes from the authenticating proxy."""
        try:
            origin = ip_address(address or "")
        except ValueError:
            return False
        return any(origin in ip_network(network) for network in self.trusted_proxies)

    def roles_of(self, names: set[str]) -> list[str]:
        """Return the roles of a person known by `names` (user id, e-mail)."""
        roles = ["user"]
        if names & set(self.reviewers) or "*" in self.reviewers:
            roles.append("reviewer")
        if names & set(self.admins):
            roles.extend(["reviewer", "admin"])
        return list(dict.fromkeys(roles))
