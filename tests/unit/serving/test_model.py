"""What is remembered of a version's speed."""

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from serving.server.breaker import Breaker
from serving.server.model import AnswerCache, ServedModel


def some_model(seconds_per_token: float) -> ServedModel:
    predictor = cast(Any, SimpleNamespace())
    return ServedModel(
        "sms",
        "v1",
        "stable",
        predictor,
        AnswerCache(0),
        Breaker(),
        seconds_per_token=seconds_per_token,
    )


def test_one_call_during_which_the_machine_stood_still_changes_little() -> None:
    model = some_model(1e-4)
    model.learn_speed(1.0)
    assert model.seconds_per_token < 1.25e-4


@given(slower=st.floats(0.1, 50))
def test_a_machine_that_stays_slower_or_faster_is_learned(slower: float) -> None:
    model = some_model(1e-4)
    for _ in range(200):
        model.learn_speed(slower * 1e-4)
    assert abs(model.seconds_per_token / (slower * 1e-4) - 1) < 0.05
