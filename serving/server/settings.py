"""Settings of the model server."""

import os
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings


class ServerSettings(Settings):
    """How one model server listens, computes and protects itself."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_SERVER_", use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on. `0.0.0.0` in a container."""

    precision: Literal["int8", "fp32"] = "int8"
    """Which of the package's models to serve."""

    threads: int = Field(default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, le=256)
    """Threads that compute, one row or batch each. One per core the process may use."""

    queue_rows: int = Field(default=1024, ge=1)
    """Most rows that wait. A request that does not fit is refused with 503 and `Retry-After`."""

    deadline_seconds: float = Field(default=4.0, gt=0)
    """A request is refused when it would wait longer, unless it names its own deadline. Keep it
    below the clients' time-out: an answer that nobody waits for is wasted."""

    cache_rows: int = Field(default=50_000, ge=0)
    """Answers kept per version, by exact token ids; about 1 kB each. 0 turns the cache off."""

    max_body_bytes: int = Field(default=2**20, ge=1024)
    """Longest request body. While one is parsed everybody waits: up to 0.1 s per MiB, if it is
    hostile."""

    max_held_bytes: int = Field(default=64 * 2**20, ge=1024)
    """Bodies of all clients together that wait for an answer. More is refused with 503."""

    max_texts: int = Field(default=1024, ge=1)
    """Most texts in one request."""

    max_text_chars: int = Field(default=100_000, ge=1)
    """Longest text, in characters. A voice transcript of two hours has about this length."""

    max_connections: int = Field(default=1024, ge=1)
    """Connections open at a time; one more is answered 503 and closed."""

    request_timeout_seconds: float = Field(default=10.0, gt=0)
    """A request that has not arrived whole by then is answered 408 and its connection closed."""

    idle_timeout_seconds: float = Field(default=120.0, gt=0)
    """A connection without a request for so long is closed. Keep it above the clients' own."""

    drain_seconds: float = Field(default=5.0, ge=0)
    """After SIGTERM, the longest wait for clients to leave; then idle connections are closed."""

    cache_dir: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / "antispam-shield-packages"
    )
    """Where packages pulled from the artifact store are kept; a folder of the system's temporary
    directory by default."""

    repository: bool = False
    """Allow `POST /v2/repository/models/{name}/load` and `unload`.

    For one process that switches versions. The endpoints are not authenticated: leave it off where
    strangers reach the port.
    """
