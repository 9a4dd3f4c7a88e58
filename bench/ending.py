"""How a benchmark ends when it is stopped: with the servers that it has started."""

import signal
import subprocess
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_SECONDS = 30


def end_in_order() -> None:
    """End by `SystemExit` when stopped, so that every `with` and `finally` ends what it started.

    By itself Python dies of SIGTERM and SIGHUP at once. A second signal is ignored: it would
    interrupt what ends the servers.
    """

    def end(number: int, _: FrameType | None) -> None:
        for each in _STOPS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for each in _STOPS:
        signal.signal(each, end)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask a server to end; kill it if it does not."""
    process.terminate()
    try:
        process.wait(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
