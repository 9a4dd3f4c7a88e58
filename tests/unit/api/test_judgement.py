"""Trust, rank, campaigns, kappa, the audit chain, snapshots: the pure parts."""

import random
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from scipy import stats

from api.audit.service import GENESIS, check_chain, hash_of
from api.batches.snapshot import SCHEMA, SnapshotRow, arrow_type, parquet
from api.campaigns import rank
from api.kit import signature, trust
from api.kit.keyring import KeyRing
from api.review.quality import cohens_kappa
from api.tables import AuditRow, Feedback
from shield.labels import FeedbackType, ScanType
from shield.similarity import form
from shield.spreadsheet import guarded, unguarded
from shield.wire import (
    ExportRow,
    FeedbackColumns,
    FeedbackRead,
    FeedbackRequest,
    PendingItem,
    ReportFacts,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.integers(0, 2000), st.integers(0, 2000))
@settings(max_examples=60)
def test_the_interval_of_trust_is_the_beta_posteriors(approved: int, rejected: int) -> None:
    posterior = stats.beta(approved + 2, rejected + 1)
    low, high = trust.interval(approved, rejected)
    assert low == pytest.approx(posterior.ppf(0.025), abs=1e-6)
    assert high == pytest.approx(posterior.ppf(0.975), abs=1e-6)
    assert trust.trust(approved, rejected) == pytest.approx(posterior.ppf(0.05), abs=1e-6)
    assert trust.mean(approved, rejected) == pytest.approx(posterior.mean())


def test_trust_is_earned_by_many_decisions_and_fades() -> None:
    record = trust.Record()
    assert record.trust(NOW) < 0.25
    for _ in range(2):
        record = record.decided(approved=True, by=1, now=NOW)
    assert record.trust(NOW) < 0.5, "two approvals make nobody immune to checks"
    for _ in range(20):
        record = record.decided(approved=True, by=1, now=NOW)
    assert record.trust(NOW) > 0.8
    assert record.trust(NOW + timedelta(days=720)) < 0.6, "a record is no pension"
    undone = record.decided(approved=True, by=-1, now=NOW)
    assert undone.approved == record.approved - 1
    assert trust.Record().decided(approved=False, by=-1, now=NOW).rejected == 0


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**9))
def test_no_bonus_exceeds_five_days_so_nothing_waits_longer_for_younger_items(
    trusted: float, probability: float, reach: int
) -> None:
    bonus = rank.item_bonus_seconds(trusted, probability) + rank.reach_bonus_seconds(reach)
    assert 0 <= bonus <= 5 * 86400


def test_a_wider_reach_and_a_better_reporter_and_an_unsure_model_come_first() -> None:
    assert rank.reach_bonus_seconds(100) > rank.reach_bonus_seconds(2)
    assert rank.item_bonus_seconds(0.9, 0.5) > rank.item_bonus_seconds(0.2, 0.5)
    assert rank.item_bonus_seconds(0.5, 0.5) > rank.item_bonus_seconds(0.5, 0.99)


def ring(secret: bytes = b"k" * 32) -> KeyRing:
    return KeyRing("a" * 8, {"a" * 8: b"x" * 32}, b"l" * 32, secret)


def test_fingerprints_and_bands_tell_nothing_without_the_key() -> None:
    said = form("Your parcel 4711 is held, pay 1.99 now at https://fee.example/a")
    ours, others = (
        (signature.fingerprint(said, one), set(signature.bands(said, "sms", one)))
        for one in (ring(), ring(b"j" * 32))
    )
    assert ours[0] != others[0]
    assert not ours[1] & others[1]
    assert len(ours[1]) == signature.BANDS
    assert not ours[1] & set(signature.bands(said, "voice", ring())), "model types never mix"
    elsewhere = form("Your parcel 4711 is held, pay 1.99 now at https://other.example/a")
    assert not ours[1] & set(signature.bands(elsewhere, "sms", ring())), "hosts never mix"


