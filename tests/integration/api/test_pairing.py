"""Codes that connect a phone: good once, for minutes, and only for the account that asked."""

import httpx
import pytest

from shield.errors import Forbidden
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS


def redeem(api: RunningApi, code: str) -> httpx.Response:
    return httpx.post(
        f"{api.url}/app/pair",
        json={"code": code},
        headers={"X-Fragment": "1"},
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )


def test_a_code_connects_one_phone_once_as_a_user_and_no_more(api: RunningApi) -> None:
    with api.client("rita", "reviewer", "admin") as rita:
        issued = rita.pairing_code()
    answer = redeem(api, issued.code.lower().replace("-", " "))
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    me = httpx.get(
        f"{api.url}/api/v2/users/me", headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    ).json()["data"]
    assert (me["subject"], me["roles"]) == ("rita", ["user"])
    again = redeem(api, issued.code)
    assert again.status_code == 401
    assert "works once" in again.json()["message"]


def test_a_code_is_too_old_after_five_minutes_and_goes_with_its_owner(api: RunningApi) -> None:
    with api.client("rita", "reviewer") as rita:
        old = rita.pairing_code()
        api.clock.move_on(301)
        assert redeem(api, old.code).status_code == 401
        gone = rita.pairing_code()
        rita.erase_me()
    assert redeem(api, gone.code).status_code == 401
    with api.client("ann") as ann, pytest.raises(Forbidden):
        ann.pairing_code()  # a phone's own token must not become one that lives longer
