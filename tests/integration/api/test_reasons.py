"""A scan's owner is told why, in their own language; nobody's verdict changes by it."""

from pathlib import Path

import pytest

from tests.browser.world import world
from tests.integration.api.steps import http
from tests.support.api import RunningApi

SCAM = "You win! Royal Mail: pay the fee today https://royalmail-fee.example/x"


def test_the_owner_of_a_scan_is_told_why_and_what_to_do_in_the_readers_language(
    api: RunningApi,
) -> None:
    with http(api, "ada", "user") as client:
        said = client.post(
            "/api/v2/scans",
            json={"scanType": "text", "text": SCAM},
            headers={"Accept-Language": "de-DE, en;q=0.5"},
        ).json()["data"]
        again = client.get(f"/api/v2/scans/{said['id']}").json()["data"]
        listed = client.get("/api/v2/scans").json()["data"][0]
    german = {reason["id"]: reason["sentence"] for reason in said["reasons"]}
    english = {reason["id"]: reason["sentence"] for reason in again["reasons"]}
    assert german.keys() == english.keys() >= {"asks-for-money", "link-not-theirs"}
    assert german["asks-for-money"] == "Sie sollen zahlen oder Geld schicken."
    assert english["asks-for-money"] == "It asks you to pay or send money."
    assert "116 116" in said["advice"]["whoToTell"]
    assert again["advice"]["whatToDoNow"]
    assert listed["reasons"] == again["reasons"]


def test_an_unsure_verdict_is_kept_as_one_and_taken_back_like_any_other(tmp_path: Path) -> None:
    with world(tmp_path, judge=lambda text: 0.6) as api, http(api, "ada", "user") as client:
        said = client.post("/api/v2/scans", json={"scanType": "text", "text": SCAM}).json()["data"]
        assert (said["verdict"], said["certainty"]) == ("spam", "unsure")
        assert said["reasons"][0]["id"] == "close-call"
        assert client.get(f"/api/v2/scans/{said['id']}").json()["data"]["certainty"] == "unsure"
        told = client.post(
            "/api/v2/feedback",
            json={"scanId": said["id"], "feedbackType": "false_positive"},
        )
        assert told.status_code == 201


def test_a_harmless_verdict_has_no_alarming_reason(api: RunningApi) -> None:
    with http(api, "ada", "user") as client:
        said = client.post(
            "/api/v2/scans", json={"scanType": "text", "text": "pay for dinner? see you at 7"}
        ).json()["data"]
    assert said["verdict"] == "ham"
    assert {reason["kind"] for reason in said["reasons"]} <= {"whole", "calm"}
    assert said["advice"]["whoToTell"] is None


def test_a_mail_as_it_was_received_is_judged_by_what_its_reader_sees(api: RunningApi) -> None:
    mail = (
        "From: Royal Mail <a@rm.example>\nSubject: You win\nContent-Type: text/html\n\n"
        '<p>Pay the fee: <a href="https://royalmail-fee.example/x">royalmail.com</a></p>'
    )
    with http(api, "ada", "user") as client:
        refused = client.post("/api/v2/scans/mail", json={"mail": "no mail at all"})
        assert refused.status_code == 422
        assert ".eml" in refused.json()["detail"]
        answer = client.post("/api/v2/scans/mail", json={"mail": mail})
        said = answer.json()["data"]
        kept = client.get(f"/api/v2/scans/{said['id']}").json()["data"]
    assert (said["scanType"], said["verdict"]) == ("phishing", "phishing")
    assert "royalmail.com (https://royalmail-fee.example/x)" in kept["text"]
    assert "link-not-theirs" in {reason["id"] for reason in said["reasons"]}


@pytest.mark.parametrize(
    "mail",
    [
        "Subject: you win\n" + "Content-Type: message/rfc822\n\n" * 5 + "\npay now",
        "Subject: you win\nContent-Type: text/html\n\npay now &#" + "1" * 9000 + ";",
        "Subject: you win\nContent-Type: text/plain; charset=utf-7\n\npay now +2AA-",
        "Subject: you win\nContent-Type: text/plain; charset=raw_unicode_escape\n\n\\ud800 pay now",
        "Subject: you win\nContent-Disposition: a; filename*=undefined''x\n\npay now",
        "Subject: you win\nContent-Type: text/plain; name*=a; name*0=b\n\npay now",
        "To: ada@example.org\n\n",
        "To: ada@example.org\nContent-Type: application/pdf\n\n%PDF",
    ],
)
def test_a_mail_that_was_made_to_break_its_reader_is_judged_all_the_same(
    api: RunningApi, mail: str
) -> None:
    with http(api, "ada", "user") as client:
        answer = client.post("/api/v2/scans/mail", json={"mail": mail})
    assert answer.status_code == 201, answer.text


def test_a_mail_that_is_too_much_is_refused_with_the_cure(api: RunningApi) -> None:
    mail = "Subject: you win\n" + "Content-Type: message/rfc822\n\n" * 3000 + "pay now"
    with http(api, "ada", "user") as client:
        refused = client.post("/api/v2/scans/mail", json={"mail": mail})
    assert refused.status_code == 413
    assert "scan them as a text" in refused.json()["detail"]
