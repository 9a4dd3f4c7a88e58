"""Tables that grow without end, in partitions by time (PostgreSQL; SQLite keeps one table).

The key of such a table is an id of `api.kit.ids`, which begins with its time: ranges of ids are
ranges of time, and the key stays the id alone. There are

- `TABLE_before`: everything before the first period that has a partition of its own,
- `TABLE_YYYYMMDD`: one day (or one month, where nothing is ever dropped),
- `TABLE_rest`: what has no partition yet; empty unless nobody made any for a week.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from api.kit.database import lock
from api.kit.ids import first_id, time_of

Period = Literal["day", "month"]
AHEAD = timedelta(days=7)
"""Partitions are made so long before they are needed."""
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '3s'"
"""Whoever waits for a lock on a table holds up everybody who comes later: better try again."""
_BOUND = re.compile(r"FROM \((.+)\) TO \('([0-9a-f]{32})'\)")
_PARTITIONS = text(
    "SELECT child.relname, pg_get_expr(child.relpartbound, child.oid) FROM pg_inherits "
    "JOIN pg_class child ON child.oid = inhrelid WHERE inhparent = to_regclass(:name)"
)


@dataclass(frozen=True)
class Partition:
    """One range of ids."""

    name: str
    end: str
    """The first id that is not in it."""

    @property
    def ends_at(self) -> datetime:
        """Return when it ends."""
        return time_of(self.end)


def is_own_table(name: str | None, kind: str, parents: object) -> bool:
    """Tell whether Alembic should compare something: all but what is a partition."""
    return kind != "table" or re.search(r"_(before|rest|\d{8})$", name or "") is None


def partitions(session: Session, table: str) -> Sequence[Partition]:
    """Return the partitions in order of time, `TABLE_before` first; none: it has no partitions."""
    if session.get_bind().dialect.name != "postgresql":
        return []
    days = []
    for name, bound in session.connection().execute(_PARTITIONS, {"name": table}):
        if match := _BOUND.search(bound):
            days.append(Partition(name, match[2]))
    return sorted(days, key=lambda one: one.end)


def make_ahead(session: Session, table: str, now: datetime, period: Period) -> int:
    """Make the partitions of the coming week; return how many were missing.

    What went to `TABLE_rest` for want of one is moved.
    """
    present = partitions(session, table)
    if not present or present[-1].ends_at > now + AHEAD:
        return 0
    lock(session, f"partitions of {table}")
    session.execute(text(_LOCK_TIMEOUT))
    present, made = partitions(session, table), 0
    start = present[-1].ends_at
    while start <= now + AHEAD:
        end = _next(start, period)
        _make(session, table, start, end)
        start, made = end, made + 1
    return made


def _next(start: datetime, period: Period) -> datetime:
    day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _make(session: Session, table: str, start: datetime, end: datetime) -> None:
    name, first, last = f"{table}_{start:%Y%m%d}", first_id(start), first_id(end)
    # Made apart and attached: to make it inside the table would stop all who read and write.
    session.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    session.execute(text(f"LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE"))
    session.execute(
        text(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE id >= '{first}' AND id < '{last}' "
            f"RETURNING *) INSERT INTO {name} SELECT * FROM moved"
        )
    )
    session.execute(
        text(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')"
        )
    )


def prepare_fold(session: Session, table: str, before: datetime) -> Partition | None:
    """Return the oldest partition if it ends by then, for `fold` after a commit.

    `TABLE_before` promises here, while others read and write, to hold only what is older: so it
    need not be read while they wait.
    """
    oldest = next((one for one in partitions(session, table)[1:2] if one.ends_at <= before), None)
    if oldest is None:
        return None
    lock(session, f"partitions of {table}")
    session.execute(text(_LOCK_TIMEOUT))
    session.execute(text(f"ALTER TABLE {table}_before DROP CONSTRAINT IF EXISTS {table}_older"))
    session.execute(
        text(
            f"ALTER TABLE {table}_before ADD CONSTRAINT {table}_older "
            f"CHECK (id < '{oldest.end}') NOT VALID"
        )
    )
    session.commit()
    session.execute(text(f"ALTER TABLE {table}_before VALIDATE CONSTRAINT {table}_older"))
    return oldest


def fold(session: Session, table: str, oldest: Partition, kept: str) -> int | None:
    """Drop the oldest partition, but for what must stay; return how many rows went.

    What stays moves to `TABLE_before`. A lock is held on the table meanwhile: for milliseconds,
    since only what stays is read.

    Args:
        session: In a transaction that is committed by the caller.
        table: The table.
        oldest: What `prepare_fold` has returned.
        kept: SQL that selects the ids that must stay, between `:first` and `:end`.

    Returns:
        Rows dropped, by PostgreSQL's own estimate; None: another process was quicker.
    """
    lock(session, f"partitions of {table}")
    session.execute(text(_LOCK_TIMEOUT))
    before, *rest = partitions(session, table)
    if not rest or rest[0] != oldest:
        return None
    counted = text("SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE relname = :name")
    rows = int(session.scalar(counted, {"name": oldest.name}) or 0)
    session.execute(text(f"ALTER TABLE {table} DETACH PARTITION {before.name}"))
    session.execute(text(f"ALTER TABLE {table} DETACH PARTITION {oldest.name}"))
    moved = text(
        f"INSERT INTO {before.name} SELECT * FROM {oldest.name} WHERE id IN ({kept}) RETURNING 1"
    )
    stayed = len(session.execute(moved, {"first": before.end, "end": oldest.end}).all())
    session.execute(text(f"DROP TABLE {oldest.name}"))
    session.execute(
        text(
            f"ALTER TABLE {table} ATTACH PARTITION {before.name} "
            f"FOR VALUES FROM (MINVALUE) TO ('{oldest.end}')"
        )
    )
    session.execute(text(f"ALTER TABLE {before.name} DROP CONSTRAINT {table}_older"))
    return max(0, rows - stayed)
