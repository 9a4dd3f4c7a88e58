"""What every command shares: the data directory, the server to talk to, and the terminal."""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.console import Terminal
from cli.home import Home, default_home
from shield.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from shield.client import ShieldClient

COMMAND_TOKEN_SECONDS = 900.0
"""A command's own token outlives the command, not the day."""


@dataclass
class Session:
    """One invocation of `shieldctl`."""

    data_dir: Path | None
    """Where everything is kept, if the user has said so."""
    api_url: str | None
    token: str | None
    terminal: Terminal

    @property
    def root(self) -> Path:
        """Return the data directory's path."""
        return (self.data_dir or default_home()).expanduser()

    def home(self) -> Home:
        """Open the data directory, making it when there is none."""
        return Home.open(self.root)

    def own_token(self, roles: Sequence[str] = ("admin", "reviewer")) -> str:
        """Return the token of this command: the one given, or one signed here with `roles`.

        Raises:
            Misconfigured: A server was named, but no token for it.
        """
        if self.api_url:
            return self._given_token()
        return self.token or mint(self.home(), who(), roles, lifetime_seconds=COMMAND_TOKEN_SECONDS)

    def client(self, roles: Sequence[str] = ("admin", "reviewer")) -> "ShieldClient":
        """Return a client of the server that is meant; `roles` are those of a token made here.

        That is `--api-url` with its token, else the services that run on the data directory.

        Raises:
            Unavailable: Nothing runs on the data directory and no server was named.
            Misconfigured: A server was named, but no token for it.
        """
        from shield.client import ShieldClient

        if self.api_url:
            return ShieldClient(self.api_url, self.own_token())
        running = Home.open(self.root).announced() if (self.root / "VERSION").exists() else None
        if running is None:
            raise Unavailable(
                f"No services run on {self.root}. Start them with `shieldctl up`, "
                "or name a server with --api-url."
            )
        return ShieldClient(str(running["url"]), self.own_token(roles))

    def _given_token(self) -> str:
        if self.token:
            return self.token
        if named := os.environ.get("SHIELD_API_TOKEN_FILE"):
            from shield.environment import read_secret

            return read_secret(Path(named), "SHIELD_API_TOKEN_FILE")
        raise Misconfigured(
            f"{self.api_url} wants a token. Give one with --token, SHIELD_API_TOKEN or "
            "SHIELD_API_TOKEN_FILE; `shieldctl token create` makes one where the server runs."
        )


def session_of(context: typer.Context) -> Session:
    """Return the session that the root command has made."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


def mint(home: Home, subject: str, roles: Sequence[str], *, lifetime_seconds: float) -> str:
    """Sign a token that the services of `home` accept."""
    from api.kit import tokens

    now = datetime.now(UTC)
    return tokens.mint(
        home.jwt_secret(), subject, roles, now=now, lifetime_seconds=lifetime_seconds
    )


def who() -> str:
    """Return the name under which commands of this person are written into the audit log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        return f"uid-{os.getuid()}"
