"""Alembic's entry point: runs the migrations on the connection passed by `api.migrate`."""

from typing import Any, Literal

from alembic import context

from api.kit.database import UtcDateTime
from api.kit.partitions import is_own_table
from api.tables import Base
from shield.rollouts.table import METADATA


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Render own column types as plain ones, so that old migrations do not import current code."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=[Base.metadata, METADATA],
    render_item=render_item,
    include_name=is_own_table,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
