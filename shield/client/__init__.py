"""A typed client of the HTTP API: `ShieldClient`, its calls in one module per noun.

Answers come back as `shield.wire` types, problem documents as `shield.errors` classes. Calls that
may be repeated safely are repeated on 503 and on connection errors, with growing pauses; `POST
/scans` is not.

    with ShieldClient("http://127.0.0.1:8000", token) as client:
        scan = client.scan(ScanType.TEXT, "You have won!")
        client.send_feedback(scan.id, FeedbackType.FALSE_NEGATIVE)
"""

from shield.client.batches import BatchCalls
from shield.client.connection import Page
from shield.client.contests import ContestCalls
from shield.client.known import KnownCalls
from shield.client.models import ModelCalls
from shield.client.records import RecordCalls
from shield.client.review import ReviewCalls
from shield.client.rollouts import RolloutCalls
from shield.client.runs import RunCalls
from shield.client.scans import ScanCalls
from shield.client.users import UserCalls
from shield.client.webhooks import WebhookCalls

__all__ = ["Page", "ShieldClient"]


class ShieldClient(
    ScanCalls,
    ReviewCalls,
    BatchCalls,
    ModelCalls,
    RunCalls,
    RolloutCalls,
    UserCalls,
    RecordCalls,
    KnownCalls,
    ContestCalls,
    WebhookCalls,
):
    """Calls the API as one user. Safe to share between threads."""
