"""Settings of the model server."""

import os
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings


class ServerSettings(Settings):
    """Address, threads and limits of a model server. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_SERVER_", use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` in a container."""

    precision: Literal["int8", "fp32"] = "int8"
    """Model variant of the package to serve."""

    threads: int = Field(default_factory=lambda: len(os.sched_getaffinity(0)), ge=1, le=256)
    """Computing threads; use one per core available to the process."""

    cascade: bool = False
    """Whether the linear half answers alone where a package says that it may. This saves the
    encoder's time for most ordinary messages, and may miss scams of a new kind that sound like none
    it has seen: look at the figures `goldenAlone`, `goldenAloneLost` and `judgeAloneLost`."""

    queue_rows: int = Field(default=1024, ge=1)
    """Size of the queue in rows; requests that do not fit get 503 with `Retry-After`."""

    deadline_seconds: float = Field(default=4.0, gt=0)
    """Longest wait of a request without its own deadline; requests that would wait longer are
    refused. Should be below the clients' time-out."""

    cache_rows: int = Field(default=50_000, ge=0)
    """Size of the answer cache per version, in entries of about 1 kB; 0 disables it."""

    max_body_bytes: int = Field(default=2**20, ge=1024)
    """Largest request body, in bytes. Parsing blocks the server: a hostile body takes up to 0.1 s
    per MiB."""

    max_held_bytes: int = Field(default=64 * 2**20, ge=1024)
    """Largest total of unanswered request bodies, in bytes; beyond it requests get 503."""

    max_texts: int = Field(default=1024, ge=1)
    """Most texts in one request."""

    max_text_chars: int = Field(default=100_000, ge=1)
    """Longest text in characters, about a voice transcript of two hours."""

    max_connections: int = Field(default=1024, ge=1)
    """Most open connections; further ones get 503 and are closed."""

    request_timeout_seconds: float = Field(default=10.0, gt=0)
    """Time-out for receiving a request; then 408 is sent and the connection closed."""

    idle_timeout_seconds: float = Field(default=120.0, gt=0)
    """Time after which an idle connection is closed. Should exceed the clients' own."""

    drain_seconds: float = Field(default=5.0, ge=0)
    """Longest wait for clients to leave after SIGTERM; then idle connections are closed."""

    cache_dir: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / "antispam-shield-packages"
    )
    """Folder for packages from the artifact store. Default: in the system's temporary directory."""

    repository: bool = False
    """Allow `POST /v2/repository/models/{name}/load` and `unload`.

    For a process that switches versions. These endpoints are not authenticated: do not enable them
    where untrusted clients can reach the port.
    """
