"""Erasure, lineage both ways, withdrawal, export."""

import csv
import io
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import MetaData, select

from api.settings import ApiSettings
from shield.errors import Invalid, NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import BatchRead, LineageKind, VersionRequest
from tests.integration.api.conftest import serve
from tests.integration.api.steps import DIGEST, decide, http, report, scan
from tests.support.api import RunningApi


def everything(api: RunningApi) -> str:
    """Return all rows of all tables and all stored snapshots as one text."""
    found = []
    metadata = MetaData()
    metadata.reflect(api.services.engine)
    with api.services.engine.connect() as connection:
        for table in metadata.sorted_tables:
            found += [str(tuple(row)) for row in connection.execute(select(table))]
    for file in api.artifacts_root.rglob("*.parquet"):
        found.append(str(pq.read_table(file).to_pylist()))
    return "\n".join(found)


def train(api: RunningApi, run: str = "run-1", digest: str = DIGEST) -> BatchRead:
    with api.client("pipeline", "pipeline") as service:
        batch = service.lease_batch(ModelType.SMS, run, minimum=1).batch
        assert batch is not None
        parents = service.versions(ModelType.SMS)
        version = service.register_version(
            ModelType.SMS,
            VersionRequest(
                digest=digest,
                uri="packages/x",
                batches=[batch.id],
                parent=parents[-1].name if parents else None,
            ),
        )
        return service.ack_batch(batch.id, run, version.name)


def test_an_erased_person_is_gone_from_database_and_snapshots_and_the_models_are_named(
    api: RunningApi,
) -> None:
    decide(api, report(api, "ann-to-forget", "my zebra-crossing message").id)
    decide(api, report(api, "bob", "the message of somebody else").id)
    report(api, "ann-to-forget", "my quagga message that waits")
    batch = train(api)
    with api.client("ann-to-forget") as ann:
        erased = ann.erase_me()
    assert (erased.scans, erased.feedback) == (2, 2)
    assert erased.versions == ["sms-v1"]
    assert erased.batches == [batch.id]
    remains = everything(api)
    for word in ("zebra", "quagga", "ann-to-forget"):
        assert word not in remains
    with api.client("pipeline", "pipeline") as service:
        kept = service.batches()[0]
        assert (kept.count, kept.status) == (1, "acknowledged")
        rows = pq.read_table(api.artifacts_root / kept.uri).to_pylist()
        assert [row["text"] for row in rows] == ["the message of somebody else"]
        assert service.lease_batch(ModelType.SMS, "next", minimum=0).count == 0
    with api.client("root", "admin") as admin:
        assert admin.audit_verify().broken_at is None


def test_one_erased_scan_is_gone_with_its_report_and_the_others_stay(api: RunningApi) -> None:
    gone = report(api, "ann", "my zebra-crossing message")
    decide(api, gone.id)
    kept = report(api, "ann", "my okapi message")
    batch = train(api)
    with api.client("ann") as ann, api.client("bob") as bob:
        with pytest.raises(NotFound, match="lists yours"):
            bob.erase_scan(gone.scan_id)
        erased = ann.erase_scan(gone.scan_id)
        assert (erased.scans, erased.feedback, erased.batches) == (1, 1, [batch.id])
        assert erased.versions == ["sms-v1"]
        assert "zebra-crossing" not in everything(api)
        assert [each.id for each in ann.scans()] == [kept.scan_id]
        with pytest.raises(NotFound):
            ann.erase_scan(gone.scan_id)
        all_of_it = ann.erase_scans()
        assert (all_of_it.scans, all_of_it.feedback) == (1, 1)
        assert ann.scans().items == []
        assert ann.me().subject == "ann"  # the account stays
    with api.client("rita", "reviewer") as rita:
        assert rita.pending().items == []


