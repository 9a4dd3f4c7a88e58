"""`/healthz`: liveness. `/readyz`: readiness."""

import shutil
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.kit.context import Services, get_services
from api.kit.problems import documented
from api.migrate import head
from shield.errors import Unavailable
from shield.wire import Answer

router = APIRouter(tags=["health"])


class Health(Answer):
    """The state of the API."""

    status: str
    known: str | None = None
    """Whether this process receives changes of known campaigns; its copy is used either way."""


@router.get("/healthz", responses=documented(503))
def live() -> Health:
    """Return that the process is alive, whatever the state of the database."""
    return Health(status="live")


LEAST_FREE_BYTES = 32 * 1024 * 1024
"""Free disk space below which SQLite's transactions may fail."""


@router.get("/readyz", responses=documented(503))
def ready(services: Annotated[Services, Depends(get_services)]) -> Health:
    """Check that the database answers, has the required schema, and has free disk space."""
    try:
        with services.engine.connect() as connection:
            if services.engine.dialect.name == "sqlite":
                connection = connection.execution_options(shield_read_only=True)
            present = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as fault:
        raise Unavailable(
            "The database does not answer, or has no schema yet. `python -m api.migrate` makes it.",
            retry_after_seconds=2,
        ) from fault
    if present != head():
        raise Unavailable(
            f"The database has schema {present}, but {head()} is needed. "
            "Run `python -m api.migrate`.",
            retry_after_seconds=5,
        )
    _check_room(services.engine.url.database if services.engine.name == "sqlite" else None)
    return Health(status="ready", known=_heard(services))


def _heard(services: Services) -> str:
    hearing = services.known.hearing()
    if hearing.deaf_since is None:
        return f"{hearing.entries} held, up to change {hearing.sequence}"
    return (
        f"stale since {hearing.deaf_since:%Y-%m-%dT%H:%M:%SZ}: {hearing.why}; "
        f"{hearing.entries} held, up to change {hearing.sequence}"
    )


def _check_room(file: str | None) -> None:
    """Raise `Unavailable` if the disk of the database file is full."""
    if not file or file == ":memory:":
        return
    free = shutil.disk_usage(Path(file).resolve().parent).free
    if free < LEAST_FREE_BYTES:
        raise Unavailable(
            f"The disk of the database has {free // 1024**2} MiB left, so nothing can be stored. "
            f"Free at least {LEAST_FREE_BYTES // 1024**2} MiB.",
            retry_after_seconds=30,
        )
