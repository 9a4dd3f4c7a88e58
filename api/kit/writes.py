"""Insert rows of several tables at once, by cached statements.

On PostgreSQL all rows of all tables are inserted by one statement, in one round trip, which takes
the rows of each table as one JSON document: a parameter for each value costs more than the
insertion. On SQLite, where statements are cheap, the rows of each table are inserted by one
statement.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, TextClause, insert, text
from sqlalchemy.orm import Session

from api.kit.database import Base

_Rows = list[dict[str, Any]]


class Writes:
    """Rows to insert together; nothing is written before `run`."""

    def __init__(self) -> None:
        self._rows: dict[Table, _Rows] = {}

    def add(self, model: type[Base], **values: Any) -> None:
        """Add one row. A missing column is NULL: column defaults are not applied."""
        table = model.__table__
        assert isinstance(table, Table)
        self._rows.setdefault(table, []).append(values)

    def add_each(
        self, model: type[Base], column: str, column_values: Sequence[Any], **same: Any
    ) -> None:
        """Add one row per value of `column`; the other columns are the same in all rows."""
        for value in column_values:
            self.add(model, **same, **{column: value})

    def run(self, session: Session) -> None:
        """Insert the rows added since the last call.

        Tables, and rows by their primary keys, are inserted in one order everywhere: of two
        transactions that insert the same rows one waits for the other, and neither for both.

        Raises:
            IntegrityError: A row exists already.
        """
        rows, self._rows = self._rows, {}
        tables = sorted(rows, key=lambda table: table.name)
        for table in tables:
            _sort(table, rows[table])
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            for table in tables:
                columns = {name for row in rows[table] for name in row}
                parameters = [{name: row.get(name) for name in columns} for row in rows[table]]
                connection.execute(insert(table), parameters)
        elif tables:
            documents = {table.name: json.dumps(rows[table], default=_plain) for table in tables}
            connection.execute(_joined(tuple(tables)), documents)


def _sort(table: Table, rows: _Rows) -> None:
    keys = [column.name for column in table.primary_key]
    rows.sort(key=lambda row: [row[key] for key in keys])


def _plain(value: object) -> str:
    """Return a value that JSON lacks as PostgreSQL reads it."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"A time without time zone: {value!r}.")
        return value.isoformat()
    return str(value)


@lru_cache(maxsize=64)
def _joined(tables: tuple[Table, ...]) -> TextClause:
    *others, last = (_insert(table) for table in tables)
    named = ", ".join(f"part_{number} AS ({other})" for number, other in enumerate(others))
    return text(f"WITH {named} {last}" if named else last)


def _insert(table: Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} "
        f"FROM json_populate_recordset(CAST(NULL AS {table.name}), CAST(:{table.name} AS json))"
    )
