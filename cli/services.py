"""The parts of one machine: the API and the rollout loop with its model servers.

Each is started as a stranger would start it, by its module and environment variables; nothing here
is known to them.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.home import Home, write_whole
from cli.session import mint
from cli.supervise import Part
from shield.errors import Misconfigured

MACHINE_TOKEN_SECONDS = 48 * 3600.0
"""Renewed while the services run, long before it ends."""


@dataclass(frozen=True)
class Address:
    """Where the API listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Base URL for callers on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def free_address(host: str, port: int) -> Address:
    """Return an address nobody listens on; port 0 picks any.

    Raises:
        Misconfigured: The port is taken, or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server will: a port in TIME_WAIT is free, one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise Misconfigured(
                f"Port {port} on {host} cannot be used: {getattr(error, 'strerror', error)}. "
                "Choose another with --port (0 picks a free one), or stop what listens there."
            ) from error
        return Address(host, probe.getsockname()[1])


def renew_machine_tokens(home: Home) -> None:
    """Write fresh tokens for the retraining and for the operator, each with its own role."""
    for role, file in (("pipeline", home.pipeline_token), ("operator", home.operator_token)):
        made = mint(home, f"shield-{role}", [role], lifetime_seconds=MACHINE_TOKEN_SECONDS)
        write_whole(file, made.encode(), mode=0o600)
    home.former_token.unlink(missing_ok=True)


def environment(home: Home, url: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which parts and pipeline steps find each other.

    The token is the retraining's; whoever else needs one says so in `extra`.
    """
    inherited = dict(os.environ)
    # A token of the caller's own would win over the file.
    inherited.pop("SHIELD_API_TOKEN", None)
    return inherited | {
        "SHIELD_HOME": str(home.root),
        "SHIELD_DATABASE_URL": home.database_url,
        "SHIELD_ARTIFACTS_ROOT": str(home.artifacts),
        "SHIELD_ROLLOUTS": "table",
        "SHIELD_SIGNING_KEY": str(home.signing_key),
        "SHIELD_TRUSTED_KEYS": str(home.trusted_keys),
        "SHIELD_API_URL": url,
        "SHIELD_API_TOKEN_FILE": str(home.pipeline_token),
        **extra,
    }


def api_part(home: Home, address: Address, extra: Mapping[str, str]) -> Part:
    """Return the API: phone, review pages, batches, registry."""
    ready = home.root / "cache" / "api-ready.json"
    ready.unlink(missing_ok=True)
    own = {
        "SHIELD_API_HOST": address.host,
        "SHIELD_API_PORT": str(address.port),
        "SHIELD_API_JWT_SECRET_FILE": str(home.keys / "jwt-secret"),
        "SHIELD_API_MESSAGE_KEYS": str(home.keys / "messages.json"),
        "SHIELD_API_READY_FILE": str(ready),
        "SHIELD_API_EMBEDDED": "true",
    }
    return Part(
        name="api",
        command=[sys.executable, "-m", "api"],
        environment=environment(home, address.url, {**own, **extra}),
        ready=lambda: _written(ready),
    )


def operator_part(home: Home, address: Address, extra: Mapping[str, str]) -> Part:
    """Return the rollout loop; it starts and stops the model servers."""
    ready = home.root / "cache" / "operator-ready.json"
    ready.unlink(missing_ok=True)
    own = {
        "SHIELD_API_TOKEN_FILE": str(home.operator_token),
        "SHIELD_OPERATOR_READY_FILE": str(ready),
        "SHIELD_SERVER_CACHE_DIR": str(home.root / "cache" / "packages"),
        "SHIELD_OPERATOR_LOG_DIR": str(home.logs),
    }
    return Part(
        name="operator",
        command=[sys.executable, "-m", "serving.operator.local"],
        environment=environment(home, address.url, {**own, **extra}),
        ready=lambda: _written(ready),
        stop_timeout_seconds=20.0,
    )


def _written(ready: Path) -> bool:
    """Tell whether a ready file is there and whole."""
    try:
        json.loads(ready.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return True