def test_a_repeated_erasure_leaves_what_came_after_it_was_asked_for(api: RunningApi) -> None:
    old = report(api, "ann", "my zebra-crossing message")
    with api.client("ann") as ann:
        asked = ann.scans().items[0].created_at
        new = report(api, "ann", "my okapi message")
        erased = ann.erase_scans(before=asked)
        assert (erased.scans, erased.feedback) == (1, 1)
        assert [each.id for each in ann.scans()] == [new.scan_id]
        assert ann.erase_scans(before=asked).scans == 0
        with pytest.raises(Invalid):
            ann._call("DELETE", "/scans", query={"before": "yesterday"})
        with pytest.raises(NotFound):
            ann.erase_scan(old.scan_id)
        # No clock of a caller reaches into the server's future.
        assert ann.erase_scans(before=asked + timedelta(days=900)).scans == 1
    assert "okapi" not in everything(api)


def test_lineage_names_every_version_that_learned_from_a_poisoned_reporter(
    api: RunningApi,
) -> None:
    poison = report(api, "eve", "poisoned message of eve")
    decide(api, poison.id)
    first = train(api)
    decide(api, report(api, "bob", "an honest message from bob").id)
    train(api, "run-2", "sha256:" + "b" * 64)
    with api.client("root", "admin") as admin:
        by_reporter = admin.lineage(LineageKind.REPORTER, "eve")
        assert [version.name for version in by_reporter.versions] == ["sms-v1", "sms-v2"]
        assert poison.campaign_id is not None
        for kind, name in (
            (LineageKind.FEEDBACK, poison.id),
            (LineageKind.CAMPAIGN, poison.campaign_id),
            (LineageKind.BATCH, first.id),
        ):
            assert admin.lineage(kind, name).versions == by_reporter.versions
        with pytest.raises(NotFound):
            admin.lineage(LineageKind.REPORTER, "nobody-knows")
        admin.taint(ModelType.SMS, "sms-v1", "poisoned by eve")
        assert [version.tainted for version in admin.versions(ModelType.SMS)] == [True, True]
    with api.client("pipeline", "pipeline") as service:
        child = service.register_version(
            ModelType.SMS,
            VersionRequest(digest="sha256:" + "c" * 64, uri="packages/y", parent="sms-v2"),
        )
    assert child.tainted, "what the parent has learned is in the child's weights"


def test_withdrawn_corrections_are_in_no_later_snapshot(api: RunningApi) -> None:
    decide(api, report(api, "eve", "poisoned message of eve").id)
    decide(api, report(api, "bob", "an honest message from bob").id)
    train(api)
    with api.client("root", "admin") as admin:
        assert admin.withdraw(LineageKind.REPORTER, "eve", "poison").feedback == 1
    with api.client("pipeline", "pipeline") as service:
        kept = service.batches()[0]
        rows = pq.read_table(api.artifacts_root / kept.uri).to_pylist()
        assert [row["text"] for row in rows] == ["an honest message from bob"]
        assert service.lease_batch(ModelType.SMS, "next", minimum=0).count == 0


def test_the_export_is_csv_that_no_spreadsheet_takes_for_a_formula(api: RunningApi) -> None:
    texts = [
        '=HYPERLINK("http://evil.example","win")',
        "+1 call me",
        'plain, with "quotes"\nand lines',
    ]
    for number, text in enumerate(texts):
        item = report(api, f"user{number}", text, _claim(text))
        decide(api, item.id)
        api.clock.move_on(60)
    with http(api, "root", "admin") as client:
        answer = client.get("/api/v2/feedback/export", params={"format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(answer.text)))
        as_json = client.get("/api/v2/feedback/export").json()
        assert [row[1] for row in rows[1:]] == ["'" + texts[0], "'" + texts[1], texts[2]]
        assert rows[0] == list(as_json["data"][0])
        later = client.get(
            "/api/v2/feedback/export", params={"since": as_json["data"][1]["timestamp"]}
        ).json()
        assert [row["text"] for row in later["data"]] == texts[1:]
        assert as_json["batchId"] is None
    batch = train(api)
    with http(api, "root", "admin") as client:
        named = client.get("/api/v2/feedback/export", params={"batchId": batch.id}).json()
        assert (named["batchId"], named["count"]) == (batch.id, 3)


def _claim(text: str) -> FeedbackType:
    return FeedbackType.CONFIRMED if "win" in text else FeedbackType.FALSE_NEGATIVE


def test_phishing_mails_keep_their_own_words(api: RunningApi) -> None:
    item = report(api, "ann", "verify your account", kind=ScanType.PHISHING)
    assert (item.original_label, item.corrected_label) == ("safe", "phishing")


def test_what_a_person_writes_beside_a_report_is_kept_sealed_even_with_a_key(
    api: RunningApi,
) -> None:
    own = scan(api, "ann", "hello there")
    with api.client("ann") as ann:
        said = {"comment": "ocelot-comment-marker", "idempotency_key": "tap-1"}
        first = ann.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, **said)
        again = ann.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, **said)
    assert first == again
    assert again.comment == "ocelot-comment-marker"
    assert "ocelot" not in everything(api)


