"""One model server as a child process: start, watch, restart and retire it."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from serving.operator.state import ServerSeen

PACKAGE_REFUSED = 65
"""Exit status (`EX_DATAERR`) of a model server whose package must never be served."""

STORE_AWAY = 69
"""Exit status (`EX_UNAVAILABLE`) of a server that could not reach the artifact store."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30.0
_FORGIVEN_AFTER_SECONDS = 600.0  # a crash so long after the start is not one of a series
_NUMBERS = itertools.count(1)  # no two starts of this process share a ready file
_TETHER = Path(__file__).with_name("tether.py")


class ServerProcess:
    """A model server process that is kept running until it is retired.

    Call `look` repeatedly: it detects changes and does the due work. All calls must come from one
    long-lived thread, to which the child is tied.

    Args:
        command: Command to run; `--ready-file` with its path is appended.
        environment: Environment of the child.
        log: File to which the output is appended.
        ready_dir: Folder of ready files, used by this process only, so that none is stale.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        ready_dir: Path,
        clock: Callable[[], float],
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._ready_dir = ready_dir
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._ready_file: Path | None = None
        self._started_at = 0.0
        self._start_at = clock()
        self._log_from = 0
        self._retire_at: float | None = None
        self._kill_at: float | None = None
        self._ready = False
        self._url: str | None = None
        self._crashes = 0
        self._waits = 0
        self._refusal: str | None = None

    @property
    def seen(self) -> ServerSeen:
        """State of the server as of the latest `look`."""
        return ServerSeen(self._ready, self._url, self._crashes, self._refusal)

    @property
    def steady(self) -> bool:
        """Whether the server answered at the latest `look` and is not retired."""
        return self._ready and self._retire_at is None

    @property
    def gone(self) -> bool:
        """Whether the server was retired and has ended."""
        return self._retire_at is not None and self._process is None

    @property
    def pid(self) -> int | None:
        """Process id of the running process, or `None`."""
        return self._process.pid if self._process else None

    def keep(self) -> None:
        """Cancel the retirement."""
        if self._kill_at is None:  # once it was told to end, it will: a new one must be started
            self._retire_at = None

    def retire(self, drain_seconds: float) -> None:
        """End the server after `drain_seconds`, in which it still answers."""
        if self._retire_at is None:
            self._retire_at = self._clock() + drain_seconds

    @property
    def leaving(self) -> bool:
        """Whether the server was told to end."""
        return self._kill_at is not None

    def look(self, grace_seconds: float = 10.0) -> None:
        """Detect the end or readiness of the process; start, restart or end it when due."""
        now = self._clock()
        if self._process is not None and self._process.poll() is not None:
            self._ended(self._process.returncode, now)
        if self._process is None:
            if self._retire_at is None and self._refusal is None and now >= self._start_at:
                self._start(now)
            return
        if not self._ready:
            self._read_ready_file()
        if self._retire_at is not None and now >= self._retire_at and self._kill_at is None:
            self._process.terminate()
            self._kill_at = now + grace_seconds
        elif self._kill_at is not None and now >= self._kill_at:
            self._process.kill()

    def stop(self, grace_seconds: float) -> None:
        """End the process now and wait for it."""
        self._retire_at = self._clock()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process, self._ready = None, False

    def _start(self, now: float) -> None:
        self._ready_file = self._ready_dir / f"{self._log.stem}-{next(_NUMBERS)}.json"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._log_from = log.tell()
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-S", str(_TETHER), str(os.getpid())),
                    *self._command,
                    *("--ready-file", str(self._ready_file)),
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the operator, which then ends its servers
            )
        self._started_at = now

    def _read_ready_file(self) -> None:
        assert self._ready_file is not None
        try:
            port = int(json.loads(self._ready_file.read_text())["port"])
        except (OSError, ValueError, KeyError):  # not there yet, or half written
            return
        self._url, self._ready, self._waits = f"http://127.0.0.1:{port}", True, 0

    def _ended(self, code: int, now: float) -> None:
        self._process, self._ready = None, False
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
        if self._retire_at is not None:
            return
        if code == PACKAGE_REFUSED:
            self._refusal = self._last_words()
            return
        if code == STORE_AWAY:  # an outage of the store is no fault of the version: try again
            self._waits += 1
            self._start_at = now + _pause(self._waits)
            return
        forgiven = now - self._started_at > _FORGIVEN_AFTER_SECONDS
        self._crashes = 1 if forgiven else self._crashes + 1
        self._start_at = now + _pause(self._crashes)

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_from)
            lines = log.read()[-4096:].decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "The model server refused the package."


def _pause(ends: int) -> float:
    """Return the pause before a restart after a number of consecutive ends."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(ends - 1, 10), _LONGEST_PAUSE_SECONDS)
