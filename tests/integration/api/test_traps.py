"""What the first design of this system got wrong, each by name."""

import httpx
import pytest

from api.tables import Feedback
from shield.errors import (
    AlreadyExists,
    AlreadyReviewed,
    ContradictoryFeedback,
    Forbidden,
    IdempotencyKeyReused,
    LeaseLost,
    NotFound,
    UnknownLabel,
    VersionRejected,
)
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import ReviewAction, RolloutRequest, VersionRequest
from tests.integration.api.steps import DIGEST, decide, http, report, scan
from tests.support.api import RunningApi


def snapshot(api: RunningApi) -> list[tuple[object, ...]]:
    with api.services.sessions() as session:
        rows = session.query(Feedback).order_by(Feedback.id).all()
        return [(row.id, row.status, row.batch_id, row.updated_at) for row in rows]


def test_exporting_is_a_pure_read_that_uses_nothing_up(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    before = snapshot(api)
    with http(api, "root", "admin") as client:
        first = client.get("/api/v2/feedback/export").json()
        second = client.get("/api/v2/feedback/export").json()
    assert first == second
    assert first["count"] == len(first["data"]) == 1
    assert snapshot(api) == before


def test_too_few_corrections_are_not_burnt(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.SMS, "run-1", minimum=2).outcome == "too_few"
        assert service.batches() == []
        assert service.lease_batch(ModelType.SMS, "run-2", minimum=1).count == 1


def test_a_model_type_leases_only_its_own_corrections(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    mail = report(api, "bob", "your bank writes", kind=ScanType.PHISHING)
    decide(api, mail.id)
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.PHISHING, "run-p", minimum=1).count == 1
        assert service.lease_batch(ModelType.SMS, "run-s", minimum=1).count == 1


def test_corrections_are_not_used_up_before_a_version_is_registered(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    with api.client("pipeline", "pipeline") as service:
        batch = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        assert batch is not None
        with pytest.raises(NotFound, match="Register it before"):
            service.ack_batch(batch.id, "run-1", "sms-v7")
        service.release_batch(batch.id, "run-1", "training failed")
        again = service.lease_batch(ModelType.SMS, "run-2", minimum=1)
    assert again.count == 1


def test_a_dead_runs_lease_expires_and_its_corrections_return(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    with api.client("pipeline", "pipeline") as service:
        first = service.lease_batch(ModelType.SMS, "dead", minimum=1, lease_seconds=60).batch
        assert first is not None
        assert service.lease_batch(ModelType.SMS, "other", minimum=1).outcome == "too_few"
        api.clock.move_on(61)
        second = service.lease_batch(ModelType.SMS, "other", minimum=1)
        assert second.count == 1
        with pytest.raises(LeaseLost):
            service.renew_batch(first.id, "dead")


def test_a_lease_is_acknowledged_by_its_holder_alone(api: RunningApi) -> None:
    decide(api, report(api, "ann", "a parcel waits").id)
    with api.client("pipeline", "pipeline") as service:
        batch = service.lease_batch(ModelType.SMS, "mine", minimum=1).batch
        assert batch is not None
        version = service.register_version(
            ModelType.SMS, VersionRequest(digest=DIGEST, uri="packages/x", batches=[batch.id])
        )
        with pytest.raises(LeaseLost, match="belongs to run mine"):
            service.ack_batch(batch.id, "thief", version.name)


def test_feedback_on_somebody_elses_scan_is_not_found(shared_api: RunningApi, someone: str) -> None:
    theirs = scan(shared_api, someone, "hello there")
    with shared_api.client("stranger") as client, pytest.raises(NotFound):
        client.send_feedback(theirs.id, FeedbackType.FALSE_NEGATIVE)


def test_an_unknown_label_is_refused_and_never_read_as_ham(
    shared_api: RunningApi, someone: str
) -> None:
    own = scan(shared_api, someone, "hello there")
    with shared_api.client(someone) as client, pytest.raises(UnknownLabel, match="junk"):
        client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, actual_label="junk")


def test_a_claim_that_contradicts_the_verdict_is_refused_with_the_reason(
    shared_api: RunningApi, someone: str
) -> None:
    own = scan(shared_api, someone, "hello there")
    with (
        shared_api.client(someone) as client,
        pytest.raises(ContradictoryFeedback, match="only a scam verdict"),
    ):
        client.send_feedback(own.id, FeedbackType.FALSE_POSITIVE)


def test_a_scan_type_that_is_not_the_scans_is_refused(shared_api: RunningApi, someone: str) -> None:
    own = scan(shared_api, someone, "hello there")
    with http(shared_api, someone) as client:
        answer = client.post(
            "/api/v2/feedback",
            json={"scanId": own.id, "scanType": "voice", "feedbackType": "false_negative"},
        )
    assert answer.status_code == 422
    assert "of type 'text'" in answer.json()["message"]


def test_the_same_idempotency_key_and_body_give_the_same_answer_another_body_a_422(
    shared_api: RunningApi, someone: str
) -> None:
    own = scan(shared_api, someone, "hello there")
    with shared_api.client(someone) as client:
        first = client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, idempotency_key="k-1")
        again = client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, idempotency_key="k-1")
        assert first == again
        with pytest.raises(IdempotencyKeyReused):
            client.send_feedback(own.id, FeedbackType.CONFIRMED, idempotency_key="k-1")


