"""An API with two or more of everything that has an id."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shield.labels import ModelType
from shield.wire import ContestRequest, FeedRequest, NamedKind, VersionRequest, WebhookRequest
from tests.integration.api.conftest import serve
from tests.integration.api.steps import decide, report, scan
from tests.integration.api.test_known import SCAM
from tests.support.api import RunningApi
from tests.support.waiting import wait_until


@pytest.fixture
def full_api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API with two or more of everything that has an id."""
    with ExitStack() as stack:
        running = serve(stack, tmp_path)
        with running.client("rita", "admin", "reviewer") as rita:
            for number in (1, 2):
                url = f"https://hooks.example.org/{number}"
                rita.add_webhook(WebhookRequest(url=url, events=["version.*"]))
                key = "A" * 42 + "EI"[number - 1] + "="
                rita.add_feed(FeedRequest(name=f"other {number}", public_key=key))
                scan(running, "rita", f"hello number {number}")
                said = f"You win voucher {number} at our shop, see https://shop.example/{number}"
                rita.contest(ContestRequest(text=said, reason="We are the shop."))
                _batch(running, number)
            for text in ("your bank is closed", "call this number", "a gift waits", "hello mum"):
                report(running, "ann", f"{text}: pay at https://{text.split()[-1]}.example/x")
            for number in range(1, 13):
                digest = f"sha256:{number:02d}{'e' * 62}"
                rita.register_version(
                    ModelType.SMS, VersionRequest(digest=digest, uri=f"packages/{number}")
                )
            for run in ("weekly-sms-1-monday", "weekly-sms-2-monday"):
                rita.start_run(run, ModelType.SMS)
            wait_until(lambda: len(rita.names(NamedKind.EVENT, "msg_")) > 1, "no event was told")
        yield running


def _batch(api: RunningApi, number: int) -> None:
    """Seal a batch of one correction, whose campaign two reviewers have decided."""
    text = SCAM.replace("post-pay", f"post-pay-{number}").replace("parcel", "parcel " * number)
    for reporter, reviewer in ((f"one-{number}", "rita"), (f"two-{number}", "otto")):
        decide(api, report(api, reporter, text).id, reviewer=reviewer)
    with api.client("pipeline", "pipeline") as pipeline:
        sealed = pipeline.lease_batch(ModelType.SMS, f"run-{number}", minimum=1).batch
    assert sealed is not None
