"""Clients that cost next to nothing: requests written beforehand, answers read by their length.

The benchmark's clients share two cores with what is measured. A comfortable HTTP client takes as
much of them per request as the API does, where pgbench's take next to nothing.
"""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Sent:
    """What all clients together have seen."""

    seconds: float = 0.0
    """From the first request to the last answer."""
    took: list[float] = field(default_factory=list)
    """Seconds of each answer."""


def request(path: str, token: str, body: bytes, key: str) -> bytes:
    """Return one POST as it travels."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(url: str, requests: Sequence[Sequence[bytes]], seconds: float, status: int = 201) -> Sent:
    """Let each client send its requests one after the other, until the time is over.

    Raises:
        SystemExit: An answer had another status, or a client ran out of requests.
    """
    sent, faults = Sent(), list[str]()
    gate = threading.Barrier(len(requests) + 1)

    def work(mine: Sequence[bytes]) -> None:
        try:
            took = _client(url, mine, seconds, gate, status)
        except (OSError, ValueError) as fault:
            faults.append(str(fault))
        else:
            sent.took += took

    threads = [threading.Thread(target=work, args=(mine,)) for mine in requests]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.monotonic()
    for thread in threads:
        thread.join()
    sent.seconds = time.monotonic() - started
    if faults:
        raise SystemExit(faults[0])
    return sent


def _client(
    url: str, mine: Sequence[bytes], seconds: float, gate: threading.Barrier, status: int
) -> list[float]:
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    took: list[float] = []
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        gate.wait()
        until = time.monotonic() + seconds
        for one in mine:
            started = time.monotonic()
            if started > until:
                return took
            connection.sendall(one)
            _answer(connection, status)
            took.append(time.monotonic() - started)
    raise ValueError("A client ran out of requests: the server is faster than was prepared.")


def _answer(connection: socket.socket, status: int) -> None:
    """Read one answer. Raises `ValueError` when its status is another."""
    read = b""
    while (end := read.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            raise ValueError("the API closed the connection")
        read += more
    head = read[:end].lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(read) < end + 4 + length:
        read += connection.recv(65536)
    if not head.startswith(b"http/1.1 %d" % status):
        raise ValueError(read.decode("utf-8", "replace")[:500])
