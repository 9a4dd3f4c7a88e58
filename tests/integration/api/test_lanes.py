"""The short ways of scans and feedback answer as the long ones do."""

import json
from typing import Any

import httpx
import pytest

from api.kit.lanes import Lanes
from tests.integration.api.steps import http
from tests.support.api import RunningApi

TEXT = {"scanType": "text", "text": "you win a prize"}
_CHANGING = ("id", "createdAt", "updatedAt", "scanId")
_LONG = [("X-Twice", "1"), ("X-Twice", "2")]
"""A header that is there twice sends a request the long way."""


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items() if key not in _CHANGING}
    return [_plain(each) for each in found] if isinstance(found, list) else found


def _both(
    client: httpx.Client, path: str, body: bytes, headers: dict[str, str]
) -> tuple[httpx.Response, httpx.Response]:
    kind = {"Content-Type": "application/json"}
    given = list({**kind, **headers}.items())
    return (
        client.post(path, content=body, headers=given),
        client.post(path, content=body, headers=[*given, *_LONG]),
    )


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (json.dumps(TEXT).encode(), {}, 201),
        (json.dumps(TEXT).encode(), {"Accept-Language": "de-AT, en;q=0.5"}, 201),
        (json.dumps(TEXT).encode(), {"Content-Type": "application/json; charset=utf-8"}, 201),
        (json.dumps({**TEXT, "text": "half \ud83d an emoji"}).encode(), {}, 201),
        (json.dumps({**TEXT, "text": "long words " * 1500}).encode(), {}, 201),
        (json.dumps({**TEXT, "extra": 1}).encode(), {}, 422),
        (json.dumps({**TEXT, "scanType": "smoke"}).encode(), {}, 422),
        (json.dumps({**TEXT, "text": "x" * 20_001}).encode(), {}, 422),
        (b"{", {}, 400),
        (b"", {}, 422),
        (json.dumps(TEXT).encode(), {"Content-Type": "text/plain"}, 422),
        (json.dumps(TEXT).encode(), {"X-Shield-Arm": "candidate"}, 403),
        (json.dumps(TEXT).encode(), {"Authorization": "Bearer nonsense"}, 401),
        (json.dumps(TEXT).encode(), {"Authorization": "Basic nonsense"}, 401),
    ],
)
def test_a_scan_is_answered_alike_on_both_ways(
    shared_api: RunningApi, someone: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    with http(shared_api, someone) as client:
        short, long = _both(client, "/api/v2/scans", body, headers)
    assert (short.status_code, long.status_code) == (status, status), short.text
    assert short.headers["content-type"] == long.headers["content-type"]
    assert _plain(short.json()) == _plain(long.json())


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"feedbackType": "false_positive"}, {}, 201),
        ({"feedbackType": "false_positive", "comment": "my bank"}, {"Idempotency-Key": "a1"}, 201),
        ({"feedbackType": "false_positive"}, {"Idempotency-Key": "x" * 256}, 422),
        ({"feedbackType": "false_positive"}, {"Idempotency-Key": "a b"}, 422),
        ({"feedbackType": "false_negative"}, {}, 422),
        ({"feedbackType": "nonsense"}, {}, 422),
        ({"feedbackType": "confirmed", "scanId": "nothing"}, {}, 404),
        ({"feedbackType": "confirmed"}, {"Authorization": "Bearer nonsense"}, 401),
    ],
)
def test_feedback_is_answered_alike_on_both_ways(
    shared_api: RunningApi,
    someone: str,
    body: dict[str, str],
    headers: dict[str, str],
    status: int,
) -> None:
    with http(shared_api, someone) as client:
        scan = client.post("/api/v2/scans", json=TEXT).json()["data"]["id"]
        given = json.dumps({"scanId": scan, **body}).encode()
        short, long = _both(client, "/api/v2/feedback", given, headers)
    assert (short.status_code, long.status_code) == (status, status), short.text
    assert _plain(short.json()) == _plain(long.json())


def test_only_plain_requests_go_the_short_way(
    shared_api: RunningApi, someone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tests above would compare the long way with itself."""
    taken = []
    call = Lanes.__call__

    async def watched(self: Lanes, scope: Any, receive: Any, send: Any) -> None:
        await call(self, scope, receive, send)
        if scope["type"] == "http":
            taken.append(type(scope["route"]).__name__ == "SimpleNamespace")

    monkeypatch.setattr(Lanes, "__call__", watched)
    with http(shared_api, someone) as client:
        _both(client, "/api/v2/scans", json.dumps(TEXT).encode(), {})
        _both(client, "/api/v2/feedback", b'{"scanId": "a", "feedbackType": "confirmed"}', {})
        client.get("/api/v2/scans")
    assert taken == [True, False, True, False, False]


def test_roles_and_metrics_are_the_same_on_the_short_way(
    shared_api: RunningApi, someone: str
) -> None:
    with http(shared_api, someone, "pipeline") as machine:
        assert machine.post("/api/v2/scans", json=TEXT).status_code == 403
    with http(shared_api, someone) as client:
        client.post("/api/v2/scans", json=TEXT)
        told = client.get("/metrics").text
    assert 'shield_api_request_seconds_count{method="POST",route="/api/v2/scans",status="201"}' in (
        told
    )
