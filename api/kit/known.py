"""Interface of the look-up of known campaigns for a message.

`api.known.replica.Replica` implements it; `api.app` hands it to the services.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shield.similarity import Sketches


@dataclass(frozen=True)
class Hearing:
    """Whether this process receives changes of known campaigns."""

    sequence: int
    """Number of the latest change received."""
    entries: int
    """Number of known campaigns in memory."""
    deaf_since: datetime | None
    """Since when no changes are received; the copy in memory is used on."""
    why: str


class Known(Protocol):
    """The in-memory copy of the known campaigns in this process."""

    def start(self) -> None:
        """Load the known campaigns and follow their changes."""

    def stop(self) -> None:
        """Stop following."""

    def candidates(self, model_type: str, sketch: Sketches) -> list[str]:
        """Return ids of known campaigns similar to a message, most similar first."""
        ...

    def refresh(self) -> None:
        """Load the changes since the last one received."""

    def hearing(self) -> Hearing:
        """Return whether changes are received."""
        ...
