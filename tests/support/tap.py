"""A proxy that a browser sends everything through, and that keeps what passed.

SOCKS 5 (RFC 1928): whatever opens a connection (a page, its service worker, the browser itself)
names host and port, and all that follows is bytes. Nothing a page or Playwright leaves out of its
events is missing here.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from playwright.sync_api import ProxySettings

_CHUNK = 65536
_NAME = 3
"""Address type of a host name."""


@dataclass
class Tap:
    """What has passed so far."""

    port: int
    hosts: set[str] = field(default_factory=set)
    """`host:port` of every connection that was asked for."""
    sent: bytearray = field(default_factory=bytearray)
    """All bytes that left the browser; pieces of simultaneous connections may alternate."""
    received_bytes: int = 0

    @property
    def proxy(self) -> ProxySettings:
        """The option `proxy` of a browser's context; without it loopback would pass it by."""
        return {"server": f"socks5://127.0.0.1:{self.port}", "bypass": "<-loopback>"}

    def sent_any(self, *texts: str) -> list[str]:
        """Return the texts whose first 20 characters left the browser."""
        return [text for text in texts if text.strip()[:20].encode() in self.sent]


@contextmanager
def tapped() -> Iterator[Tap]:
    """Run the proxy on a free port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    tap, alive = Tap(listener.getsockname()[1]), list[socket.socket]()
    threading.Thread(target=_accept, args=(listener, tap, alive), daemon=True).start()
    try:
        yield tap
    finally:
        for each in (listener, *alive):
            with suppress(OSError):
                each.close()


def _accept(listener: socket.socket, tap: Tap, alive: list[socket.socket]) -> None:
    with suppress(OSError):  # closed: the block has ended
        while True:
            client, _ = listener.accept()
            alive.append(client)
            threading.Thread(target=_serve, args=(client, tap, alive), daemon=True).start()


def _serve(client: socket.socket, tap: Tap, alive: list[socket.socket]) -> None:
    with client, suppress(OSError, EOFError):
        _, methods = _read(client, 2)
        _read(client, methods)
        client.sendall(b"\x05\x00")  # no sign-in
        _, _, _, kind = _read(client, 4)
        if kind == _NAME:
            host = _read(client, _read(client, 1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _read(client, size))
        (port,) = struct.unpack(">H", _read(client, 2))
        tap.hosts.add(f"{host}:{port}")
        try:
            server = socket.create_connection((host, port), timeout=10)
        except OSError:
            client.sendall(b"\x05\x05\x00\x01" + bytes(6))  # refused
            return
        server.settimeout(None)
        alive.append(server)
        with server:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            back = threading.Thread(target=_answers, args=(server, client, tap), daemon=True)
            back.start()
            while data := client.recv(_CHUNK):
                tap.sent += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            back.join()


def _answers(server: socket.socket, client: socket.socket, tap: Tap) -> None:
    with suppress(OSError):
        while data := server.recv(_CHUNK):
            tap.received_bytes += len(data)
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def _read(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
