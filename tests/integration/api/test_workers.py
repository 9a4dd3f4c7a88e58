"""Several worker processes behind one port: one answer, one count, one end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api import SECRET, settings_for
from tests.support.system import descendants
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        **os.environ,
        "SHIELD_API_JWT_SECRET": SECRET,
        "SHIELD_API_MESSAGE_KEYS": str(settings_for(folder).message_keys),
        "SHIELD_DATABASE_URL": f"sqlite:///{folder}/shield.db",
        "SHIELD_ARTIFACTS_ROOT": str(folder / "artifacts"),
        "SHIELD_API_PORT": "0",
        "SHIELD_API_READY_FILE": str(folder / "ready.json"),
        "SHIELD_API_RATE_PER_USER": "",
        "SHIELD_API_RATE_PER_ADDRESS": "",
        "SHIELD_API_LOG_LEVEL": "warning",
        **changes,
    }


@contextmanager
def workers(folder: Path, number: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    ready = folder / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "api"], env=environment(folder, SHIELD_API_WORKERS=str(number))
    )
    try:
        wait_until(ready.exists, process=process)
        yield process, f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def of_route(exposition: str, route: str) -> float:
    lines = [
        line
        for line in exposition.splitlines()
        if line.startswith("shield_api_request_seconds_count") and f'route="{route}"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.slow
def test_workers_share_the_port_count_together_are_replaced_and_all_stop(tmp_path: Path) -> None:
    with workers(tmp_path, 2) as (parent, url):
        for _ in range(20):  # a connection each, so that both get some
            assert (
                httpx.get(f"{url}/readyz", trust_env=False, timeout=PATIENCE_SECONDS).status_code
                == 200
            )
        for _ in range(4):
            shown = httpx.get(f"{url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
            assert of_route(shown, "/readyz") == 20, "whoever answers knows of all requests"
        serving = descendants(parent.pid)
        victim = max(serving)
        os.kill(victim, signal.SIGKILL)
        wait_until(
            lambda: victim not in (now := descendants(parent.pid)) and len(now) >= len(serving),
            "a worker that died was not replaced",
        )
        left = descendants(parent.pid)
    assert parent.returncode == 0
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_several_workers_do_not_count_rate_limits_each_for_itself(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "api"],
        env=environment(tmp_path, SHIELD_API_WORKERS="2", SHIELD_API_RATE_PER_USER="5/minute"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert said.returncode == 1
    assert "SHIELD_API_RATE_STORAGE" in said.stderr


@pytest.mark.parametrize("number", [1, 2])
def test_workers_answer_until_they_are_asked_to_stop(tmp_path: Path, number: int) -> None:
    with workers(tmp_path, number) as (_, url):
        assert (
            httpx.get(f"{url}/healthz", trust_env=False, timeout=PATIENCE_SECONDS).json()["status"]
            == "live"
        )
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False, timeout=PATIENCE_SECONDS)
