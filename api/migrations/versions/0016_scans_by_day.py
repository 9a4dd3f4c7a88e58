"""Scans in partitions by time (PostgreSQL), so that old days are dropped instead of deleted.

The table that is there becomes the partition of all that is older than tomorrow: no row is copied,
it is read once. SQLite keeps one table.

Revision ID: 0016
Revises: 0015
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_scans_owner": "user_id, created_at, id",
    "ix_scans_evidence": "model_type, model_version, created_at",
    "ix_scans_fingerprint": "fingerprint",
    "ix_scans_created_at": "created_at",
    "ix_scans_known": "known_id, created_at",
}
_DAYS = 8


def _first_id(moment: datetime) -> str:
    return f"{int(moment.timestamp() * 1000):012x}" + "0" * 20


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today + timedelta(days=number) for number in range(1, _DAYS + 2)]
    op.execute("ALTER TABLE scans RENAME TO scans_before")
    op.execute("ALTER TABLE scans_before RENAME CONSTRAINT pk_scans TO pk_scans_before")
    for name in _INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('scans', 'scans_before')}")
    op.execute("CREATE TABLE scans (LIKE scans_before INCLUDING DEFAULTS) PARTITION BY RANGE (id)")
    op.execute("ALTER TABLE scans ADD CONSTRAINT pk_scans PRIMARY KEY (id)")
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON scans ({columns})")
    for start, end in pairwise(days):
        op.execute(
            f"CREATE TABLE scans_{start:%Y%m%d} PARTITION OF scans "
            f"FOR VALUES FROM ('{_first_id(start)}') TO ('{_first_id(end)}')"
        )
    op.execute("CREATE TABLE scans_rest PARTITION OF scans DEFAULT")
    # What a clock that was ahead has written is of a later day.
    op.execute(
        f"WITH later AS (DELETE FROM scans_before WHERE id >= '{_first_id(days[0])}' RETURNING *) "
        "INSERT INTO scans SELECT * FROM later"
    )
    op.execute(
        "ALTER TABLE scans ATTACH PARTITION scans_before "
        f"FOR VALUES FROM (MINVALUE) TO ('{_first_id(days[0])}')"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE scans RENAME TO scans_parts")
    op.execute("ALTER TABLE scans_parts RENAME CONSTRAINT pk_scans TO pk_scans_parts")
    for name in _INDEXES:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('scans', 'scans_parts')}")
    op.execute("CREATE TABLE scans (LIKE scans_parts INCLUDING DEFAULTS)")
    op.execute("INSERT INTO scans SELECT * FROM scans_parts")
    op.execute("DROP TABLE scans_parts")
    op.execute("ALTER TABLE scans ADD CONSTRAINT pk_scans PRIMARY KEY (id)")
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON scans ({columns})")
