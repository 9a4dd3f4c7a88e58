"""Serve the API: `python -m api`."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import uvicorn

from api.app import create_app, open_services
from api.kit.logs import configure
from api.migrate import migrate
from api.settings import ApiSettings
from shield.errors import Misconfigured, ShieldError


class _Server(uvicorn.Server):
    """Tells where it listens once it answers."""

    def __init__(self, config: uvicorn.Config, ready_file: Path | None, port: int) -> None:
        super().__init__(config)
        self._ready_file = ready_file
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the ready file (atomically: nobody reads half of it)."""
        await super().startup(sockets=sockets)
        if self._ready_file is not None and self.started:
            part = self._ready_file.with_suffix(".part")
            part.write_text(json.dumps({"port": self._port}))
            part.replace(self._ready_file)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=1024, reuse_port=False)
    except OSError as fault:
        raise Misconfigured(
            f"{host}:{port} cannot be listened on ({fault.strerror}). "
            "Choose another SHIELD_API_PORT; 0 picks a free one."
        ) from fault


def main() -> int:
    """Run until stopped; requests in flight are finished."""
    try:
        settings = ApiSettings()
        configure(settings.log_level)
        services = open_services(settings)
        if settings.migrate:
            migrate(services.engine)
        listener = _listen(settings.host, settings.port)
        app = create_app(services)
    except ShieldError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        server_header=False,
        proxy_headers=False,
    )
    server = _Server(config, settings.ready_file, listener.getsockname()[1])
    asyncio.run(server.serve(sockets=[listener]))
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
