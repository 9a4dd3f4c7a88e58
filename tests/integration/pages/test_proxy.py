"""Signing in by the header of an authenticating proxy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.api import RunningApi, running_api
from tests.support.waiting import PATIENCE_SECONDS

HEADER = {"kubeflow-userid": "ruth@example.org"}


@contextmanager
def behind(
    monkeypatch: pytest.MonkeyPatch, folder: Path, proxies: str, reviewers: str
) -> Iterator[RunningApi]:
    monkeypatch.setenv("SHIELD_PAGES_TRUSTED_HEADER", "kubeflow-userid")
    monkeypatch.setenv("SHIELD_PAGES_TRUSTED_PROXIES", proxies)
    monkeypatch.setenv("SHIELD_PAGES_REVIEWERS", reviewers)
    with running_api(folder) as api:
        yield api


def test_the_proxy_s_user_is_signed_in_and_may_send_forms(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with behind(monkeypatch, tmp_path, '["127.0.0.1"]', '["ruth@example.org"]') as api:
        page = httpx.get(f"{api.url}/review", headers=HEADER, timeout=PATIENCE_SECONDS)
        assert page.status_code == 200
        assert "ruth@example.org" in page.text
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        assert found
        form = {"csrf": found[1]}
        assert (
            httpx.post(
                f"{api.url}/logout", data=form, headers=HEADER, timeout=PATIENCE_SECONDS
            ).status_code
            == 303
        )
        assert (
            httpx.post(f"{api.url}/logout", headers=HEADER, timeout=PATIENCE_SECONDS).status_code
            == 403
        )


def test_the_header_of_anybody_else_is_worth_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with behind(monkeypatch, tmp_path, '["10.0.0.0/8"]', '["*"]') as api:
        assert (
            httpx.get(f"{api.url}/review", headers=HEADER, timeout=PATIENCE_SECONDS).status_code
            == 303
        )


def test_a_user_of_the_proxy_who_is_on_no_list_may_not_review(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with behind(monkeypatch, tmp_path, '["127.0.0.1"]', "[]") as api:
        answer = httpx.get(f"{api.url}/review", headers=HEADER, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 403
    assert "needs the role reviewer" in answer.text


def test_without_the_setting_the_header_is_ignored(tmp_path: Path) -> None:
    with running_api(tmp_path) as api:
        assert (
            httpx.get(f"{api.url}/review", headers=HEADER, timeout=PATIENCE_SECONDS).status_code
            == 303
        )


def test_a_phone_is_connected_by_a_button_behind_the_proxy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with behind(monkeypatch, tmp_path, '["127.0.0.1"]', "[]") as api:
        page = httpx.get(f"{api.url}/login?next=/app", headers=HEADER, timeout=PATIENCE_SECONDS)
        assert "Connect as ruth@example.org" in page.text
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
        assert found
        answer = httpx.post(
            f"{api.url}/app/connect",
            data={"csrf": found[1]},
            headers=HEADER,
            timeout=PATIENCE_SECONDS,
        )
        target, _, token = answer.headers["location"].partition("#token=")
        assert target == "/app"
        me = httpx.get(
            f"{api.url}/api/v2/users/me",
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE_SECONDS,
        )
        assert me.json()["data"]["subject"] == "ruth@example.org"
