"""The data directory: everything that one installation keeps, in one place.

    <home>/
      VERSION          layout number; a newer one is refused, never guessed at
      lock             held by the process that runs the services
      server.json      where the running services answer; removed when they stop
      shield.db        SQLite, WAL
      artifacts/       packages, batches, datasets, reports
      keys/            signing key, trusted keys, message keys, token secret (all 0600)
      runs/<run id>/   working files of pipeline runs
      logs/            one file per process
      cache/           packages unpacked for serving; may be deleted at any time

Every file appears whole (temporary name, then rename or link), so a process killed at any moment
leaves a directory that the next start can use.
"""

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shield.errors import Misconfigured, Unavailable

LAYOUT = 1
"""Raised when a directory of this version cannot be used by an older one."""


def default_home() -> Path:
    """Return `SHIELD_HOME`, else `antispam-shield` in the user's data folder (XDG)."""
    if named := os.environ.get("SHIELD_HOME"):
        return Path(named).expanduser()
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "antispam-shield"


def default_cache() -> Path:
    """Return the user's cache folder (XDG) for what can be made again, such as base models."""
    if named := os.environ.get("SHIELD_CACHE"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "antispam-shield"


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_once(path: Path, content: bytes, *, mode: int = 0o600) -> bytes:
    """Write a file unless it exists, and return what it now holds.

    Two first starts at once agree: the second one reads what the first has linked.
    """
    if path.exists():
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path.read_bytes()


@dataclass(frozen=True)
class Home:
    """A data directory that this version may use."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "Home":
        """Return the data directory at `root`, making it when there is none.

        Raises:
            Misconfigured: It was made by a newer version, is no data directory, or is not writable.
        """
        root = root.expanduser().absolute()
        stamp = root / "VERSION"
        try:
            if root.exists() and not root.is_dir():
                raise Misconfigured(f"{root} is a file. Name a directory with --data-dir.")
            # A first start that was killed leaves at most a temporary VERSION file.
            strange = root.is_dir() and any(
                not entry.name.startswith(".VERSION.") for entry in root.iterdir()
            )
            if strange and not stamp.exists():
                raise Misconfigured(
                    f"{root} holds files but no VERSION file, so it is not a data directory. "
                    "Name an empty or new one with --data-dir."
                )
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            written = write_once(stamp, f"{LAYOUT}\n".encode(), mode=0o644).decode().strip()
            for folder in ("artifacts", "keys", "runs", "logs", "cache"):
                (root / folder).mkdir(exist_ok=True, mode=0o700)
        except PermissionError as error:
            raise Misconfigured(
                f"The data directory {root} cannot be written ({error.strerror}). "
                "Change its owner or name another with --data-dir."
            ) from error
        if not written.isdecimal():
            raise Misconfigured(
                f"{stamp} says {written[:40]!r}, which is no layout number. "
                "Restore the directory from a backup or name another with --data-dir."
            )
        if int(written) > LAYOUT:
            raise Misconfigured(
                f"The data directory {root} was made by a newer version (layout {written}; "
                f"this one knows up to {LAYOUT}). Upgrade antispam-shield, or name another "
                "directory with --data-dir."
            )
        return cls(root)

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the embedded database."""
        return f"sqlite:///{self.root / 'shield.db'}"

    @property
    def artifacts(self) -> Path:
        """Root of the artifact store."""
        return self.root / "artifacts"

    @property
    def logs(self) -> Path:
        """Log files, one per process."""
        return self.root / "logs"

    @property
    def keys(self) -> Path:
        """Secrets; nobody but the owner reads them."""
        return self.root / "keys"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Hold the directory for as long as the services run.

        The kernel gives the lock back when the process dies, however it dies.

        Raises:
            Misconfigured: Another process runs services on this directory.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise Misconfigured(
                    f"Another shieldctl (process {holder}) already runs on {self.root}. "
                    "Stop it first, or name another directory with --data-dir."
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            # What an earlier process left behind when it was killed is not where we answer.
            (self.root / "server.json").unlink(missing_ok=True)
            try:
                yield
            finally:
                (self.root / "server.json").unlink(missing_ok=True)
                file.truncate(0)

    def announce(self, url: str) -> None:
        """Write down where the services answer, for commands in other terminals."""
        content = {"url": url, "pid": os.getpid(), "since": datetime.now(UTC).isoformat()}
        write_whole(self.root / "server.json", json.dumps(content).encode())

    def announced(self) -> dict[str, Any] | None:
        """Return what the running services announced, or `None` when none run here."""
        path = self.root / "server.json"
        if not path.exists():
            return None
        announcement: dict[str, Any] = json.loads(path.read_text())
        return announcement

    def url(self) -> str:
        """Return the URL of the services that run here.

        Raises:
            Unavailable: None do.
        """
        running = self.announced()
        if running is None:
            raise Unavailable(f"No services run on {self.root}. Start them with `shieldctl up`.")
        return str(running["url"])

    def make_keys(self) -> None:
        """Make the keys of this installation, those that are missing."""
        from api.kit import keyring
        from shield.packages import generate_key

        self.jwt_secret()
        write_once(self.keys / "messages.json", keyring.new_ring(datetime.now(UTC)).encode())
        if self.signing_key.exists():
            return
        pair = generate_key()
        # Trust first: killed in between, there is a trusted key too many, never one too few.
        write_once(self.trusted_keys / f"{pair.key_id}.pem", pair.public_pem)
        write_once(self.signing_key, pair.private_pem)

    @property
    def signing_key(self) -> Path:
        """Private key that signs this installation's model packages."""
        return self.keys / "signing.pem"

    @property
    def trusted_keys(self) -> Path:
        """Directory of the public keys whose packages are loaded."""
        return self.keys / "trusted"

    @property
    def pipeline_token(self) -> Path:
        """File with the token of the retraining; written anew while the services run."""
        return self.keys / "pipeline-token"

    @property
    def operator_token(self) -> Path:
        """File with the token of the operator; written anew while the services run."""
        return self.keys / "operator-token"

    @property
    def former_token(self) -> Path:
        """File in which earlier releases kept one token for both."""
        return self.keys / "service-token"

    def jwt_secret(self) -> str:
        """Return the secret that signs this installation's tokens, made on first use."""
        made = secrets.token_urlsafe(48).encode()
        return write_once(self.keys / "jwt-secret", made).decode()
