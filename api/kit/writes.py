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

from sqlalchemy import Dialect, Table, TextClause, insert, text
from sqlalchemy.orm import Session

from api.kit.database import Base

_Rows = list[dict[str, Any]]
_Part = tuple[Table, str]
"""A table, and the column that has a list in place of a value; empty for whole rows."""


class Writes:
    """Rows to insert together; nothing is written before `run`."""

    def __init__(self) -> None:
        self._rows: dict[_Part, _Rows] = {}

    def add(self, model: type[Base], **values: Any) -> None:
        """Add one row. A missing column is NULL: column defaults are not applied."""
        self._add(model, "", values)

    def add_each(
        self, model: type[Base], column: str, column_values: Sequence[Any], **same: Any
    ) -> None:
        """Add one row per value of `column`; the other columns are the same in all rows.

        They travel as one, and PostgreSQL makes rows of them.
        """
        self._add(model, column, {**same, column: list(column_values)})

    def _add(self, model: type[Base], column: str, values: dict[str, Any]) -> None:
        table = model.__table__
        assert isinstance(table, Table)
        self._rows.setdefault((table, column), []).append(values)

    def run(self, session: Session) -> None:
        """Insert the rows added since the last call.

        Tables, and rows by their primary keys, are inserted in one order everywhere: of two
        transactions that insert the same rows one waits for the other, and neither for both.

        Raises:
            IntegrityError: A row exists already.
        """
        rows, self._rows = self._rows, {}
        parts = sorted(rows, key=_name)
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            for table, column in parts:
                one_each = _sorted(table, _one_each(rows[table, column], column))
                columns = {name for row in one_each for name in row}
                parameters = [{name: row.get(name) for name in columns} for row in one_each]
                connection.execute(insert(table), parameters)
        elif parts:
            documents = {
                _name(part): json.dumps(
                    rows[part] if part[1] else _sorted(part[0], rows[part]), default=_plain
                )
                for part in parts
            }
            connection.execute(_joined(tuple(parts), connection.dialect), documents)


def _name(part: _Part) -> str:
    table, column = part
    return f"{table.name}_each_{column}" if column else table.name


def _one_each(rows: _Rows, column: str) -> _Rows:
    return [{**row, column: value} for row in rows for value in row[column]] if column else rows


def _sorted(table: Table, rows: _Rows) -> _Rows:
    keys = [column.name for column in table.primary_key]
    return sorted(rows, key=lambda row: [row[key] for key in keys])


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
def _joined(parts: tuple[_Part, ...], dialect: Dialect) -> TextClause:
    *others, last = (_insert_each(part, dialect) if part[1] else _insert(part[0]) for part in parts)
    named = ", ".join(f"part_{number} AS ({other})" for number, other in enumerate(others))
    return text(f"WITH {named} {last}" if named else last)


def _insert(table: Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} "
        f"FROM json_populate_recordset(CAST(NULL AS {table.name}), CAST(:{table.name} AS json))"
    )


def _insert_each(part: _Part, dialect: Dialect) -> str:
    table, listed = part
    columns, values, kinds = [], [], []
    for column in table.columns:
        name, kind = f'"{column.name}"', column.type.compile(dialect)
        columns.append(name)
        values.append(f"unnest({name}) AS {name}" if column.name == listed else name)
        kinds.append(f"{name} {kind}{'[]' if column.name == listed else ''}")
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM json_to_recordset(CAST(:{_name(part)} AS json)) AS given({', '.join(kinds)}) "
        f"ORDER BY {order}"
    )