def test_a_report_can_be_changed_while_it_waits_and_not_after(
    shared_api: RunningApi, someone: str
) -> None:
    own = scan(shared_api, someone, "hello there, changeable")
    with shared_api.client(someone) as client:
        first = client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE)
        second = client.send_feedback(own.id, FeedbackType.CONFIRMED, comment="oh no")
        assert (first.id, second.corrected_label, second.comment) == (second.id, "ham", "oh no")
        decide(shared_api, first.id)
        with pytest.raises(AlreadyReviewed, match="reviewed"):
            client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE)


def test_two_reviewers_racing_the_second_gets_a_409_that_names_the_first(
    shared_api: RunningApi, someone: str
) -> None:
    item = report(shared_api, someone, f"racing {someone}")
    decide(shared_api, item.id, reviewer="rita")
    with pytest.raises(AlreadyReviewed, match="rita has approved"):
        decide(shared_api, item.id, ReviewAction.REJECT, reviewer="otto")


def test_nobody_reviews_their_own_report(shared_api: RunningApi) -> None:
    item = report(shared_api, "rudi", "a report of a reviewer")
    with pytest.raises(Forbidden, match="your own report"):
        decide(shared_api, item.id, reviewer="rudi")
    with shared_api.client("rudi", "reviewer") as client:
        assert item.id not in [one.id for one in client.pending(limit=200)]


def test_registering_a_digest_again_keeps_its_name_and_never_overwrites_it(
    api: RunningApi,
) -> None:
    with api.client("pipeline", "pipeline") as service:
        request = VersionRequest(digest=DIGEST, uri="packages/x", metrics={"recall": 0.5})
        first = service.register_version(ModelType.SMS, request)
        again = service.register_version(
            ModelType.SMS, request.model_copy(update={"metrics": {"recall": 0.9}})
        )
        assert first == again
        with pytest.raises(AlreadyExists, match="immutable"):
            service.register_version(ModelType.SMS, request.model_copy(update={"uri": "y"}))


