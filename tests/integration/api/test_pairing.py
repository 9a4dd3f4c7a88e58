"""Codes that connect a phone: good once, for a time, and for no account of somebody else's."""

import httpx
import pytest

from shield.errors import Conflict, Forbidden
from shield.labels import ScanType
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


def test_an_invitation_connects_one_phone_to_a_new_account_within_its_days(api: RunningApi) -> None:
    with api.client("rita", "reviewer", "admin") as rita:
        invited = rita.invite("ben", days=2)
        late = rita.invite("carl", days=2)
        api.clock.move_on(86_400)
        answer = redeem(api, invited.code)
        assert answer.status_code == 200, answer.text
        assert redeem(api, invited.code).status_code == 401
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        me = httpx.get(
            f"{api.url}/api/v2/users/me", headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ).json()["data"]
        assert (me["subject"], me["roles"]) == ("ben", ["user"])
        joined = rita.audit(action="user.join").items[0]
        invitations = rita.audit(action="user.invite").items
        assert joined.details["invitation"] == invitations[-1].subject
        assert "ben" not in str([joined, *invitations])
        api.clock.move_on(86_401)
        assert redeem(api, late.code).status_code == 401


def test_nobody_gets_at_the_messages_of_a_user_by_inviting_them(api: RunningApi) -> None:
    with api.client("rita", "reviewer", "admin") as rita:
        before = rita.invite("ann")
        with api.client("ann") as ann:
            ann.scan(ScanType.TEXT, "See you at practice")
        assert redeem(api, before.code).status_code == 401
        with pytest.raises(Conflict, match="uses the app already"):
            rita.invite("ann")
    with api.client("rob", "reviewer") as rob, pytest.raises(Forbidden):
        rob.invite("dora")
