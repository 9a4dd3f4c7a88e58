"""Language and country of a response, from `Accept-Language`."""

from typing import Annotated

from fastapi import Depends, Header
from pydantic.json_schema import SkipJsonSchema

from shield.reasons import Reader, reader_of


def _reader(
    accept_language: Annotated[
        str | SkipJsonSchema[None],
        Header(description="Language and country of the sentences that explain a verdict."),
    ] = None,
) -> Reader:
    return reader_of(accept_language)


AskedBy = Annotated[Reader, Depends(_reader)]
"""The reader of the response: language and country."""
