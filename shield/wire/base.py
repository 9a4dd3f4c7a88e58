"""Shared by all wire types: base classes, the envelope of responses, and checked strings."""

import math
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from shield import lazy
from shield.characters import well_formed
from shield.crds.base import Wire

T = TypeVar("T")


def _whole(text: object) -> object:
    return well_formed(text) if isinstance(text, str) else text


NO_NUL = r"^[^\x00]*$"
"""Pattern without NUL, which PostgreSQL cannot store in text."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NUL)]
"""An id issued by the API, or a caller's run id."""
RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""Id of a run, chosen by its caller; the same id is the same run."""
VersionName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63)
]
"""Name in the registry, e.g. `sms-v3`."""
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of some bytes."""
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
"""A person's remark."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=NO_NUL)]
"""Reason of an action; recorded in the audit log."""

LONGEST_MESSAGE = 20_000
"""Characters of the longest message that is taken."""
MessageText = Annotated[str, BeforeValidator(_whole), Field(max_length=LONGEST_MESSAGE)]
"""A message as received. Half an emoji counts as U+FFFD. A message without visible characters is
accepted, and its verdict is unsure."""

_DEEPEST = 32


def _writable(found: dict[str, Any]) -> dict[str, Any]:
    """Check that every database can store a text and every reader can decode it."""
    waiting: list[tuple[Any, int]] = [(found, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} levels deep")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("NaN and infinity are no JSON")
        if isinstance(value, str) and not value.isprintable() and _odd(value):
            raise ValueError("half a character in a text")
        if isinstance(value, dict):
            waiting += [(each, depth + 1) for pair in value.items() for each in pair]
        elif isinstance(value, list):
            waiting += [(each, depth + 1) for each in value]
    return found


def _odd(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


Facts = Annotated[dict[str, Any], AfterValidator(_writable)]
"""Any JSON object of limited depth."""


class Answer(Wire):
    """Base of all responses; unknown members, from a newer server, are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        from_attributes=True,
        use_attribute_docstrings=not lazy.types,
        defer_build=lazy.types,
    )
    checks_kinds: ClassVar[bool] = False  # we have made them ourselves


class Pagination(Answer):
    """Position of a page. Follow `nextCursor`; `page` and `total` are for display.

    Rows are counted up to 10,000: if `total` is 10,000, there may be more.
    """

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Envelope(Answer, Generic[T]):
    """The envelope of every successful response."""

    # A parametrised generic is made where it is named, and pydantic would look for its attribute
    # docstrings in the source of that place.
    model_config = ConfigDict(use_attribute_docstrings=False)

    success: Literal[True] = True
    message: str = ""
    data: T
    pagination: Pagination | None = None
