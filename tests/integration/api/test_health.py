"""What tells an orchestrator whether this process can serve."""

import httpx
import pytest

from api import health
from tests.support.api import RunningApi


def readiness(api: RunningApi) -> httpx.Response:
    return httpx.get(f"{api.url}/readyz", trust_env=False)


def test_a_full_disk_is_not_ready_and_says_what_to_do(
    sqlite_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert readiness(sqlite_api).status_code == 200
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**62)  # no disk has as much
    answer = readiness(sqlite_api)
    assert answer.status_code == 503
    assert "MiB left, so nothing can be stored. Free at least" in answer.json()["detail"]


def test_what_is_acknowledged_is_on_disk_before_the_answer(sqlite_api: RunningApi) -> None:
    with sqlite_api.services.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
