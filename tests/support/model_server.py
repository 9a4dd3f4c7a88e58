"""A real model server in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.packages import SignedPackage, signed_package
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@dataclass(frozen=True)
class RunningServer:
    """Where it listens, and its process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def log_events(self) -> list[dict[str, object]]:
        """Return what it has logged so far."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def server_command(package: str | Path, *extra: str, version: str = "sms-v1") -> list[str]:
    """Return the command line that serves `package` on a free port."""
    return [
        *(sys.executable, "-m", "serving.server", "--model-type", "sms", "--port", "0"),
        *("--package", str(package), "--version", version, *extra),
    ]


def server_environment(trusted_keys: Path, settings: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the environment for a server; `settings` are SHIELD_SERVER_* without the prefix."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIELD_")}
    # What is asked of a busy machine is an answer, not an answer in time.
    patient = {"deadline_seconds": str(PATIENCE_SECONDS), **settings}
    named = {f"SHIELD_SERVER_{name.upper()}": value for name, value in patient.items()}
    return kept | {"SHIELD_TRUSTED_KEYS": str(trusted_keys), "OMP_NUM_THREADS": "1"} | named


@contextmanager
def running_model_server(
    signed: SignedPackage, *extra: str, version: str = "sms-v1", **settings: str
) -> Iterator[RunningServer]:
    """Serve a package until the block ends; the block starts when the server is ready."""
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder) / "ready.json", Path(folder) / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                server_command(
                    signed.package.path, "--ready-file", str(ready), *extra, version=version
                ),
                env=server_environment(signed.trusted_keys, settings),
                stderr=stderr,
            )
        try:
            port = _wait_for_port(ready, process, log)
            yield RunningServer(f"http://127.0.0.1:{port}", process, log)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


def _wait_for_port(ready: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    wait_until(ready.exists, lambda: f"not ready: {log.read_text()}", process=process)
    return int(json.loads(ready.read_text())["port"])


@pytest.fixture(scope="session")
def model_server() -> Iterator[RunningServer]:
    """Yield a server of the test package, shared by tests that only ask it things."""
    with running_model_server(signed_package(), max_body_bytes=str(2**21)) as server:
        yield server


@pytest.fixture(scope="session")
def model_client(model_server: RunningServer) -> Iterator[httpx.Client]:
    """Yield a client of `model_server`."""
    with httpx.Client(base_url=model_server.url, timeout=PATIENCE_SECONDS) as client:
        yield client