def test_reading_ones_own_messages_is_audited_by_pseudonym_once_an_hour(api: RunningApi) -> None:
    own = scan(api, "ann", "hello there")
    with api.client("ann") as ann:
        for _ in range(20):
            ann.scans()
    with http(api, "ann") as client:
        assert client.get(f"/api/v2/scans/{own.id}").json()["data"]["text"] == "hello there"
    with api.client("rita", "reviewer") as rita:
        entries = rita.audit(action="message.own-read").items
        assert len(entries) == 1, "a loop of reads must not fill a log that is kept for ever"
        assert entries[0].actor.startswith("r-")
        assert rita.audit().items == [], "not between the decisions, unless asked for"
        assert rita.audit_verify().broken_at is None


def test_a_loop_of_reads_is_refused_and_writes_go_on(tmp_path: Path, database_url: str) -> None:
    assert ApiSettings.model_fields["rate_reads_per_user"].default == "600/minute"
    with ExitStack() as stack:
        api = serve(stack, tmp_path, database_url, rate_reads_per_user="20/hour")
        scan(api, "ann", "hello there")
        with http(api, "ann") as client:
            statuses = [client.get("/api/v2/scans?limit=1").status_code for _ in range(25)]
        assert statuses == [200] * 20 + [429] * 5
        scan(api, "ann", "hello again")


def test_the_log_of_a_withdrawal_does_not_keep_the_reporters_name(api: RunningApi) -> None:
    decide(api, report(api, "eve-by-name", "poisoned message of eve").id)
    with api.client("root", "admin") as admin:
        admin.withdraw(LineageKind.REPORTER, "eve-by-name", "poison")
        (entry,) = admin.audit(action="feedback.withdraw").items
        assert entry.subject.startswith("reporter:r-")


def test_lineage_says_when_it_does_not_know_what_serves(sqlite_api: RunningApi) -> None:
    from sqlalchemy import text

    item = report(sqlite_api, "eve", "poisoned message of eve")
    with sqlite_api.client("root", "admin") as admin:
        assert admin.lineage(LineageKind.FEEDBACK, item.id).serving == []
        with sqlite_api.services.engine.begin() as connection:
            connection.execute(text("DROP TABLE rollouts"))
        assert admin.lineage(LineageKind.FEEDBACK, item.id).serving is None


def test_a_campaign_outlives_the_person_who_sent_its_first_message(api: RunningApi) -> None:
    first = report(api, "ann", "Your parcel 4711 is held, pay 1.99 now at the office")
    second = report(api, "bob", "Your parcel 4711 is held, pay 1.99 now at the counter")
    assert first.campaign_id == second.campaign_id
    with api.client("ann") as ann:
        ann.erase_me()
    from api.kit.signature import bands
    from api.tables import CampaignBand, CampaignFingerprint
    from shield.similarity import form

    with api.services.sessions() as session:
        left = set(session.scalars(select(CampaignBand.band)))
        assert left == set(
            bands(
                form("Your parcel 4711 is held, pay 1.99 now at the counter"),
                "sms",
                api.services.ring,
            )
        )
        assert len(session.scalars(select(CampaignFingerprint.fingerprint)).all()) == 1
    third = report(api, "cat", "Your parcel 99 is held, pay 2.99 now at the counter")
    assert third.campaign_id == second.campaign_id
