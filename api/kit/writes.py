"""Insert rows of several tables at once, by cached statements.

On PostgreSQL all rows are inserted by one statement, in one round trip; on SQLite, where statements
are cheap, one by one. Building a statement costs more than running it, so the statement of each
combination of tables is built once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Insert, Table, bindparam, func, insert, select
from sqlalchemy.orm import Session

from api.kit.database import Base


class Writes:
    """Rows to insert together; nothing is written before `run`."""

    def __init__(self) -> None:
        self._rows: list[tuple[Table, str | None, dict[str, Any]]] = []

    def add(self, model: type[Base], **values: Any) -> None:
        """Add one row. A missing column is NULL: column defaults are not applied."""
        self._rows.append((_table(model), None, values))

    def add_each(
        self, model: type[Base], column: str, column_values: Sequence[Any], **same: Any
    ) -> None:
        """Add one row per value of `column`; the other columns are the same in all rows."""
        self._rows.append((_table(model), column, {**same, column: list(column_values)}))

    def run(self, session: Session) -> None:
        """Insert the rows added since the last call.

        Raises:
            IntegrityError: A row exists already.
        """
        rows, self._rows = self._rows, []
        if not rows:
            return
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            statement = _joined(tuple((table, column) for table, column, _ in rows))
            connection.execute(
                statement,
                {
                    _name(table, column): values.get(column.name)
                    for table, _, values in rows
                    for column in table.columns
                },
            )
            return
        for table, column, values in rows:
            each = values[column] if column else [None]
            for value in each:
                one = {**values, column: value} if column else values
                connection.execute(insert(table), one)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _name(table: Table, column: Any) -> str:
    return f"{table.name}_{column.name}"


@lru_cache(maxsize=64)
def _joined(parts: tuple[tuple[Table, str | None], ...]) -> Insert:
    *others, last = (_insert(table, column) for table, column in parts)
    named = [other.cte(f"part_{number}") for number, other in enumerate(others)]
    return last.add_cte(*named) if named else last


def _insert(table: Table, each: str | None) -> Insert:
    def value(column: Any) -> ColumnElement[Any]:
        name = _name(table, column)
        if column.name == each:
            return func.unnest(bindparam(name, type_=ARRAY(column.type)))
        return bindparam(name, type_=column.type)

    if each is None:
        return insert(table).values({column.name: value(column) for column in table.columns})
    columns = list(table.columns)
    return insert(table).from_select(columns, select(*(value(column) for column in columns)))
