"""What settings of several rooms have in common: lists with commas, and secrets in files."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from shield.errors import Misconfigured


def _entries(written: object) -> object:
    if isinstance(written, str):
        return [entry.strip() for entry in written.split(",") if entry.strip()]
    return written


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_entries)]
"""A setting that is written as `one, two`; nothing is an empty list."""


def read_secret(path: Path, variable: str) -> str:
    """Return the content of a file that a setting names, without the space around it.

    Args:
        path: The file.
        variable: The setting or option that names it, for the message.

    Raises:
        Misconfigured: It cannot be read.
    """
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(
            f"The secret file {path} cannot be read ({reason}). Set {variable} to a readable file."
        ) from error
