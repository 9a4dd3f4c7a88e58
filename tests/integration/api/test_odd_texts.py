"""Messages that are hardly text are taken, judged and kept, and what was replaced is told."""

import json

import pytest

from shield.labels import FeedbackType
from tests.integration.api.steps import http
from tests.support.api import RunningApi


@pytest.mark.parametrize("text", ["", " \n", "\u2800\u3164", "\u200b\u2060", "\x00"])
def test_a_message_in_which_nothing_is_seen_is_taken(
    shared_api: RunningApi, someone: str, text: str
) -> None:
    with http(shared_api, someone) as client:
        answer = client.post("/api/v2/scans", json={"scanType": "text", "text": text})
        assert answer.status_code == 201, answer.text
        assert answer.json()["message"] == "Scanned."
    with shared_api.client(someone) as client:
        sent = client.send_feedback(answer.json()["data"]["id"], FeedbackType.CONFIRMED)
        assert sent.corrected_label == "ham"


def test_half_an_emoji_is_kept_as_a_replacement_and_told(
    shared_api: RunningApi, someone: str
) -> None:
    body = json.dumps({"scanType": "text", "text": "WIN \ud83d now"}).encode()
    with http(shared_api, someone) as client:
        answer = client.post(
            "/api/v2/scans", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["message"] == (
            "Scanned. 1 of its characters could not be read and counts as U+FFFD."
        )
    assert answer.json()["data"]["verdict"] == "spam"
