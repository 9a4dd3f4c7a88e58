"""An API process that is started again when it has died, over a database that can be broken."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from api.kit.context import Services
from api.kit.tokens import mint
from bench.faults.ledger import Phones
from tests.support.api import SECRET, running_services
from tests.support.ports import free_ports
from tests.support.waiting import wait_until

_LOOK_SECONDS = 0.02


class Stage:
    """`python -m api` on a port that stays, kept alive as a kubelet does: again at once."""

    def __init__(self, folder: Path, services: Services, changes: Mapping[str, str]) -> None:
        self.folder, self.services = folder, services
        self.port = free_ports(1)[0]
        self.filling = threading.Lock()
        self._ready = folder / "ready.json"
        self._ending, self._held = threading.Event(), threading.Event()
        self._environment = {
            **os.environ,
            "SHIELD_API_JWT_SECRET": SECRET,
            "SHIELD_API_MESSAGE_KEYS": str(services.settings.message_keys),
            "SHIELD_DATABASE_URL": services.settings.database_url,
            "SHIELD_ROLLOUTS": "table",
            "SHIELD_ARTIFACTS_ROOT": str(folder / "artifacts"),
            "SHIELD_API_PORT": str(self.port),
            "SHIELD_API_MIGRATE": "false",
            "SHIELD_API_READY_FILE": str(self._ready),
            "SHIELD_API_RATE_PER_USER": "",
            "SHIELD_API_RATE_PER_ADDRESS": "",
            "SHIELD_API_LOG_LEVEL": "warning",
            **changes,
        }
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def kill(self) -> None:
        """Kill the process that answers, without a warning."""
        self._ready.unlink(missing_ok=True)
        os.kill(self.process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it answers."""
        wait_until(self._ready.exists)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Keep it dead within the block."""
        self._held.set()
        self.kill()
        self.process.wait()
        try:
            yield
        finally:
            self._held.clear()

    def phones(self) -> Phones:
        """Return where phones report."""
        return Phones("127.0.0.1", lambda: self.port, self.services, _token, self.filling)

    def begin(self) -> None:
        """Wait until it answers, and look after it from now on."""
        self.wait()
        self._keeper.start()

    def end(self) -> None:
        """Stop it for good."""
        self._ending.set()
        self._keeper.join()
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=20)
        self.process.kill()

    def _start(self) -> "subprocess.Popen[bytes]":
        with (self.folder / "api.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "api"], env=self._environment, stdout=log, stderr=log
            )

    def _keep(self) -> None:
        while not self._ending.is_set():
            if self.process.poll() is not None and not self._held.is_set():
                self.process = self._start()
            time.sleep(_LOOK_SECONDS)


@contextmanager
def stage(folder: Path, database_url: str | None = None, **changes: str) -> Iterator[Stage]:
    """Yield a stage that answers. Its files lie in `folder`."""
    with running_services(folder, database_url) as services:
        place = Stage(folder, services, changes)
        try:
            place.begin()
            yield place
        finally:
            place.end()


def _token(subject: str) -> str:
    now = datetime.now(UTC)
    return mint(SECRET, subject, ("user",), now=now, lifetime_seconds=30 * 86400)
