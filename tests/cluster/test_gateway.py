"""The phone's way in: a real Envoy routes by the rendered HTTPRoute to a real API."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.chart import one, rendered
from tests.support.envoy import Backend, envoy
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("cluster")
HOST = "shield.example.org"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    with running_api(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture(scope="module")
def phone(api: RunningApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A phone in front of Envoy."""
    route = one(rendered("gateway"), "HTTPRoute", "-phone")
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


def calls_of_phones() -> set[tuple[str, str]]:
    """Return method and path of each call that the page for app developers names."""
    said = (ROOT / "docs/phone.md").read_text()
    named = re.findall(r"\b(GET|POST|PUT|DELETE) (/api/v2/[^\s`,;)]+)", said)
    return {(method, re.sub(r"\{[^}]*\}", "text", path)) for method, path in named}


def test_each_call_that_app_developers_are_told_of_reaches_the_api(phone: httpx.Client) -> None:
    calls = calls_of_phones()
    assert len(calls) > 15
    lost = [call for call in sorted(calls) if from_envoy(phone.request(*call))]
    assert lost == []


@pytest.mark.parametrize("path", ["/app", "/contest", "/assets/app.js"])
def test_the_pages_for_everybody_reach_the_api(phone: httpx.Client, path: str) -> None:
    assert not from_envoy(phone.get(path))


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
        *["/api/v2/scansmore", "/application", "/login", "/api/v2/contests/some-id"],
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


def test_the_staffs_route_needs_a_gateway_of_its_own_and_leads_to_the_desk(
    api: RunningApi, tmp_path: Path
) -> None:
    staff = ("--set", "gateway.staffRoute.enabled=true")
    with pytest.raises(AssertionError, match="the gateway that only your own people reach"):
        rendered("gateway", *staff)
    own = ("--set", "gateway.staffRoute.parentRefs[0].name=internal")
    route = one(rendered("gateway", *staff, *own), "HTTPRoute", "-staff")
    backends: dict[str, Backend] = {"antispam-shield-api": int(api.url.rpartition(":")[2])}
    host = {"Host": "shield-review.example.org"}
    with (
        envoy(route, backends, tmp_path) as url,
        httpx.Client(base_url=url, headers=host, timeout=PATIENCE_SECONDS) as desk,
    ):
        assert desk.get("/review").status_code == 303
        assert desk.get("/api/v2/rollouts/sms").status_code == 401
        assert from_envoy(desk.get("/review", headers={"Host": HOST}))
