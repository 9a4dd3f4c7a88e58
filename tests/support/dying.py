"""A process that dies at a certain statement, and what another one finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def dying_at(engine: Engine, statement: str, value: str) -> Iterator[None]:
    """Let each statement that begins with some words, and carries a value, fail."""

    def die(
        connection: Any, cursor: Any, sql: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if sql.startswith(statement) and value in str(parameters):
            raise RuntimeError("died")

    event.listen(engine, "before_cursor_execute", die)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", die)
