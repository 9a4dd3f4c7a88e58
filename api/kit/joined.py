"""Send the head and the body of an answer in one packet.

Uvicorn writes the head of an answer, then its body, and uvloop hands each to the system at once:
two system calls, and two packets that wake the client twice. Together they are a seventh of what a
scan costs.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_BYTES = 65536
"""Bytes that wait for the loop to turn."""


class JoinedWrites(HttpToolsProtocol):
    """Uvicorn's protocol on a transport that sends what is written in one turn of the loop at once.

    What is written leaves in the same order, before the connection is closed or upgraded.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put a joining transport between the connection and its writers."""
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]


class _Joining:
    """A transport whose writes of one turn of the loop are one write. All else is passed on."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send `data` together with what else is written before the loop turns."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > _MOST_BYTES:  # so that a slow client slows down who writes
            self._flush()

    def close(self) -> None:
        """Close the connection after what was written."""
        self._flush()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the connection to another protocol, which writes to this transport too."""
        self._flush()
        self._transport.set_protocol(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self._transport.is_closing():
            self._transport.writelines(waiting)
