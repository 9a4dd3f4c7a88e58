"""Signing in at a real Dex, which Kubeflow brings: its pages, its consent, its claims."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.dex import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    discovery_url,
    running_dex,
    sign_in,
)
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE_SECONDS

PEOPLE = {"ruth@example.org": "ruth", "rita@example.org": "rita", "eve@example.org": "eve"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return an API whose people sign in at Dex: Ruth is an administrator, Rita reviews."""
    folder: Path = tmp_path_factory.mktemp("dex")
    secret = folder / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    (port,) = free_ports(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIELD_PAGES_OIDC_DISCOVERY_URL", discovery_url(port))
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_ID", CLIENT_ID)
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_SECRET_FILE", str(secret))
        patch.setenv("SHIELD_PAGES_OIDC_SCOPE", "openid email profile")
        patch.setenv("SHIELD_PAGES_ADMINS", '["ruth@example.org"]')
        patch.setenv("SHIELD_PAGES_REVIEWERS", '["rita@example.org"]')
        with (
            running_api(folder / "api") as running,
            running_dex(PEOPLE, f"{running.url}/login/oidc/back", port),
        ):
            yield running


def browser(api: RunningApi) -> httpx.Client:
    return httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)


def test_reviewer_and_first_administrator_sign_in_by_their_mail_addresses(api: RunningApi) -> None:
    with browser(api) as rita:
        page = sign_in(rita, "/login/oidc?next=/review/statistics", "rita@example.org", PASSWORD)
        assert (page.status_code, page.url.path) == (200, "/review/statistics")
        back = next(str(one.url) for one in page.history if "/login/oidc/back" in str(one.url))
        assert rita.get(back).status_code == 401, "an answer comes back once"
    with browser(api) as ruth:
        page = sign_in(ruth, "/login/oidc?next=/review/rollouts", "ruth@example.org", PASSWORD)
        assert (page.status_code, page.url.path) == (200, "/review/rollouts")


def test_somebody_without_a_role_or_a_password_does_not_get_in(api: RunningApi) -> None:
    with browser(api) as eve:
        page = sign_in(eve, "/login/oidc", "eve@example.org", PASSWORD)
        assert page.status_code == 403
        assert "needs the role reviewer" in page.text
    with browser(api) as somebody:
        page = sign_in(somebody, "/login/oidc", "rita@example.org", "a guess")
        assert page.url.path.startswith("/dex/"), "Dex asks again"
        assert somebody.get("/review", follow_redirects=True).url.path == "/login"
