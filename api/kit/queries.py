"""Query parameters that many routes share."""

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from shield.labels import ModelType


def _written_as_a_time(value: object) -> object:
    # pydantic takes a number for seconds since 1970; who writes 0.5 has made a mistake.
    if isinstance(value, str) and not ("-" in value[1:] and ":" in value):
        raise ValueError("should be a time as in 2026-01-31T12:00:00Z")
    return value


Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(_written_as_a_time),
    Query(description="Approved at or after this time."),
]
Before = Annotated[
    AwareDatetime | SkipJsonSchema[None],
    BeforeValidator(_written_as_a_time),
    Query(description="Only what was created at or before this time, never later than now."),
]
ModelTypeFilter = Annotated[
    ModelType | None, Query(alias="modelType", description="Only this model type.")
]