def test_kappa_is_agreement_beyond_chance() -> None:
    assert cohens_kappa([]) is None
    assert cohens_kappa([("approve", "approve"), ("reject", "reject")]) == 1.0
    assert cohens_kappa([("approve", "reject"), ("reject", "approve")]) == -1.0
    mixed = [("approve", "approve")] * 45 + [("reject", "reject")] * 15
    mixed += [("approve", "reject")] * 20 + [("reject", "approve")] * 20
    # 60 % agree, chance alone 0.65^2 + 0.35^2 = 54.5 %: (0.6 - 0.545) / (1 - 0.545)
    assert cohens_kappa(mixed) == pytest.approx(0.1208, abs=1e-3)


def test_kappa_gives_each_rater_a_distribution_of_their_own() -> None:
    pairs = [("approve", "approve")] * 20 + [("approve", "reject")] * 5
    pairs += [("reject", "approve")] * 10 + [("reject", "reject")] * 15
    # Cohen (1960): 70 % agree, chance 0.5 * 0.6 + 0.5 * 0.4 = 50 %. Scott's pi would be 0.394.
    assert cohens_kappa(pairs) == pytest.approx(0.4)


def chain(length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number in range(1, length + 1):
        row = AuditRow(
            sequence=number,
            at=NOW + timedelta(seconds=number),
            actor="rita",
            action="feedback.approve",
            subject=f"item-{number}",
            reason="",
            details={"covered": number},
            previous_hash=rows[-1].hash if rows else GENESIS,
        )
        row.hash = hash_of(row)
        rows.append(row)
    return rows


def test_an_untouched_chain_holds() -> None:
    rows = chain(5)
    verdict = check_chain(rows, rows[2].hash)
    assert (verdict.entries, verdict.broken_at, verdict.head) == (5, None, rows[-1].hash)


@pytest.mark.parametrize("at", range(5))
def test_a_changed_or_removed_entry_is_found_where_it_is(at: int) -> None:
    changed = chain(5)
    changed[at].reason = "something else"
    assert check_chain(changed).broken_at == at + 1
    removed = chain(5)
    if at < 4:
        del removed[at]
        assert check_chain(removed).broken_at == at + 1


def test_a_rewritten_tail_is_found_by_a_head_that_was_noted_elsewhere() -> None:
    rows = chain(5)
    noted = rows[-1].hash
    assert check_chain(rows[:4]).broken_at is None
    assert check_chain(rows[:4], noted).broken_at == 5


def row(number: int, text: str = "hello") -> SnapshotRow:
    return SnapshotRow(
        id=f"{number:04}",
        text=text,
        label="spam",
        predicted="ham",
        feedback_type=FeedbackType.FALSE_NEGATIVE,
        scan_type=ScanType.TEXT,
        reporter="r-1",
        campaign="c-1",
        trust=0.7,
        scanned_at=NOW,
        approved_at=NOW,
        model_version="sms-v1",
    )


def test_a_snapshots_bytes_follow_from_its_rows_in_any_order() -> None:
    rows = [row(number) for number in range(50)]
    shuffled = random.Random(1).sample(rows, 50)
    assert parquet(rows) == parquet(shuffled)
    assert parquet(rows) != parquet([*rows[:-1], row(49, "other")])


def test_a_shared_column_is_in_the_table_and_in_every_listing_export_and_snapshot() -> None:
    shared = set(FeedbackColumns.model_fields)
    assert set(ReportFacts.model_fields) <= shared
    assert shared <= set(Feedback.__table__.columns.keys())
    for shown in (FeedbackRead, PendingItem, ExportRow):
        assert shared <= set(shown.model_fields)
    assert shared <= set(SCHEMA.names)
    assert set(ReportFacts.model_fields) <= set(FeedbackRequest.model_fields)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str | None, "string"),
        (Annotated[str, Field(max_length=3)] | None, "string"),
        (FeedbackType, "string"),
        (int, "int64"),
        (datetime | None, "timestamp[us, tz=UTC]"),
    ],
)
def test_a_shared_column_has_its_type_in_snapshots(annotation: Any, kind: str) -> None:
    assert str(arrow_type(annotation)) == kind


def test_a_column_that_no_snapshot_can_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="no column type"):
        arrow_type(dict[str, Any])


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0"]
)
def test_a_formula_is_made_harmless(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["hello", "1+1", "a=b", ""])
def test_plain_text_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


@given(st.text("'= +a", max_size=8))
def test_what_was_guarded_comes_back_whatever_it_was(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
