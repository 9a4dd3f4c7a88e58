"""Signing in at a real, certified OpenID provider: its pages, its consent, its claims."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.ports import free_ports
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, running_provider, sign_in
from tests.support.waiting import PATIENCE_SECONDS

PEOPLE: dict[str, dict[str, Any]] = {
    "ruth": {"name": "Ruth", "email": "ruth@example.org", "email_verified": True},
    "rita": {"name": "Rita", "roles": ["reviewer"]},
    "eve": {"name": "Eve", "email": "ruth@example.org", "email_verified": False},
    "bot": {"name": "Bot", "roles": ["pipeline", "operator"]},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return an API whose people sign in at the provider; Ruth is its first administrator."""
    folder: Path = tmp_path_factory.mktemp("oidc")
    secret = folder / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    (port,) = free_ports(1)
    with pytest.MonkeyPatch.context() as patch:
        discovery = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        patch.setenv("SHIELD_PAGES_OIDC_DISCOVERY_URL", discovery)
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_ID", CLIENT_ID)
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_SECRET_FILE", str(secret))
        patch.setenv("SHIELD_PAGES_OIDC_SCOPE", "openid email profile roles")
        patch.setenv("SHIELD_PAGES_ADMINS", '["ruth@example.org"]')
        with (
            running_api(folder / "api") as running,
            running_provider(PEOPLE, f"{running.url}/login/oidc/back", port),
        ):
            yield running


def browser(api: RunningApi) -> httpx.Client:
    return httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS)


def test_the_first_administrator_signs_in_by_a_verified_mail_address(api: RunningApi) -> None:
    with browser(api) as ruth:
        page = sign_in(ruth, "/login/oidc?next=/review/rollouts", "ruth")
        assert (page.status_code, page.url.path) == (200, "/review/rollouts")
        assert "ruth" in page.text
        # An admin: what a reviewer may not do is refused for its form, not for the role.
        answer = ruth.post("/review/rollouts/sms/undo", data={"csrf": "x", "reason": "y"})
        assert "did not come from here" in answer.text


def test_a_reviewer_signs_in_by_the_role_that_the_provider_gives(api: RunningApi) -> None:
    with browser(api) as rita:
        page = sign_in(rita, "/login/oidc", "rita")
        assert (page.status_code, page.url.path) == (200, "/review")


@pytest.mark.parametrize("who", ["eve", "bot"])
def test_who_has_no_right_here_is_told_so(api: RunningApi, who: str) -> None:
    with browser(api) as somebody:
        page = sign_in(somebody, "/login/oidc", who)
        assert page.status_code == 403
        assert "needs the role reviewer" in page.text


def test_an_answer_comes_back_once(api: RunningApi) -> None:
    with browser(api) as rita:
        page = sign_in(rita, "/login/oidc", "rita")
        back = next(str(one.url) for one in page.history if "/login/oidc/back" in str(one.url))
        assert rita.get(back).status_code == 401
