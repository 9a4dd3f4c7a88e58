"""The lifecycle of a server: listen, load, warm up, serve, drain, stop."""

import asyncio
import gc
import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.server.connection import Connection, Front
from serving.server.engine import Engine
from serving.server.http import Limits
from serving.server.metrics import Metrics
from serving.server.repository import Repository, VersionSource
from serving.server.routes import Routes
from serving.server.settings import ServerSettings
from shield.errors import Misconfigured
from shield.packages.package import write_atomically

_POLL_SECONDS = 0.02
_OTHER_FILES = 128
"""Open files besides client connections: model files, connections to the store, logs."""


def log(event: str, **fields: Any) -> None:
    """Write one JSON line to stderr, never with a message's text."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
    print(json.dumps(line), file=sys.stderr, flush=True)  # noqa: T201 - this is the log


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 picks a free one.

    Raises:
        Misconfigured: The address is in use or not available on this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Stop the process that "
            "uses the port, or choose another with --port (0 picks a free one)."
        ) from error


@dataclass
class ModelServer:
    """The server of one process."""

    model_type: str
    source: VersionSource
    settings: ServerSettings
    listener: socket.socket
    ready_file: Path | None = None
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def port(self) -> int:
        """Return the listening port."""
        return int(self.listener.getsockname()[1])

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Raises:
            ShieldError: The model cannot be loaded; the server was never ready.
        """
        if self.ready_file is not None:
            # One that was killed has left its own behind: it says nothing about this one.
            self.ready_file.unlink(missing_ok=True)
        allow_open_files(self.settings.max_connections)
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        engine = Engine(
            self.settings.threads, self.settings.queue_rows, self.settings.precision, self.metrics
        )
        repository = Repository(self.model_type, self.settings, self.metrics, log)
        routes = Routes(
            repository,
            engine,
            self.metrics,
            self.settings,
            ready=lambda: not stopping.is_set(),
        )
        front = Front(
            routes,
            Limits(
                self.settings.max_body_bytes,
                self.settings.max_held_bytes,
                self.settings.max_connections,
                self.settings.request_timeout_seconds,
                self.settings.idle_timeout_seconds,
            ),
            log,
        )
        self.metrics.connections.set_function(lambda: len(front.connections))
        # Listening before the model is there: liveness can be probed while it loads.
        server = await loop.create_server(lambda: Connection(front), sock=self.listener)
        sweeper = asyncio.create_task(front.sweep())
        try:
            engine.start()
            if await self._load(repository, stopping):
                await stopping.wait()
                await self._drain(front, server)
        finally:
            sweeper.cancel()
            server.close()
            if self.ready_file is not None:
                self.ready_file.unlink(missing_ok=True)
            await loop.run_in_executor(None, engine.stop)

    async def _load(self, repository: Repository, stopping: asyncio.Event) -> bool:
        loading = asyncio.ensure_future(repository.load(self.source))
        stopped = asyncio.ensure_future(stopping.wait())
        await asyncio.wait({loading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not loading.done():
            loading.cancel()
            return False
        model = loading.result()
        # What was imported and loaded stays: the garbage collector need not look at it again, which
        # would hold up every request for some 30 ms now and then.
        gc.collect()
        gc.freeze()
        log(
            "ready",
            port=self.port,
            model=model.name,
            version=model.version,
            arm=model.arm,
            digest=model.digest,
            warmSeconds=round(model.warm_seconds, 3),
            threads=self.settings.threads,
        )
        if self.ready_file is not None:
            report = {"port": self.port, "pid": os.getpid(), "digest": model.digest}
            write_atomically(self.ready_file, json.dumps(report).encode())
        return True

    async def _drain(self, front: Front, server: asyncio.AbstractServer) -> None:
        """Answer further requests with `Connection: close`, and stop when all clients have left.

        New connections are accepted for a while, since routers may not know yet.
        """
        log("draining", connections=len(front.connections))
        front.draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + self.settings.drain_seconds
        while front.connections and loop.time() < until:
            await asyncio.sleep(_POLL_SECONDS)
        # Who is connected and not accepted yet would be reset. This resumes from a timer, which the
        # loop serves before it accepts: let it accept, and close at once after that.
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        front.close_idle()
        # What is still being answered has a deadline of its own; wait for it.
        until = loop.time() + 2 * self.settings.deadline_seconds + 1
        while front.connections and loop.time() < until:
            front.close_idle()
            await asyncio.sleep(_POLL_SECONDS)
        log("stopped", abandoned=front.busy)


def allow_open_files(connections: int) -> None:
    """Raise the limit of open files for the maximum number of connections, where permitted.

    The usual limit of 1024 would drop further connections without a response.
    """
    needed = connections + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < needed:
        log("too_few_open_files", allowed=most, wanted=needed)


def die_with_parent() -> None:
    """Have Linux send SIGTERM when the parent ends; no effect on other systems."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    with suppress(OSError):
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    # The parent may have gone before the call: then nobody would ever tell us.
    if os.getppid() == 1:
        raise SystemExit(0)
