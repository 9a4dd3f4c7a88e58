"""Lists cost the same whatever the tables hold: the rows that statements read are counted."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, func, select, text

from api.audit import service as audit
from api.campaigns import finding
from api.contests import desk as contests
from api.inbox import service as inbox
from api.kit import paging
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.database import UtcDateTime
from api.kit.paging import PageRequest
from api.kit.tokens import Role
from api.known import service as known
from api.metrics import service as metrics
from api.metrics.history import history
from api.review import assigning, guide, quality, queue, queues, repository
from api.review.views import View
from api.tables import AuditRow
from shield.labels import ModelType
from shield.wire import KnownStanding
from tests.support.api import running_services
from tests.support.effort import Effort, counted_effort
from tests.support.postgres import new_migrated_database

FEW, MANY = 1_000, 8_000
"""Numbers of users, scans, reports and campaigns; half of the reports wait."""
_COUNTED = 100
_FIRST = PageRequest(20, 1, None)
# Each table's columns, and their values for the number `n`; `{id}` is its id.
_ROWS = {
    "users": {
        "id": "'u' || {id}",
        "pseudonym": "'p-' || n",
        "audit_consent": "false",
        "approved": "0",
        "rejected": "0",
        "record_approved": "0",
        "record_rejected": "0",
        "created_at": ":now",
    },
    "scans": {
        "id": "{id}",
        "user_id": "'u' || {id}",
        "scan_type": "'text'",
        "model_type": "'sms'",
        "fingerprint": "{id}",
        "verdict": "'ham'",
        "positive": "false",
        "probability": "0.2",
        "confidence": "0.8",
        "model_version": "'sms-v1'",
        "arm": "'stable'",
        "forced": "false",
        "latency_ms": "2",
        "created_at": ":now",
    },
    "feedback": {
        "id": "{id}",
        "source": "CASE n % 10 WHEN 5 THEN 'gold' ELSE 'report' END",
        "scan_id": "{id}",
        "user_id": "'u' || {id}",
        "scan_type": "'text'",
        "model_type": "'sms'",
        "feedback_type": "'false_negative'",
        "original_label": "'ham'",
        "corrected_label": "'spam'",
        "model_version": "'sms-v1'",
        "status": "CASE n % 2 WHEN 0 THEN 'pending' ELSE 'approved' END",
        "reviewed_at": "CASE n % 2 WHEN 1 THEN :now END",
        "approved_at": "CASE n % 2 WHEN 1 THEN :now END",
        "looks_needed": "1",
        "looks": "n % 2",
        "campaign_id": "{id}",
        "queue_key": "n",
        "created_at": ":now",
        "updated_at": ":now",
    },
    "campaigns": {
        "id": "{id}",
        "model_type": "'sms'",
        "sample_scan_id": "{id}",
        "sample_sealed": "CAST('' AS {bytes})",
        "signed": "''",
        "pending": "1 - n % 2",
        "reports": "1",
        "burst": "false",
        "language": "CASE WHEN n <= 50 THEN 'es' ELSE 'en' END",
        "tactic": "''",
        "queue_key": "n",
        "first_seen": ":now",
        "last_seen": ":now",
    },
    "campaign_fingerprints": {
        "fingerprint": "{id}",
        "model_type": "'sms'",
        "campaign_id": "{id}",
    },
    "campaign_bands": {"band": "n", "campaign_id": "{id}"},
    "reviews": {
        "id": "{id}",
        "feedback_id": "{id}",
        "reviewer": "CASE n % 3 WHEN 1 THEN 'otto' ELSE 'rita' END",
        "decision": "{id}",
        "action": "'approve'",
        "scope": "'item'",
        "look": "1 + n % 2",
        "at": "{past}",
        "correct": "CASE n % 10 WHEN 5 THEN n % 20 = 5 END",
    },
    "audit_log": {
        "sequence": "n",
        "at": ":now",
        "actor": "'rita'",
        "action": "CASE WHEN n <= 5 THEN 'known.undo' ELSE 'message.read' END",
        "subject": "CASE WHEN n <= 5 THEN 'k-1' ELSE 'queue' END",
        "reason": "''",
        "details": "'{{}}'",
        "previous_hash": "{id}",
        "hash": "{id}",
    },
    "known_campaigns": {
        "id": "{id}",
        "sequence": "n",
        "model_type": "CASE WHEN n <= 5 THEN 'phishing' ELSE 'sms' END",
        "campaign_id": "'k' || substr({id}, 2)",
        "label": "'spam'",
        "positive": "true",
        "standing": "CASE WHEN n <= 5 THEN 'confirmed' ELSE 'expired' END",
        "any_host": "false",
        "kin": "false",
        "sketch": "CAST('' AS {bytes})",
        "signed": "''",
        "reviewers": "'[]'",
        "reporters": "1",
        "why": "''",
        "checked": "'{{}}'",
        "created_at": ":now",
        "decided_at": ":now",
        "expires_at": ":now",
    },
    "notices": {
        "id": "{id}",
        "sequence": "n",
        "user_id": "CASE n % 2 WHEN 1 THEN 'rita' ELSE 'u' || {id} END",
        "kind": "'decided'",
        "subject": "{id}",
        "scan_id": "{id}",
        "facts": "'{{}}'",
        "superseded": "false",
        "created_at": ":now",
        "read_at": "CASE WHEN n > 9 THEN :now END",
    },
}


# One campaign has all items: a flood that nobody has decided yet.
_FLOOD = {
    **_ROWS,
    "scans": {**_ROWS["scans"], "fingerprint": "'f'"},
    "feedback": {**_ROWS["feedback"], "campaign_id": "'c'"},
    "campaigns": {
        **_ROWS["campaigns"],
        "id": "CASE n WHEN 1 THEN 'c' ELSE {id} END",
        "pending": "CASE n WHEN 1 THEN :last / 2 ELSE 0 END",
        "reports": "CASE n WHEN 1 THEN :last ELSE 1 END",
    },
    "campaign_fingerprints": {"fingerprint": "'f'", "model_type": "'sms'", "campaign_id": "'c'"},
}


# The same number of rows a day, since long ago or not so long.
_AGED: dict[str, dict[str, str]] = {
    table: {
        name: value.replace(":now", "{past}") if name in ("created_at", "reviewed_at") else value
        for name, value in _ROWS[table].items()
    }
    for table in ("scans", "feedback")
}


on_both = pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))],
)


@on_both
def sizes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Services]:
    """Two databases, with few rows and with many."""
    return _opened(request.param, tmp_path_factory.mktemp("growth"), _ROWS)


@on_both
def floods(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Services]:
    """Two databases with one campaign, a small one and a large one."""
    return _opened(request.param, tmp_path_factory.mktemp("floods"), _FLOOD)


@on_both
def ages(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Services]:
    """Two databases with four scans and reports a day, of eight months and of five years."""
    return _opened(request.param, tmp_path_factory.mktemp("ages"), _AGED)


def _opened(kind: str, folder: Path, tables: Mapping[str, Mapping[str, str]]) -> list[Services]:
    opened = []
    for rows in (FEW, MANY):
        url = new_migrated_database() if kind == "postgresql" else None
        with running_services(folder / str(rows), url) as services:
            with services.engine.begin() as connection:
                fill(connection, rows, tables)
            if kind == "postgresql":  # autovacuum does it; SQLite plans without
                own = services.engine.execution_options(isolation_level="AUTOCOMMIT")
                with own.connect() as connection:
                    connection.exec_driver_sql("VACUUM ANALYZE")
                    # So small a table is else read whole for a hundred of its rows.
                    name = services.engine.url.database
                    connection.exec_driver_sql(f"ALTER DATABASE {name} SET random_page_cost = 1")
            opened.append(services)
    return opened


def fill(
    connection: Connection, rows: int, tables: Mapping[str, Mapping[str, str]] = _ROWS
) -> None:
    """Write so many rows into each table."""
    postgres = connection.dialect.name == "postgresql"
    words = {
        "id": "lpad(to_hex(n), 32, '0')" if postgres else "printf('%032x', n)",
        "bytes": "bytea" if postgres else "blob",
        "past": ":now - n * interval '6 hours'"
        if postgres
        else "datetime(:now, '-' || (6 * n) || ' hours')",
    }
    for table, columns in tables.items():
        values = ", ".join(columns.values()).format(**words)
        given: dict[str, Any] = {"last": rows}
        one = "" if "{id}" in "".join(columns.values()) else " WHERE n = 1"
        statement = text(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :last) "
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM s{one}"
        )
        if ":now" in values:
            statement = statement.bindparams(bindparam("now", type_=UtcDateTime))
            given["now"] = datetime.now(UTC)
        connection.execute(statement, given)


def _effort(services: Services, read: Callable[[Context], object], *roles: Role) -> Effort:
    who = Principal("rita", frozenset(roles or (Role.REVIEWER,)))
    with open_context(services, who, reads=True) as ctx, counted_effort(services.engine) as effort:
        read(ctx)
    return effort


def _queue(**changes: Any) -> Callable[[Context], object]:
    filters = queue.Filters(model_type=changes.pop("model_type", None))
    by_campaign = changes.pop("by_campaign", True)
    return lambda ctx: queue.page(
        ctx, _FIRST, filters, by_campaign=by_campaign, view=View(**changes)
    )


def _deep(read: Callable[[Context, PageRequest], object]) -> Callable[[Context], object]:
    """Return a reader of the page that follows on a cursor in the midst of the list."""

    def page(ctx: Context) -> object:
        rows = ctx.session.scalar(select(func.max(AuditRow.sequence))) or 0
        return read(ctx, PageRequest(20, 1, (rows // 2, "")))

    return page


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(_queue(), id="queue"),
        pytest.param(_queue(model_type=ModelType.SMS), id="queue of a model type"),
        pytest.param(_queue(sort="oldest"), id="oldest"),
        pytest.param(_queue(sort="largest"), id="largest"),
        pytest.param(_queue(by_campaign=False), id="items one by one"),
        pytest.param(lambda ctx: queue.waiting(ctx, queue.Filters()), id="number that wait"),
        pytest.param(
            _deep(lambda ctx, page: queue.page(ctx, page, by_campaign=True)), id="queue, midst"
        ),
        pytest.param(_queue(state="decided"), id="decided"),
        pytest.param(assigning.people, id="reviewers"),
        pytest.param(assigning.muted, id="muted"),
        pytest.param(guide.guide, id="guide"),
        pytest.param(quality.quality, id="quality of reviews"),
        pytest.param(_queue(language="en"), id="in a common language"),
        pytest.param(_queue(language="es"), id="in a rare language"),
        pytest.param(_queue(assigned="mine"), id="given to me"),
        pytest.param(queues.overview, id="queues"),
        pytest.param(_queue(reporter="p-20"), id="of a reporter"),
        pytest.param(_queue(muted="1"), id="of muted reporters"),
        pytest.param(lambda ctx: audit.page(ctx, _FIRST, None, None), id="audit"),
        pytest.param(_deep(lambda ctx, page: audit.page(ctx, page, None, None)), id="audit, midst"),
        pytest.param(lambda ctx: audit.page(ctx, _FIRST, "known.undo", None), id="audit, action"),
        pytest.param(lambda ctx: audit.page(ctx, _FIRST, None, "k-1"), id="audit, subject"),
        pytest.param(lambda ctx: known.page(ctx, _FIRST, None, None), id="known"),
        pytest.param(
            lambda ctx: known.page(ctx, _FIRST, None, ModelType.PHISHING), id="known, model type"
        ),
        pytest.param(
            lambda ctx: known.page(ctx, _FIRST, KnownStanding.CONFIRMED, None), id="known, standing"
        ),
        pytest.param(lambda ctx: contests.page(ctx, _FIRST), id="contests"),
        pytest.param(inbox.unread, id="unread notices"),
    ],
)
def test_a_page_reads_the_same_number_of_rows_whatever_the_tables_hold(
    sizes: list[Services], read: Callable[[Context], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", _COUNTED)
    monkeypatch.setattr(quality, "MOST", _COUNTED)
    monkeypatch.setattr(guide, "_READ", 20)
    _check(sizes, read)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(metrics.stats, id="all"),
        pytest.param(lambda ctx: metrics.stats(ctx, ModelType.SMS), id="a model type"),
        pytest.param(lambda ctx: history(ctx.session, ctx.now, None), id="weeks"),
    ],
)
def test_figures_of_thirty_days_read_the_same_number_of_rows_however_old_the_tables_are(
    ages: list[Services], read: Callable[[Context], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", _COUNTED)
    _check(ages, read)


def test_a_page_reads_the_same_number_of_rows_however_many_items_a_campaign_has(
    floods: list[Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", _COUNTED)
    monkeypatch.setattr(repository, "_MANY", _COUNTED)
    monkeypatch.setattr(repository, "_LOOKED_THROUGH", _COUNTED)
    _check(floods, _queue())


@pytest.mark.parametrize("number", [1, 2, 40])
def test_the_campaigns_of_new_messages_are_found_by_index(
    sizes: list[Services], number: int
) -> None:
    def find(ctx: Context) -> object:
        texts = [
            f"{chr(97 + at) * 9} your parcel {'xyz'[at % 3] * 7} waits" for at in range(number)
        ]
        messages = [finding.message_of(ctx.ring, "sms", text) for text in texts]
        return finding.find_each(ctx.session, ctx.ring, messages)

    _check(sizes, find)


def _check(sizes: list[Services], read: Callable[[Context], object]) -> None:
    few, many = (_effort(services, read) for services in sizes)
    assert few.statements
    assert many.total <= 1.5 * few.total + 10, sorted(
        ((work, statement) for statement, work in many.statements.items()), reverse=True
    )[:3]
