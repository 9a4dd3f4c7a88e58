"""The journeys of the loop by hand: over HTTP and the command line, on the real system."""

import csv
import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shield.errors import AlreadyReviewed, ContradictoryFeedback, VersionRejected
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import FeedbackStatus, ReviewAction, RolloutRequest, ScanRead
from tests.support.system import System, running_system, serve, wait_until_serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("system")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("journeys")
    with running_system(folder / "home") as system:
        serve(system, folder)
        yield system
    shutil.rmtree(folder)  # most of a gigabyte


def scan(system: System, user: str, text: str) -> ScanRead:
    with system.client(user, "user") as phone:
        return phone.scan(ScanType.TEXT, text)


def wrong(found: ScanRead) -> FeedbackType:
    """Return the claim that contradicts a verdict."""
    spam = found.verdict == "spam"
    return FeedbackType.FALSE_POSITIVE if spam else FeedbackType.FALSE_NEGATIVE


def test_the_feedback_api_accepts_corrections(system: System) -> None:
    found = scan(system, "ann", "Your parcel waits, pay 1.99 at http://fee.example now")
    with system.client("ann", "user") as phone:
        sent = phone.send_feedback(found.id, wrong(found), comment="no", idempotency_key="tap-1")
        again = phone.send_feedback(found.id, wrong(found), comment="no", idempotency_key="tap-1")
        other = (
            FeedbackType.FALSE_NEGATIVE
            if wrong(found) is FeedbackType.FALSE_POSITIVE
            else FeedbackType.FALSE_POSITIVE
        )
        with pytest.raises(ContradictoryFeedback):
            phone.send_feedback(found.id, other)
    assert sent.status is FeedbackStatus.PENDING
    assert again.id == sent.id
    assert {sent.original_label, sent.corrected_label} == {"spam", "ham"}


def test_an_admin_reviews_pending_feedback(system: System) -> None:
    found = scan(system, "bob", "Dinner at eight? I bring the wine and some bread")
    with system.client("bob", "user") as phone:
        sent = phone.send_feedback(found.id, wrong(found))
    with system.client("rosa", "admin", "reviewer") as rosa:
        waiting = {item.id: item for item in rosa.pending(limit=200)}
        assert waiting[sent.id].scan.text == "Dinner at eight? I bring the wine and some bread"
        decided = rosa.review(sent.id, ReviewAction.REJECT, "the verdict was right")
        assert decided.status is FeedbackStatus.REJECTED
        assert sent.id not in {item.id for item in rosa.pending(limit=200)}
    with (
        system.client("ramon", "reviewer") as ramon,
        pytest.raises(AlreadyReviewed, match="rosa"),
    ):
        ramon.review(sent.id, ReviewAction.APPROVE)


def test_approved_feedback_is_exported_correctly(system: System) -> None:
    text = '=HYPERLINK("http://evil.example"), "prize", 1000'
    found = scan(system, "cat", text)
    with system.client("cat", "user") as phone:
        sent = phone.send_feedback(found.id, wrong(found))
    with system.client("rosa", "admin", "reviewer") as rosa:
        rosa.review(sent.id, ReviewAction.APPROVE)
        import json

        rows = {row["id"]: row for row in json.loads(rosa.export("json"))["data"]}
        table = {row["id"]: row for row in csv.DictReader(io.StringIO(rosa.export("csv").decode()))}
        assert rosa.export("csv") == rosa.export("csv")  # a read changes nothing
    assert rows[sent.id]["text"] == text
    assert rows[sent.id]["correctedLabel"] == sent.corrected_label
    assert rows[sent.id]["originalLabel"] == found.verdict
    assert table[sent.id]["correctedLabel"] == sent.corrected_label
    assert not table[sent.id]["text"].startswith("=")  # no spreadsheet runs it


def test_the_registry_tracks_versions(system: System, tmp_path: Path) -> None:
    with system.client("admin", "admin") as admin:
        before = admin.champion(ModelType.SMS)
        name = serve(system, tmp_path, variant=1)
        versions = {version.name: version for version in admin.versions(ModelType.SMS)}
        actions = [(line.action, line.version) for line in admin.ledger(ModelType.SMS)]
    assert versions[name].digest != versions[before.name].digest
    assert versions[name].status == "deployed"
    assert versions[before.name].status == "retired"
    assert ("promote", name) in actions
    listed = system.shieldctl("model", "list", "sms")
    assert [version["name"] for version in listed] == list(versions)


def test_rollback_restores_the_previous_good_model(system: System, tmp_path: Path) -> None:
    with system.client("admin", "admin") as admin:
        good = admin.champion(ModelType.SMS).name
        bad = serve(system, tmp_path, variant=2)
        # The API hears of the split a moment after it was written; an undo is in force at once.
        wait_until(lambda: scan(system, "dan", "Call now to win").model_version == bad)
        system.shieldctl("rollout", "undo", "sms", "--reason", "it blocks the bank's messages")
        wait_until_serving(admin, good)
        assert scan(system, "dan", "Call now to win").model_version == good
        # Whoever undoes again must not get the bad version back.
        try:
            admin.undo_rollout(ModelType.SMS, "once more, to be sure")
        finally:
            time.sleep(1)
            stable = admin.rollout(ModelType.SMS).status.stable
        assert stable is not None
        assert stable.name != bad
        with pytest.raises(VersionRejected):
            admin.request_rollout(ModelType.SMS, RolloutRequest(version=bad))
