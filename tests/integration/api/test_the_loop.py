"""The life of one correction, over HTTP, on SQLite and on PostgreSQL."""

import pyarrow.parquet as pq

from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import LineageKind, ReviewAction, VersionRequest
from tests.support.api import RunningApi

A = "sha256:" + "a" * 64


def report(api: RunningApi, user: str, text: str) -> str:
    with api.client(user) as client:
        scan = client.scan(ScanType.TEXT, text)
        return client.send_feedback(scan.id, FeedbackType.FALSE_NEGATIVE).id


def approve(api: RunningApi, feedback_id: str) -> None:
    with api.client("rita", "reviewer") as client:
        client.review(feedback_id, ReviewAction.APPROVE, "seen")


def test_an_approved_correction_is_sealed_with_its_plain_text_and_used_up_by_an_ack(
    api: RunningApi,
) -> None:
    approve(api, report(api, "ann", "Claim your prize at once"))
    with api.client("pipeline", "pipeline") as service:
        leased = service.lease_batch(ModelType.SMS, "run-1", minimum=1)
        assert leased.batch is not None
        table = pq.read_table(api.artifacts_root / leased.batch.uri).to_pylist()
        version = service.register_version(
            ModelType.SMS, VersionRequest(digest=A, uri="packages/x", batches=[leased.batch.id])
        )
        acked = service.ack_batch(leased.batch.id, "run-1", version.name)
        again = service.ack_batch(leased.batch.id, "run-1", version.name)
        later = service.lease_batch(ModelType.SMS, "run-2", minimum=1)
    assert [(row["text"], row["label"], row["predicted"]) for row in table] == [
        ("Claim your prize at once", "spam", "ham")
    ]
    assert acked == again
    assert (later.outcome, later.count) == ("too_few", 0)


def test_the_same_run_gets_the_same_batch_even_after_it_was_acknowledged(api: RunningApi) -> None:
    approve(api, report(api, "ann", "Claim your prize"))
    with api.client("pipeline", "pipeline") as service:
        first = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        second = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        assert first is not None
        assert second is not None
        version = service.register_version(
            ModelType.SMS, VersionRequest(digest=A, uri="packages/x", batches=[first.id])
        )
        service.ack_batch(first.id, "run-1", version.name)
        third = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
    assert third is not None
    assert first.id == second.id == third.id
    assert third.status == "acknowledged"


def test_message_text_is_not_found_in_the_database_files(api: RunningApi) -> None:
    report(api, "ann", "xylophone-prize-marker")
    with api.services.engine.connect() as connection:
        from sqlalchemy import MetaData, select

        metadata = MetaData()
        metadata.reflect(api.services.engine)
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert "xylophone" not in str(tuple(row)), table.name


def test_a_run_that_seals_again_what_was_sealed_before_holds_it_when_it_asks_again(
    api: RunningApi,
) -> None:
    approve(api, report(api, "ann", "a parcel waits for ann"))
    with api.client("pipeline", "pipeline") as service:
        first = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        assert first is not None
        service.release_batch(first.id, "run-1", "it failed")
        api.clock.move_on(60)
        approve(api, report(api, "eve", "poisoned message of eve"))
        both = service.lease_batch(ModelType.SMS, "run-2", minimum=1).batch
        assert both is not None
        assert both.count == 2
        with api.client("root", "admin") as root:
            root.withdraw(LineageKind.REPORTER, "eve", "poison")
        again = service.lease_batch(ModelType.SMS, "run-2", minimum=1).batch
        assert again is not None
        assert (again.id, again.run_id, again.count) == (first.id, "run-2", 1)
        held = service.lease_batch(ModelType.SMS, "run-2", minimum=1).batch
        assert held is not None
        assert held.id == again.id
