"""Where scans ask whether a message belongs to a known campaign: the interface.

`api.known.replica.Replica` implements it; `api.app` hands it to the services.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shield.similarity import Sketches


@dataclass(frozen=True)
class Hearing:
    """Whether this process hears of changes."""

    sequence: int
    """The latest change that it has."""
    entries: int
    """Known campaigns that it holds."""
    deaf_since: datetime | None
    """Since when it hears nothing; what it has goes on."""
    why: str


class Known(Protocol):
    """The known campaigns that this process holds in memory."""

    def start(self) -> None:
        """Load them, and follow their changes."""

    def stop(self) -> None:
        """Stop following."""

    def candidates(self, model_type: str, sketch: Sketches) -> list[str]:
        """Return ids of known campaigns that a message may belong to, best first."""
        ...

    def refresh(self) -> None:
        """Take in what has changed."""

    def hearing(self) -> Hearing:
        """Return whether changes are heard."""
        ...
