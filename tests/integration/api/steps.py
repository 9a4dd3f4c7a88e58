"""Short words for what tests do again and again."""

import httpx

from shield.labels import FeedbackType, ScanType
from shield.wire import FeedbackRead, ReviewAction, ScanRead
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

DIGEST = "sha256:" + "a" * 64


def scan(api: RunningApi, user: str, text: str, kind: ScanType = ScanType.TEXT) -> ScanRead:
    with api.client(user) as client:
        return client.scan(kind, text)


def report(
    api: RunningApi,
    user: str,
    text: str,
    claim: FeedbackType = FeedbackType.FALSE_NEGATIVE,
    kind: ScanType = ScanType.TEXT,
) -> FeedbackRead:
    with api.client(user) as client:
        return client.send_feedback(client.scan(kind, text).id, claim)


def decide(
    api: RunningApi,
    feedback_id: str,
    action: ReviewAction = ReviewAction.APPROVE,
    reviewer: str = "rita",
) -> FeedbackRead:
    with api.client(reviewer, "reviewer") as client:
        return client.review(feedback_id, action, "seen")


def http(api: RunningApi, user: str, *roles: str) -> httpx.Client:
    """Return a plain client, for what the typed one cannot say."""
    return httpx.Client(
        base_url=api.url,
        headers={"Authorization": f"Bearer {api.token(user, *roles)}"},
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    )
