"""The thread that follows the splits."""

from collections.abc import Iterator
from typing import cast

from api.rollouts.router import ModelRouter
from shield.crds.v1alpha1 import ModelRollout, Split
from shield.labels import ModelType
from shield.rollouts import RolloutStore
from shield.stop import Stop
from tests.support.rollouts import spec, version
from tests.support.waiting import wait_until
from tests.support.worlds import serving


class _Odd:
    """A store behind something that answers once with what is none of its own."""

    asked = 0

    def list(self) -> list[ModelRollout]:
        """Return nothing of sense the first time."""
        self.asked += 1
        if self.asked == 1:
            raise ValueError("Expecting value: line 1 column 1 (char 0)")
        split = Split(stable=version("sms-v1"), stable_url="http://127.0.0.1:1")
        status = serving().status.model_copy(update={"split": split})
        return [ModelRollout(name="sms", uid="1", resource_version="1", spec=spec(), status=status)]

    def watch(self, timeout_seconds: float, stop: Stop | None = None) -> Iterator[ModelRollout]:
        """Yield nothing: nothing changes."""
        assert stop is not None
        stop.wait(timeout_seconds)
        return iter(())


def test_an_answer_that_is_none_of_the_stores_does_not_end_the_following() -> None:
    router = ModelRouter(cast(RolloutStore, _Odd()), timeout_seconds=1, watch_seconds=0.05)
    router.start()
    try:
        wait_until(lambda: router.split(ModelType.SMS) is not None)
    finally:
        router.stop()
