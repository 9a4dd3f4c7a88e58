"""The phone's way in: a real Envoy routes by the rendered HTTPRoute to a real API."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.chart import one, rendered
from tests.support.envoy import Backend, envoy
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("cluster")
HOST = "shield.example.org"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def phone(api: RunningApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A phone in front of Envoy."""
    route = one(rendered("gateway"), "HTTPRoute")
    port = int(api.url.rpartition(":")[2])
    backends: dict[str, Backend] = {"antispam-shield-api": port}
    with (
        envoy(route, backends, tmp_path_factory.mktemp("envoy")) as url,
        httpx.Client(base_url=url, headers={"Host": HOST}, timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


def from_envoy(answer: httpx.Response) -> bool:
    """Tell whether Envoy refused by itself: the API's refusals are problem documents."""
    return answer.status_code == 404 and not answer.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v2/scans", 401),
        ("GET", "/api/v2/scans/some-id", 401),
        ("POST", "/api/v2/feedback", 401),
        ("GET", "/api/v2/users/me", 401),
    ],
)
def test_the_phones_calls_reach_the_api_which_asks_who_calls(
    phone: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = phone.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_known_phone_gets_an_answer(phone: httpx.Client, api: RunningApi) -> None:
    token = api.token("phone-1")
    answer = phone.get("/api/v2/scans", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.json()["success"] is True


@pytest.mark.parametrize(
    "path",
    [
        *["/review", "/review/queue", "/metrics", "/healthz", "/readyz", "/docs", "/openapi.json"],
        *["/", "/api/v2", "/api/v2/models/sms/versions", "/api/v2/rollouts/sms/undo"],
        *["/api/v2/batches/lease", "/api/v2/feedback/pending", "/api/v2/feedback/export"],
        *["/api/v2/scansmore", "/application", "/login"],
    ],
)
def test_other_paths_get_nothing(phone: httpx.Client, path: str) -> None:
    for method in ("GET", "POST"):
        assert from_envoy(phone.request(method, path)), path


@pytest.mark.parametrize(
    "path",
    [
        "/app/../review",
        "/app/%2e%2e/metrics",
        "/app/..%2Freview",
        "//review",
        "/app/./../metrics",
        "/api/v2/scans/..;/metrics",
        "/API/V2/SCANS/../../../metrics",
    ],
)
def test_no_detour_leads_to_the_reviewers_or_to_the_metrics(phone: httpx.Client, path: str) -> None:
    request = phone.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    answer = phone.send(request, follow_redirects=True)
    assert answer.status_code in {400, 401, 404}
    assert "shield_" not in answer.text
    assert "<html" not in answer.text.lower()


@pytest.mark.parametrize(
    "host", ["other.example.org", "example.org", "127.0.0.1", "a.shield.example.org"]
)
def test_other_hosts_get_nothing(phone: httpx.Client, host: str) -> None:
    answer = phone.get("/api/v2/scans", headers={"Host": host})
    assert from_envoy(answer)


def test_a_host_with_a_port_is_the_same_host(phone: httpx.Client) -> None:
    assert phone.get("/api/v2/scans", headers={"Host": f"{HOST}:8443"}).status_code == 401
