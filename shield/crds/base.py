"""The base of all types that travel: as JSON over HTTP, in the store, in Kubernetes objects."""

from datetime import datetime
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from shield import lazy


def _looks_like_a_time(value: object) -> bool:
    return isinstance(value, str) and "-" in value[1:] and ":" in value


@lru_cache(maxsize=4096)
def _plain_kind(model: type[BaseModel], name: str) -> type | None:
    """Return the type of a field when it is a plain one, without `None` and annotations."""
    kinds: list[Any] = [model.model_fields[name].annotation]
    while kinds and get_origin(kinds[0]) in (Union, UnionType, Annotated):
        kinds = [kind for kind in get_args(kinds[0]) if kind is not NoneType][:1]
    return next((kind for kind in (bool, int, float, datetime) if kinds and kinds[0] is kind), None)


class Wire(BaseModel):
    """Base of all wire types: camelCase outside, snake_case inside, nothing unknown accepted."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        use_attribute_docstrings=not lazy.types,
        defer_build=lazy.types,
    )
    checks_kinds: ClassVar[bool] = True
    """Refuse `false` for a number, `1` for a truth, `0.5` for a time: pydantic would convert them,
    and then the schema that callers read would not be true."""

    @field_validator("*", mode="before")
    @classmethod
    def _of_its_kind(cls, value: object, info: ValidationInfo) -> object:
        if not cls.checks_kinds or info.field_name is None:
            return value
        kind = _plain_kind(cls, info.field_name)
        if kind is bool:
            fits = isinstance(value, bool) or value is None
        elif kind in (int, float):
            fits = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        elif kind is datetime:
            fits = isinstance(value, datetime) or value is None or _looks_like_a_time(value)
        else:
            return value
        if not fits:
            raise ValueError(f"should be of type {kind.__name__ if kind else 'unknown'}")
        return value
