"""Serve the API: `python -m api`, by one process or by several (`SHIELD_API_WORKERS`)."""

import gc
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from api.app import create_app, open_services
from api.kit.joined import JoinedWrites
from api.kit.logs import configure
from api.migrate import migrate
from api.settings import ApiSettings
from shield import reasons
from shield.errors import Misconfigured, ShieldError

_OBJECTS_PER_COLLECTION = 10_000


def _tell(ready_file: Path | None, port: int) -> None:
    """Write the ready file atomically."""
    if ready_file is not None:
        part = ready_file.with_suffix(".part")
        part.write_text(json.dumps({"port": port}))
        part.replace(ready_file)


class _Server(uvicorn.Server):
    """Uvicorn's server; writes the ready file once it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready_file: Path | None, port: int) -> None:
        super().__init__(config)
        self._ready_file = ready_file
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the ready file."""
        await super().startup(sockets=sockets)
        if self.started:
            _tell(self._ready_file, self._port)


class _Workers(Multiprocess):
    """Uvicorn's supervisor of worker processes on one socket; replaces those that die."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, ready: Path | None) -> None:
        super().__init__(config, sockets=[listener])
        self._ready_file = ready
        self.started = False

    def init_processes(self) -> None:
        """Start all, then write the ready file."""
        super().init_processes()
        self.started = all(self._answers(process) for process in self.processes)
        if self.started:
            _tell(self._ready_file, self.sockets[0].getsockname()[1])

    def _answers(self, worker: Process) -> bool:
        """Wait until a worker serves; give up when it dies or when a stop is requested."""
        while not self.signal_queue and worker.process.is_alive():
            if worker.is_ready(timeout=1):
                return True
            time.sleep(0.1)
        return False


def application() -> FastAPI:
    """Create the application of one worker process from the environment's settings."""
    settings = ApiSettings()
    configure(settings.log_level)
    _prepare()
    return create_app(open_services(settings))


def _prepare() -> None:
    """Load in the background what the first explanation of a verdict needs, then settle."""

    def work() -> None:
        reasons.prepare()
        settle()

    settle()
    threading.Thread(target=work, name="reasons", daemon=True).start()


def settle() -> None:
    """Let the garbage collector look no more at what lives as long as the process.

    A request makes hundreds of objects and no cycles: looking for some at every 700 objects, and
    through all modules and tables now and then, took a fifteenth of the processor.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024, reuse_port=False)
    except OSError as fault:
        raise Misconfigured(
            f"{host}:{port} cannot be listened on ({fault.strerror}). "
            "Choose another SHIELD_API_PORT; 0 picks a free one."
        ) from fault


def _config(app: FastAPI | str, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=JoinedWrites,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        server_header=False,
        proxy_headers=False,
        **more,
    )


def _serve_by_workers(settings: ApiSettings, listener: socket.socket) -> bool:
    """Serve until stopped; return whether all workers started."""
    # The counters of all processes: each writes its own files, each answers with the sum.
    counters = tempfile.mkdtemp(prefix="shield-api-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters
    try:
        config = _config("api.__main__:application", factory=True, workers=settings.workers)
        workers = _Workers(config, listener, settings.ready_file)
        workers.run()
    finally:
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
        shutil.rmtree(counters, ignore_errors=True)
    return workers.started


def main() -> int:
    """Serve until stopped; finish the requests in flight."""
    try:
        settings = ApiSettings()
        configure(settings.log_level)
        settings.check_workers()
        services = open_services(settings)
        if settings.migrate:
            migrate(services.engine)
        listener = _listen(settings.host, settings.port)
        app = create_app(services)
    except ShieldError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    if settings.workers == 1:
        _prepare()
    else:
        services.engine.dispose()  # the workers open their own
        return 0 if _serve_by_workers(settings, listener) else 1
    server = _Server(_config(app), settings.ready_file, listener.getsockname()[1])
    server.run(sockets=[listener])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