@pytest.mark.parametrize("name", ["..", "../x", "%2e%2e", "a/../b", "SMS-V1", "a" * 64, "\x00"])
def test_a_version_name_cannot_leave_its_folder(shared_api: RunningApi, name: str) -> None:
    with http(shared_api, "root", "admin") as client:
        quoted = httpx.QueryParams({"": name}).__str__()[1:]
        answer = client.get(f"/api/v2/models/sms/versions/{quoted}")
    assert answer.status_code in (404, 405, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("status", ["refused", "tainted"])
def test_a_refused_or_tainted_version_is_never_rolled_out(api: RunningApi, status: str) -> None:
    with api.client("pipeline", "pipeline") as service, api.client("root", "admin") as admin:
        request = VersionRequest(
            digest=DIGEST,
            uri="packages/x",
            status="refused" if status == "refused" else "candidate",
            refusal="recall fell" if status == "refused" else None,
        )
        version = service.register_version(ModelType.SMS, request)
        if status == "tainted":
            admin.taint(ModelType.SMS, version.name, "poisoned campaign")
        with pytest.raises(VersionRejected, match=r"recall fell|poisoned campaign"):
            service.request_rollout(ModelType.SMS, RolloutRequest(version=version.name))


def test_rolling_back_needs_an_admin_and_a_reason(shared_api: RunningApi) -> None:
    for roles, params, status in (
        ((), {"model_type": "sms", "reason": "bad"}, 401),
        (("user",), {"model_type": "sms", "reason": "bad"}, 403),
        (("reviewer",), {"model_type": "sms", "reason": "bad"}, 403),
        (("admin",), {"model_type": "sms"}, 422),
    ):
        with http(shared_api, "somebody", *roles) as client:
            if not roles:
                client.headers.pop("Authorization")
            assert client.post("/models/rollback", params=params).status_code == status


def test_an_outage_of_the_database_reads_as_503_and_not_as_nothing(api: RunningApi) -> None:
    from sqlalchemy import text

    with api.services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE batches RENAME TO batches_gone"))
    with http(api, "pipeline", "pipeline") as client:
        answer = client.get("/api/v2/batches")
    assert answer.status_code >= 500
    assert answer.json()["success"] is False


def test_the_oldest_item_is_not_starved_by_newer_and_more_urgent_ones(api: RunningApi) -> None:
    old = report(api, "ann", "an old and boring message about nothing")
    api.clock.move_on(6 * 86400)
    for number in range(30):
        report(api, f"user{number}", f"maybe urgent {'x' * number} offer {number}", CONFIRMED)
    with api.client("rita", "reviewer") as client:
        assert client.pending(limit=1).items[0].id == old.id


CONFIRMED = FeedbackType.CONFIRMED


def test_cursor_paging_neither_repeats_nor_loses_an_item_while_others_are_decided(
    api: RunningApi,
) -> None:
    ids = {report(api, f"user{n}", f"message {chr(97 + n) * 12}").id for n in range(12)}
    seen: list[str] = []
    cursor = None
    with api.client("rita", "reviewer") as client:
        while True:
            page = client.pending(limit=3, cursor=cursor)
            seen += [item.id for item in page]
            client.review(page.items[0].id, ReviewAction.APPROVE)
            cursor = page.pagination.next_cursor
            if cursor is None:
                break
    assert sorted(seen) == sorted(ids)


def test_a_false_positive_rate_is_no_share_of_feedback(api: RunningApi) -> None:
    scanned = scan(api, "ann", "you win")
    with api.client("ann") as client:
        item = client.send_feedback(scanned.id, FeedbackType.FALSE_POSITIVE)
    decide(api, item.id)
    with api.client("rita", "reviewer") as client:
        stats = client.stats()
    assert stats.by_type["false_positive"] == 1
    assert stats.rates.false_positive_rate.value is None, "reports alone cannot say it"


def test_bodies_that_are_too_large_or_no_json_are_refused(shared_api: RunningApi) -> None:
    with http(shared_api, "ann") as client:
        large = client.post("/api/v2/scans", json={"scanType": "text", "text": "x" * 300_000})
        chunked = client.post("/api/v2/scans", content=(b"x" * 10_000 for _ in range(40)))
        broken = client.post("/api/v2/scans", content=b"{", headers={"Content-Type": "text/json"})
    assert [large.status_code, chunked.status_code] == [413, 413]
    assert broken.status_code in (400, 422)


@pytest.mark.parametrize(
    "value",
    ["[" * 900 + "]" * 900, "[" * 9000 + "]" * 9000, "NaN", "1e999", r'"\ud800"'],
)
def test_facts_that_nobody_could_read_back_are_refused_and_spoil_no_list(
    shared_api: RunningApi, value: str
) -> None:
    version = f'{{"digest": "{DIGEST}", "uri": "p", "metrics": {{"a": {value}}}}}'
    run = f'{{"outcome": "running", "steps": {{"a": {value}}}}}'
    as_json = {"Content-Type": "application/json"}
    with http(shared_api, "pipeline", "pipeline") as client:
        client.post("/api/v2/runs", json={"runId": "facts", "modelType": "voice"})
        answers = [
            client.post("/api/v2/models/voice/versions", content=version, headers=as_json),
            client.patch("/api/v2/runs/facts", content=run, headers=as_json),
        ]
        assert {answer.status_code for answer in answers} <= {400, 422}
        assert [answer.json()["success"] for answer in answers] == [False, False]
        for path in ("/api/v2/models/voice/versions", "/models/versions", "/api/v2/runs"):
            assert client.get(path).status_code == 200


def test_a_contradiction_is_told_in_words_that_a_phone_can_show(
    shared_api: RunningApi, someone: str
) -> None:
    own = scan(shared_api, someone, "hello there")
    with http(shared_api, someone) as client:
        body = {"scanId": own.id, "feedbackType": "false_positive"}
        said = client.post("/api/v2/feedback", json=body).json()["message"]
    assert said.startswith("'false_positive' cannot be said of the verdict 'ham'")


def test_requests_are_counted_under_the_route_that_the_document_names(
    shared_api: RunningApi, someone: str
) -> None:
    scan(shared_api, someone, "hello there")
    with http(shared_api, "root", "admin") as client:
        client.get("/models/versions")
        client.get("/api/v2/models/versions")
        client.get(f"/api/v2/feedback/export/{someone}")
        shown = client.get("/metrics").text
    for route in ("/api/v2/scans", "/models/versions", "/api/v2/models/versions", "other"):
        assert f'route="{route}"' in shown
    assert someone not in shown, "never under its path: names would be in it"
