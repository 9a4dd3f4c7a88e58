"""Types of path parameters, validated before use in a query or an artifact key."""

from typing import Annotated

from fastapi import Path

_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"

_VERSION = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"

QUEUE_NAME = r"^[^\s./?#%\x00-\x1f][^/?#%\x00-\x1f]{0,63}$"
"""The name of a queue of reviewers, which stands in URLs."""

PathId = Annotated[str, Path(pattern=_ID, max_length=128)]
VersionPath = Annotated[str, Path(pattern=_VERSION, max_length=63, alias="name")]
QueuePath = Annotated[str, Path(pattern=QUEUE_NAME, max_length=64)]
OtherVersionPath = Annotated[str, Path(pattern=_VERSION, max_length=63, alias="other")]
