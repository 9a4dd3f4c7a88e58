"""What all wire types share: the two bases, the frame of an answer, and checked words."""

from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from pydantic import ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from shield.crds.v1alpha1 import Wire

T = TypeVar("T")

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL in text; SQLite would, and then the two would differ."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NUL)]
"""An id that we have given out, or a caller's run id."""
RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
"""Chosen by whoever starts a run; the same id is the same logical run."""
VersionName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=63)
]
"""Name in the registry, e.g. `sms-v3`."""
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256 of the bytes that are meant."""
Note = Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)]
"""A person's remark."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=NO_NUL)]
"""Why something was done; goes into the audit log."""


class Answer(Wire):
    """Base of everything the API sends: members that a newer server adds are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        from_attributes=True,
        use_attribute_docstrings=True,
    )
    checks_kinds: ClassVar[bool] = False  # we have made them ourselves


class Pagination(Answer):
    """Where a page stands. Follow `nextCursor`; `page` and `total` are for people."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Envelope(Answer, Generic[T]):
    """The frame of every successful answer."""

    # A parametrised generic is made where it is named, and pydantic would look for its attribute
    # docstrings in the source of that place.
    model_config = ConfigDict(use_attribute_docstrings=False)

    success: Literal[True] = True
    message: str = ""
    data: T
    pagination: Pagination | None = None
