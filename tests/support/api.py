"""A real API on a free port over a database of its own."""

import atexit
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import URL

from api.app import create_app, open_services
from api.kit.context import Services
from api.kit.joined import JoinedWrites
from api.kit.keyring import new_ring
from api.kit.tokens import mint
from api.migrate import migrate, upgrade
from api.settings import ApiSettings
from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.client import ShieldClient
from shield.rollouts import RolloutStore
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "a-secret-for-tests-only-0123456789abcdef"


@dataclass
class MovableClock:
    """A clock that a test can move on."""

    ahead_seconds: float = 0.0
    start: float = field(default_factory=time.time)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.ahead_seconds, UTC)

    def move_on(self, seconds: float) -> None:
        self.ahead_seconds += seconds


@dataclass(frozen=True)
class RunningApi:
    """An API that answers."""

    url: str
    artifacts_root: Path
    services: Services
    clock: MovableClock

    def token(self, subject: str, *roles: str) -> str:
        """Return a token of `subject`; without roles a plain user's."""
        return mint(
            SECRET, subject, roles or ("user",), now=self.clock(), lifetime_seconds=30 * 86400
        )

    @contextmanager
    def client(self, subject: str, *roles: str) -> Iterator[ShieldClient]:
        """Open a client that calls as `subject`."""
        with ShieldClient(self.url, self.token(subject, *roles)) as client:
            yield client


def settings_for(folder: Path, database_url: str | None = None, **changes: Any) -> ApiSettings:
    """Return settings of an API whose files lie in `folder`; rate limits are off."""
    folder.mkdir(parents=True, exist_ok=True)
    ring = folder / "messages.json"
    if not ring.exists():
        ring.write_text(new_ring(datetime.now(UTC)))
    values: dict[str, Any] = {
        "database_url": database_url or f"sqlite:///{folder}/shield.db",
        "jwt_secret": SECRET,
        "message_keys": ring,
        "rate_per_user": "",
        "rate_per_address": "",
        "rate_contests": "",
        "second_review_share": 0.0,
        "audit_sample_share": 0.0,
        "known_second_look_reports": 1_000_000,
        "rollouts": "table",
        "predict_timeout_seconds": PATIENCE_SECONDS,
    }
    return ApiSettings(**{**values, **changes})


@lru_cache(maxsize=1)
def _migrated_file() -> Path:
    path = Path(tempfile.mkdtemp(prefix="shield-template-")) / "shield.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    upgrade(f"sqlite:///{path}")
    return path


def prepared(url: URL) -> None:
    """Give a new SQLite database its schema by copying one that was migrated before.

    The migrations themselves run once per process, and have tests of their own.
    """
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        shutil.copyfile(_migrated_file(), url.database)


@contextmanager
def running_services(
    folder: Path,
    database_url: str | None = None,
    *,
    rollouts: RolloutStore | None = None,
    artifacts: ArtifactStore | None = None,
    clock: MovableClock | None = None,
    **changes: Any,
) -> Iterator[Services]:
    """Open the parts of an API over a migrated database, without a server."""
    settings = settings_for(folder, database_url, **changes)
    services = open_services(
        settings,
        artifacts=artifacts or open_store(folder / "artifacts"),
        rollouts=rollouts,
        clock=clock or MovableClock(),
    )
    prepared(services.engine.url)
    migrate(services.engine)
    try:
        yield services
    finally:
        services.engine.dispose()


@contextmanager
def running_api(
    folder: Path,
    database_url: str | None = None,
    *,
    rollouts: RolloutStore | None = None,
    artifacts: ArtifactStore | None = None,
    prepare: Callable[[Services], None] | None = None,
    **changes: Any,
) -> Iterator[RunningApi]:
    """Serve an API on a free port until the block ends."""
    clock = MovableClock()
    with running_services(
        folder, database_url, rollouts=rollouts, artifacts=artifacts, clock=clock, **changes
    ) as services:
        if prepare is not None:
            prepare(services)
        config = uvicorn.Config(
            create_app(services),
            host="127.0.0.1",
            port=0,
            http=JoinedWrites,  # as `python -m api` does
            proxy_headers=False,
            log_config=None,
            access_log=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        assert server.started, "the API did not start; see the log above"
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield RunningApi(f"http://127.0.0.1:{port}", folder / "artifacts", services, clock)
        finally:
            server.should_exit = True
            thread.join(timeout=10)
