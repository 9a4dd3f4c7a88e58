"""Signing in by OpenID Connect, against a real issuer on another port."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, running_issuer
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Return a running issuer."""
    with running_issuer() as running:
        yield running


@pytest.fixture
def api(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API whose people sign in at the issuer."""
    secret = tmp_path / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    monkeypatch.setenv("SHIELD_PAGES_OIDC_DISCOVERY_URL", issuer.discovery_url)
    monkeypatch.setenv("SHIELD_PAGES_OIDC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SHIELD_PAGES_OIDC_CLIENT_SECRET_FILE", str(secret))
    monkeypatch.setenv("SHIELD_PAGES_REVIEWERS", '["ruth@example.org"]')
    with running_api(tmp_path / "api") as running:
        yield running


def browse(api: RunningApi) -> httpx.Client:
    return httpx.Client(base_url=api.url, follow_redirects=True, timeout=PATIENCE_SECONDS)


def test_a_reviewer_by_role_is_signed_in_and_led_back(api: RunningApi, issuer: Issuer) -> None:
    issuer.person = {"sub": "user-7", "roles": ["reviewer"]}
    with browse(api) as browser:
        page = browser.get("/login/oidc?next=/review/runs")
        assert page.url.path == "/review/runs"
        assert "user-7" in page.text


def test_a_reviewer_by_verified_mail_is_signed_in(api: RunningApi, issuer: Issuer) -> None:
    issuer.person = {"sub": "user-8", "email": "ruth@example.org", "email_verified": True}
    with browse(api) as browser:
        assert browser.get("/login/oidc").status_code == 200


def test_a_mail_address_that_nobody_verified_gives_nothing(api: RunningApi, issuer: Issuer) -> None:
    issuer.person = {"sub": "user-9", "email": "ruth@example.org"}
    with browse(api) as browser:
        page = browser.get("/login/oidc")
    assert page.status_code == 403
    assert "needs the role reviewer" in page.text


@pytest.mark.parametrize(("mail", "status"), [("mallory", 403), ("ruth", 200)])
def test_one_mail_address_is_not_verified_by_what_is_said_of_another(
    api: RunningApi, issuer: Issuer, mail: str, status: int
) -> None:
    issuer.person = {"sub": "user-11", "email": "ruth@example.org"}
    issuer.userinfo = {"sub": "user-11", "email": f"{mail}@example.org", "email_verified": True}
    with browse(api) as browser:
        assert browser.get("/login/oidc").status_code == status


def test_the_issuer_cannot_make_somebody_a_service(api: RunningApi, issuer: Issuer) -> None:
    issuer.person = {"sub": "user-10", "roles": ["pipeline", "operator"]}
    with browse(api) as browser:
        assert browser.get("/login/oidc").status_code == 403


@pytest.mark.parametrize(
    "spoil", [{"aud": "another"}, {"nonce": "another"}, {"iss": "http://evil.example"}, {"exp": 1}]
)
def test_an_id_token_that_does_not_fit_is_refused(
    api: RunningApi, issuer: Issuer, spoil: dict[str, object]
) -> None:
    issuer.person = {"sub": "user-7", "roles": ["admin"]}
    issuer.spoil = dict(spoil)
    with browse(api) as browser:
        page = browser.get("/login/oidc")
        assert page.status_code == 401
        assert "did not succeed" in page.text
        assert browser.get("/review", follow_redirects=False).status_code == 303


def test_a_planted_answer_without_the_state_of_this_browser_is_refused(
    api: RunningApi, issuer: Issuer
) -> None:
    issuer.person = {"sub": "mallory", "roles": ["admin"]}
    with (
        httpx.Client(base_url=api.url, timeout=PATIENCE_SECONDS) as attacker,
        browse(api) as victim,
    ):
        away = attacker.get("/login/oidc").headers["location"]
        back = httpx.get(away, timeout=PATIENCE_SECONDS).headers["location"]
        page = victim.get(back)
    assert page.status_code == 401


def test_a_plain_person_connects_a_phone_by_a_button(api: RunningApi, issuer: Issuer) -> None:
    issuer.person = {"sub": "user-11"}
    with browse(api) as browser:
        page = browser.get("/login/oidc?next=/app")
        assert "Connect as user-11" in page.text
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        assert found
        form = {"csrf": found[1]}
        answer = browser.post("/app/connect", data=form, follow_redirects=False)
        assert answer.headers["location"].startswith("/app#token=")


def test_the_sign_in_page_offers_the_issuer_and_no_token(api: RunningApi) -> None:
    page = httpx.get(f"{api.url}/login", timeout=PATIENCE_SECONDS).text
    assert "Sign in with your organisation" in page
    assert 'name="token"' not in page


def test_an_issuer_that_is_away_is_said_to_be_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with running_issuer() as gone:
        address = gone.discovery_url
    monkeypatch.setenv("SHIELD_PAGES_OIDC_DISCOVERY_URL", address)
    monkeypatch.setenv("SHIELD_PAGES_OIDC_CLIENT_ID", CLIENT_ID)
    with running_api(tmp_path) as api:
        page = httpx.get(f"{api.url}/login/oidc", timeout=PATIENCE_SECONDS)
    assert page.status_code == 503
    assert "issuer does not answer" in page.text
