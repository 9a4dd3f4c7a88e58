"""A TCP proxy that can be cut, slowed, or made to answer errors."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 65536
_BODY = b"<Error><Code>InternalError</Code><Message>a fault of the bench</Message></Error>"
_ERROR = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/xml\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Proxy:
    """Passes bytes on to `target`, as `mode` says.

    What ends without an answer ends without a word, as behind a firewall that has forgotten it: the
    peer's end stays open.

    `open`: as they come. `silent`: nothing passes, nothing is closed, as when packets are dropped.
    `closed`: every connection is reset. `slow`: a pause before each chunk. `error`: each connection
    is answered 500 and closed. `half`: an answer is cut after its first 100 bytes.
    """

    def __init__(self, target: str) -> None:
        address = urlsplit(target)
        self._target = (str(address.hostname), int(address.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.mode = "open"
        self._alive: list[socket.socket] = []
        self._ended = False
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def broken(self, mode: str) -> Iterator[None]:
        """Be broken within the block; connections of before stay, but share the fate."""
        self.mode = mode
        if mode in ("closed", "error"):
            self._close_all()
        try:
            yield
        finally:
            self.mode = "open"
            self._close_all()  # what was dropped meanwhile is not sent late

    def close(self) -> None:
        """End."""
        self._ended = True
        self._listener.close()
        self._close_all()

    def _close_all(self) -> None:
        while self._alive:
            with suppress(OSError):
                self._alive.pop().close()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._alive.append(client)
        if self.mode == "closed":
            client.close()
            return
        if self.mode == "error":
            with suppress(OSError):
                client.recv(_CHUNK)
                client.sendall(_ERROR)
                client.close()
            return
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        self._alive.append(server)
        threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
        self._pass(server, client, True)

    def _pass(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(_CHUNK):
                while self.mode == "silent" and not self._ended:
                    time.sleep(0.02)
                if self.mode == "slow":
                    time.sleep(1.0)
                if self.mode == "half" and answers:
                    sink.sendall(data[:100])
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
