"""`/healthz`: the process lives. `/readyz`: it can serve."""

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


@router.get("/healthz", responses=documented(503))
def live() -> Health:
    """Tell that the process lives; says nothing of the database."""
    return Health(status="live")


@router.get("/readyz", responses=documented(503))
def ready(services: Annotated[Services, Depends(get_services)]) -> Health:
    """Tell whether the database answers and has the schema that is needed."""
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
    return Health(status="ready")
