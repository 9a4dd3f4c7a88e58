"""Settings that would let strangers in are refused before anything is served."""

import pytest

from api.pages.settings import PagesSettings
from api.pages.visitor import safe_next
from shield.errors import Misconfigured


def test_a_trusted_header_without_a_trusted_proxy_is_refused() -> None:
    with pytest.raises(Misconfigured, match="SHIELD_PAGES_TRUSTED_PROXIES is empty"):
        PagesSettings(trusted_header="kubeflow-userid").check()


def test_a_network_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(Misconfigured, match=r"'10\.0\.0\.0/99'"):
        PagesSettings(trusted_header="x", trusted_proxies=["10.0.0.0/99"]).check()


def test_oidc_without_a_client_is_refused() -> None:
    with pytest.raises(Misconfigured, match="SHIELD_PAGES_OIDC_CLIENT_ID"):
        PagesSettings(oidc_discovery_url="https://id.example/.well-known").check()


@pytest.mark.parametrize(
    ("address", "trusted"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("::1", True), ("testclient", False), (None, False)],
)
def test_only_addresses_of_the_proxy_are_trusted(address: str | None, trusted: bool) -> None:
    assert PagesSettings(trusted_proxies=["10.0.0.0/8", "::1"]).trusts(address) is trusted


def test_roles_come_from_the_lists_and_nobody_is_a_reviewer_by_default() -> None:
    settings = PagesSettings(reviewers=["ruth@example.org"], admins=["ada"])
    assert settings.roles_of({"eve"}) == ["user"]
    assert settings.roles_of({"sub-1", "ruth@example.org"}) == ["user", "reviewer"]
    assert settings.roles_of({"ada"}) == ["user", "reviewer", "admin"]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        None,
        "/\t/evil.example",
        "/\n/evil.example",
    ],
)
def test_the_way_back_after_sign_in_stays_on_this_server(wanted: str | None) -> None:
    assert safe_next(wanted) == "/review"


def test_a_path_of_this_server_is_kept() -> None:
    assert safe_next("/review/models?model=sms") == "/review/models?model=sms"
