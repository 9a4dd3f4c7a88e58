"""The work of database statements, counted instead of timed: it is the same on every machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

_STEPS = 10
"""SQLite reports every so many instructions."""


@dataclass
class Effort:
    """What statements have cost."""

    statements: dict[str, int] = field(default_factory=dict)
    """PostgreSQL: rows read, those that were thrown away included. SQLite: instructions of its
    virtual machine, some ten for each row."""

    @property
    def total(self) -> int:
        """Return the work of all statements."""
        return sum(self.statements.values())

    def add(self, statement: str, work: int) -> None:
        """Add the work of a statement."""
        self.statements[statement] = self.statements.get(statement, 0) + work


@contextmanager
def counted_effort(engine: Engine) -> Iterator[Effort]:
    """Count the work of the statements that read, of all connections of an engine."""
    effort = Effort()
    listener = _rows_read if engine.dialect.name == "postgresql" else _instructions
    with listener(engine, effort):
        yield effort


@contextmanager
def _instructions(engine: Engine, effort: Effort) -> Iterator[None]:
    def before(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        def count() -> None:
            effort.add(statement, _STEPS)

        cursor.connection.set_progress_handler(count, _STEPS)

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", before)
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.set_progress_handler(None, 0)


@contextmanager
def _rows_read(engine: Engine, effort: Effort) -> Iterator[None]:
    def after(connection: Any, cursor: Any, statement: str, parameters: Any, *others: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
            return
        with cursor.connection.cursor() as own:
            own.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters, prepare=False)
            effort.add(statement, _read(own.fetchone()[0][0]["Plan"]))

    event.listen(engine, "after_cursor_execute", after)
    try:
        yield
    finally:
        event.remove(engine, "after_cursor_execute", after)


def _read(node: dict[str, Any]) -> int:
    """Return the rows that the scans of a plan read."""
    read = sum(_read(child) for child in node.get("Plans", []))
    if "Scan" in node["Node Type"] and node["Node Type"] != "Subquery Scan":
        removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
        rows = node["Actual Rows"] + sum(node.get(name, 0) for name in removed)
        read += round(rows * node["Actual Loops"])
    return read
