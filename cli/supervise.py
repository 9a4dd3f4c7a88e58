"""The processes of one machine: start in order, wait until ready, restart what dies, stop in order.

Each child is the leader of its own process group, so that Ctrl-C in a terminal reaches only us and
we stop the parts in the order that loses nothing: last started, first stopped. A child is tied to
our life by `cli.leash`. Everything happens in the caller's thread.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from shield.errors import Misconfigured, Unavailable

_POLL_SECONDS = 0.05
_FASTEST_RESTART_SECONDS = 0.5
_SLOWEST_RESTART_SECONDS = 30.0
_STEADY_SECONDS = 60.0
"""A part that ran this long starts again at once after a fault."""


@dataclass(frozen=True)
class Part:
    """One long-running process."""

    name: str
    """Also the name of its log file."""
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    """Tells whether the part answers; asked every 50 ms after the start."""
    ready_timeout_seconds: float = 300.0
    """A part that still runs may be starting on a busy machine; one that has ended is told of at
    once."""
    stop_timeout_seconds: float = 10.0
    """After SIGTERM; then the whole process group is killed."""


def spawn(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    cwd: Path,
    answer: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, tied to our life.

    Its output is added to `log`; with `answer`, its stdout goes into that file instead. Call it
    from a thread that lives as long as the child should: the kernel counts the death of the thread
    that started it as the death of the parent.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    leash = [sys.executable, "-m", "cli.leash", str(os.getpid()), *command]
    with contextlib.ExitStack() as files:
        errors = files.enter_context(log.open("ab"))
        output = files.enter_context(answer.open("wb")) if answer else errors
        return subprocess.Popen(
            leash,
            # Never import from the working directory.
            env={**environment, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=cwd,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], timeout_seconds: float) -> None:
    """Ask a process to end, wait, then kill whatever is left of its group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout_seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    faults: int = 0
    due: float | None = None
    """When to start it again, on the clock of `time.monotonic`."""


@dataclass
class Supervisor:
    """Keeps parts running until told to stop."""

    logs: Path
    cwd: Path
    on_event: Callable[[str], None]
    """Called with a sentence for whoever watches: a part has died, is started again."""
    _running: list[_Running] = field(default_factory=list)

    def start(self, part: Part) -> None:
        """Start a part and wait until it is ready.

        Raises:
            Misconfigured: It ended before it was ready; the message holds its log's last line.
            Unavailable: It did not become ready in time.
        """
        process = spawn(part.command, part.environment, self.log(part.name), self.cwd)
        # Known before it is ready: an interrupt while we wait must stop it too.
        self._running.append(_Running(part, process, time.monotonic()))
        deadline = time.monotonic() + part.ready_timeout_seconds
        while not part.ready():
            if process.poll() is not None:
                raise Misconfigured(
                    f"{part.name} could not start: {self.last_words(part.name)} "
                    f"(its log: {self.log(part.name)})"
                )
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{part.name} was not ready after {part.ready_timeout_seconds:.0f} s. "
                    f"Look into {self.log(part.name)}, then try again."
                )
            time.sleep(_POLL_SECONDS)

    def tend(self) -> None:
        """Start again what has died, with growing pauses. Call it often."""
        now = time.monotonic()
        for running in self._running:
            name = running.part.name
            if running.due is None and (code := running.process.poll()) is not None:
                stop(running.process, 0)  # what is left of its group
                steady = now - running.started > _STEADY_SECONDS
                running.faults = 1 if steady else running.faults + 1
                pause = min(
                    _FASTEST_RESTART_SECONDS * 2 ** (running.faults - 1), _SLOWEST_RESTART_SECONDS
                )
                running.due = now + pause
                self.on_event(
                    f"{name} ended ({_how(code)}): {self.last_words(name)} "
                    f"Starting it again in {pause:.0f} s."
                )
            elif running.due is not None and now >= running.due:
                part = running.part
                running.process = spawn(
                    part.command, part.environment, self.log(part.name), self.cwd
                )
                running.started, running.due = now, None
                self.on_event(f"{name} was started again (process {running.process.pid}).")

    def stop(self) -> None:
        """Stop all parts, last started first. Safe to call twice."""
        while self._running:
            running = self._running[-1]
            stop(running.process, running.part.stop_timeout_seconds)
            self._running.pop()

    def log(self, name: str) -> Path:
        """Return the log file of a part."""
        return self.logs / f"{name}.log"

    def last_words(self, name: str) -> str:
        """Return the last line of a part's log that says something."""
        lines = self.log(name).read_text(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")


@contextlib.contextmanager
def supervised(logs: Path, cwd: Path, on_event: Callable[[str], None]) -> Iterator[Supervisor]:
    """Yield a supervisor; whatever happens, its parts are stopped on the way out."""
    supervisor = Supervisor(logs, cwd, on_event)
    with interruptible():
        try:
            yield supervisor
        finally:
            # A second Ctrl-C must not leave half of the parts behind.
            with _ignoring(signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                supervisor.stop()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into `KeyboardInterrupt`, so that one path stops all."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT too: a shell that starts us in the background has it ignored.
    before = {
        number: signal.signal(number, interrupt)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ignoring(*numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
