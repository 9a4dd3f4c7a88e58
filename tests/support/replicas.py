"""Several real API processes over one PostgreSQL database, as replicas on a cluster."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.kit.tokens import mint
from api.migrate import upgrade
from shield.client import ShieldClient
from shield.rollouts.table import TableRolloutStore, rollout_engine
from tests.support.api import SECRET, settings_for
from tests.support.arms import deploy, model_server
from tests.support.postgres import new_migrated_database
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@dataclass(frozen=True)
class Replicas:
    """API processes that answer, and the database behind them."""

    urls: list[str]
    database_url: str
    processes: list["subprocess.Popen[bytes]"]
    start: Callable[[], None]
    """Starts one more."""

    def client(self, replica: int, subject: str, *roles: str) -> ShieldClient:
        """Return a client of one replica."""
        return self.at(replica).client(subject, *roles)

    def at(self, replica: int) -> "Replica":
        """Return one replica by itself."""
        return Replica(self.urls[replica])


@dataclass(frozen=True)
class Replica:
    """One API process among several."""

    url: str

    def token(self, subject: str, *roles: str) -> str:
        """Return a token of `subject`; without roles a plain user's."""
        return mint(
            SECRET, subject, roles or ("user",), now=datetime.now(UTC), lifetime_seconds=86400
        )

    def client(self, subject: str, *roles: str) -> ShieldClient:
        """Return a client that calls as `subject`."""
        return ShieldClient(self.url, self.token(subject, *roles))


@contextmanager
def replicas(
    folder: Path,
    number: int = 2,
    *,
    sqlite: bool = False,
    database_url: str | None = None,
    **changes: str,
) -> Iterator[Replicas]:
    """Serve so many replicas whose model finds a scam in whatever says `win`."""
    if database_url is None:
        database_url = f"sqlite:///{folder}/shield.db" if sqlite else new_migrated_database()
    if sqlite:
        upgrade(database_url)
    keys = settings_for(folder).message_keys
    with ExitStack() as stack:
        model = stack.enter_context(model_server())
        deploy(TableRolloutStore(rollout_engine(database_url)), model)
        world = Replicas([], database_url, [], lambda: start(len(world.urls)))

        def start(place: int) -> None:
            ready = folder / f"ready-{place}.json"
            environment = {
                **os.environ,
                "SHIELD_API_JWT_SECRET": SECRET,
                "SHIELD_API_MESSAGE_KEYS": str(keys),
                "SHIELD_DATABASE_URL": database_url,
                "SHIELD_ROLLOUTS": "table",
                "SHIELD_ARTIFACTS_ROOT": str(folder / "artifacts"),
                "SHIELD_API_PORT": "0",
                "SHIELD_API_MIGRATE": "false",
                "SHIELD_API_READY_FILE": str(ready),
                "SHIELD_API_RATE_PER_USER": "",
                "SHIELD_API_RATE_PER_ADDRESS": "",
                "SHIELD_API_RATE_CONTESTS": "",
                "SHIELD_API_RATE_READS_PER_USER": "",
                "SHIELD_API_SECOND_REVIEW_SHARE": "0",
                "SHIELD_API_KNOWN_SECOND_LOOK_REPORTS": "1000000",
                "SHIELD_API_LOG_LEVEL": "warning",
                **changes,
            }
            process = subprocess.Popen([sys.executable, "-m", "api"], env=environment)
            stack.callback(process.wait, timeout=PATIENCE_SECONDS)
            stack.callback(process.terminate)
            wait_until(ready.exists, process=process)
            world.processes.append(process)
            world.urls.append(f"http://127.0.0.1:{json.loads(ready.read_text())['port']}")

        for place in range(number):
            start(place)
        yield world
