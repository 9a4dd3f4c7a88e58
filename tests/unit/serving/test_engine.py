"""How requests leave the model server's engine: each is counted down, whatever becomes of it."""

import asyncio
from typing import Any, cast

import pytest

from serving.server.breaker import Breaker
from serving.server.engine import Engine
from serving.server.metrics import Metrics
from serving.server.model import AnswerCache, ServedModel


class _Broken:
    def read(self, texts: object) -> None:
        raise RuntimeError("the tokeniser fails")


@pytest.mark.parametrize("length", [10, 10_000])
def test_a_request_whose_text_cannot_be_tokenised_is_answered_and_counted_down(length: int) -> None:
    async def ask() -> int:
        predictor = cast(Any, _Broken())
        model = ServedModel("sms", "v1", "stable", predictor, AnswerCache(0), Breaker())
        engine = Engine(1, 8, "int8", Metrics())
        answer = engine.submit(model, ["a" * length], 5.0)
        with pytest.raises(RuntimeError, match="tokeniser"):
            await answer
        await asyncio.sleep(0)
        return model.in_flight

    assert asyncio.run(ask()) == 0
