"""What a version said of every message that it was judged on, without the messages."""

import base64
import gzip
import io
import re
import zlib
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from shield.errors import Invalid, NotFound
from shield.wire.base import Answer

_EMBEDDED = re.compile(rb'<template id="answers">([A-Za-z0-9+/=]*)</template>')
_DIGITS = 6
_LARGEST = 64 * 2**20
"""Bytes of unpacked answers: hundreds of thousands of messages. More is no report of ours."""

SETS = ("golden", "time_forward", "judge")
"""Sets of messages that versions share."""
FLAGGED_FROM = 0.5
"""As `shield.predictor` has it, which needs onnxruntime; the API has none."""


class Answers(Answer):
    """Columns of equal length, one entry for each judged message. No message of a user is in it."""

    challenger: str
    """Digest of the package as it was judged."""
    budget: Annotated[float, Field(ge=0, le=1)]
    """Share of harmless messages that may be flagged: where it was put."""
    ids: list[str]
    sets: list[str]
    """Of `SETS`."""
    scam: list[bool]
    """The truth."""
    scores: list[Annotated[float, Field(ge=0, le=1)]]
    """Probability of the scam class; flagged from one half on."""
    texts: list[str]
    """Masked, for people; empty where there is none to show."""
    kinds: dict[str, list[str]] = {}
    """E.g. `language` -> the language of each message, "" where it is not known."""

    @model_validator(mode="after")
    def _of_equal_length(self) -> Self:
        lengths = {len(self.sets), len(self.scam), len(self.scores), len(self.texts)}
        lengths |= {len(column) for column in self.kinds.values()}
        if lengths != {len(self.ids)}:
            raise ValueError("the columns differ in length")
        if strange := set(self.sets) - set(SETS):
            raise ValueError(f"no such set of messages: {min(strange)[:40]!r}")
        return self

    def embedded(self) -> str:
        """Return an inert HTML element that holds it all, for the end of a report."""
        packed = gzip.compress(self.model_dump_json(by_alias=True).encode(), mtime=0)
        return f'<template id="answers">{base64.b64encode(packed).decode()}</template>'

    @classmethod
    def of_report(cls, html: bytes, of: str) -> Self:
        """Read what a report holds.

        Args:
            html: An evaluation report.
            of: Whose it is, for errors.

        Raises:
            NotFound: An earlier release wrote the report, without answers.
            Invalid: What it holds cannot be read.
        """
        embedded = _EMBEDDED.search(html)
        if embedded is None:
            raise NotFound(
                f"The report of {of} holds no answers: an earlier release wrote it. Judge its "
                "package on messages of yours: docs/notebooks/compare.py."
            )
        try:
            return cls.model_validate_json(_unpacked(base64.b64decode(embedded[1])))
        except (OSError, EOFError, ValueError, zlib.error, ValidationError) as error:
            raise Invalid(
                f"The report of {of} is damaged ({error}). Restore it from a backup of the "
                "artifact store."
            ) from error


def _unpacked(packed: bytes) -> bytes:
    """Unpack at most `_LARGEST` bytes, however small the packed ones are."""
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        unpacked = file.read(_LARGEST + 1)
    if len(unpacked) > _LARGEST:
        raise ValueError(f"more than {_LARGEST // 2**20} MiB when unpacked")
    return unpacked


def kept(score: float) -> float:
    """Return a score with few digits, on the same side of the operating point."""
    short = round(float(score), _DIGITS)
    least = 10.0**-_DIGITS
    if score < FLAGGED_FROM <= short:
        return FLAGGED_FROM - least
    return short
