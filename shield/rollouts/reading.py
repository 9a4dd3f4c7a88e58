"""Read stored rollouts; one that cannot be read holds up no other."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError

from shield.crds.v1alpha1 import KIND, ModelRollout
from shield.errors import Invalid

_log = logging.getLogger(__name__)
_Stored = TypeVar("_Stored")


def unreadable(name: str, error: ValidationError) -> Invalid:
    """Return the error for a rollout that does not hold what this version understands."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return Invalid(
        f"The {KIND} {name!r} cannot be read ({field}: {first['msg']}). "
        "Upgrade this process to the version that wrote it, or correct the object."
    )


class Reader:
    """Reads many rollouts, leaves out those that cannot be read, and logs each of them once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def read(
        self, stored: Iterable[_Stored], parse: Callable[[_Stored], ModelRollout]
    ) -> list[ModelRollout]:
        """Return the rollouts that can be read, in the order given."""
        rollouts = []
        for one in stored:
            try:
                rollouts.append(parse(one))
            except Invalid as error:
                if error.message not in self._told:
                    self._told.add(error.message)
                    _log.error(error.message)
        return rollouts
