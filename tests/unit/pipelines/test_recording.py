"""A run is never left as running, however it ends."""

from typing import Any, cast

import pytest

from pipelines.recording import recorded
from shield.client import ShieldClient
from shield.labels import ModelType
from shield.wire import RunOutcome, RunUpdate


class Api:
    """Keeps what a run is said to be."""

    def __init__(self) -> None:
        self.outcomes: list[RunOutcome | None] = []

    def start_run(self, *_: Any, **__: Any) -> None:
        pass

    def finish_run(self, _run_id: str, update: RunUpdate) -> None:
        self.outcomes.append(update.outcome)


@pytest.mark.parametrize("end", [OSError("no space"), KeyboardInterrupt(), KeyError("x")])
def test_a_run_that_ends_with_an_unforeseen_error_has_failed(end: BaseException) -> None:
    api = Api()
    run = recorded(cast(ShieldClient, api), ModelType.SMS, "first", lambda _: None)
    with pytest.raises(type(end)), run:
        raise end
    assert api.outcomes == [RunOutcome.FAILED]
