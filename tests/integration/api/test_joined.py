"""Answers leave in one packet, whole and in order, as uvicorn's own protocol sends them."""

import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from api.kit.joined import JoinedWrites
from tests.support.waiting import PATIENCE_SECONDS, wait_until

LARGE = 3_000_000


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the path, `/large` with many pieces."""
    if scope["type"] != "http":
        raise ValueError("no lifespan")
    pieces = [b"x" * 10_000] * (LARGE // 10_000) if scope["path"] == "/large" else [b"said "]
    pieces.append(scope["path"].encode())
    length = str(sum(map(len, pieces))).encode()
    head = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    for at, piece in enumerate(pieces):
        last = at == len(pieces) - 1
        await send({"type": "http.response.body", "body": piece, "more_body": not last})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(answer, port=0, http=JoinedWrites, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        yield connection


def asked(path: str, *more: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *more, "", ""]).encode()


def until(line: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end) and (more := line.recv(1 << 20)):
        read += more
    return read


def packets(line: socket.socket) -> int:
    """Return how many segments with data have come: `tcpi_data_segs_in` of `linux/tcp.h`."""
    known = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return int.from_bytes(known[152:156], sys.byteorder)


def test_head_and_body_are_one_packet(line: socket.socket) -> None:
    for number in range(20):
        line.sendall(asked(f"/{number}"))
        assert until(line, f"said /{number}".encode()).startswith(b"HTTP/1.1 200")
    assert packets(line) == 20


def test_pipelined_requests_are_answered_in_order(line: socket.socket) -> None:
    line.sendall(b"".join(asked(f"/{number}") for number in range(50)))
    read = until(line, b"said /49")
    assert [part.split(b"HTTP")[0] for part in read.split(b"said ")[1:]] == [
        f"/{number}".encode() for number in range(50)
    ]


def test_a_connection_is_closed_behind_its_last_answer(line: socket.socket) -> None:
    line.sendall(asked("/last", "Connection: close"))
    assert until(line, b"never").endswith(b"said /last")


def test_a_large_answer_arrives_whole_at_a_slow_client(line: socket.socket) -> None:
    line.sendall(asked("/large") + asked("/after"))
    read = b""
    while not read.endswith(b"said /after"):
        read += line.recv(20_000)
    body = read.split(b"\r\n\r\n", 1)[1]
    assert body[: LARGE + 6] == b"x" * LARGE + b"/large"


def test_a_client_that_leaves_disturbs_no_other(port: int, line: socket.socket) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as leaving:
            leaving.sendall(asked("/large") * 3)
    line.sendall(asked("/still"))
    assert until(line, b"said /still")


def test_what_is_no_request_is_refused_whole(line: socket.socket) -> None:
    line.sendall(b"nonsense\r\n\r\n")
    read = until(line, b"never")
    assert read.startswith(b"HTTP/1.1 400")
    assert read.endswith(b"Invalid HTTP request received.")
