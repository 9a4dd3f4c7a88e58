"""Asking model servers over kept connections."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from api.rollouts.wire import ModelClient
from tests.support.ports import free_ports

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def asked(serve: Serve, times: int = 1, timeout_seconds: float = 30) -> list[tuple[int, bytes]]:
    """Return the answers of a server that treats each connection so."""

    async def ask() -> list[tuple[int, bytes]]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/predict"
        client = ModelClient(timeout_seconds, 30)
        answers = [await client.post(url, b'{"texts": ["hello"]}') for _ in range(times)]
        client.close()
        server.close()
        return answers

    return asyncio.run(ask())


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_is_made_anew() -> None:
    connections = list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        for _ in range(2):  # then it hangs up, without a word in its answer
            try:
                said = await _request(reader)
            except asyncio.IncompleteReadError:
                break
            assert said.startswith(b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1:")
            assert said.endswith(b'{"texts": ["hello"]}')
            writer.write(ANSWER[:20])
            await writer.drain()
            writer.write(ANSWER[20:])
        writer.close()

    assert asked(serve, times=5) == [(200, b"{}")] * 5
    assert len(connections) == 3


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", (200, b"to the end")),
        (
            b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            (503, b"abc"),
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal", httpx.RemoteProtocolError),
        (b"", httpx.RemoteProtocolError),
        (b"SSH-2.0-dropbear\r\n", httpx.RemoteProtocolError),
    ],
)
def test_whole_answers_are_read_however_they_end_and_others_are_told(
    said: bytes, answer: tuple[int, bytes] | type[httpx.HTTPError]
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(said)
        writer.close()

    if isinstance(answer, tuple):
        assert asked(serve) == [answer]
    else:
        with pytest.raises(answer):
            asked(serve)


def test_a_server_that_says_nothing_is_given_up_and_one_that_is_not_there_is_told_apart() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with pytest.raises(httpx.ReadTimeout):
        asked(serve, timeout_seconds=0.05)
    (nobody,) = free_ports(1)
    with pytest.raises(httpx.ConnectError):
        asyncio.run(ModelClient(5, 5).post(f"http://127.0.0.1:{nobody}/predict", b"{}"))


def test_a_loop_that_is_held_up_while_it_connects_is_no_fault_of_the_server() -> None:
    async def ask() -> tuple[int, bytes]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/predict"
        client = ModelClient(5, 0.1)
        asked = asyncio.ensure_future(client.post(url, b"{}"))
        await asyncio.sleep(0)
        time.sleep(0.4)
        answer = await asked
        client.close()
        server.close()
        return answer

    assert asyncio.run(ask()) == (200, b"hi")


def test_waiting_for_a_connection_to_a_server_that_says_nothing_counts_as_waiting_for_it() -> None:
    async def ask() -> list[BaseException | tuple[int, bytes]]:
        released = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await released.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/predict"
        client = ModelClient(0.5, 30)
        posts = [client.post(url, b"{}") for _ in range(400)]
        outcomes = await asyncio.gather(*posts, return_exceptions=True)
        released.set()
        client.close()
        server.close()
        return outcomes

    outcomes = asyncio.run(ask())
    assert all(isinstance(outcome, httpx.TimeoutException) for outcome in outcomes), outcomes
    # Of those without a connection nobody waits until the others have waited, one after the other.
    assert any(isinstance(outcome, httpx.PoolTimeout) for outcome in outcomes)
