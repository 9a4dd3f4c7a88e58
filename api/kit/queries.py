"""Query parameters that many routes share."""

from typing import Annotated

from fastapi import Query

from shield.labels import ModelType

ModelTypeFilter = Annotated[
    ModelType | None, Query(alias="modelType", description="Only this model type.")
]
