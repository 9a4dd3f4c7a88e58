"""Reading a body: what it costs everybody else."""

import gc
import json
from typing import Any

import pytest

from serving.server.oip import read_json
from shield.errors import BadRequest


@pytest.mark.parametrize("ending", ["[]]}", "[]"])
def test_a_long_body_of_many_parts_has_no_garbage_collected_and_leaves_the_collector_on(
    ending: str,
) -> None:
    runs: list[str] = []

    def count(phase: str, info: dict[str, Any]) -> None:
        runs.append(phase)

    body = ('{"texts": [' + "[], " * 100_000 + ending).encode()
    gc.collect()
    gc.callbacks.append(count)
    try:
        if ending == "[]]}":
            assert len(read_json(body)["texts"]) == 100_001
        else:
            with pytest.raises(BadRequest):
                read_json(body)
        during = len(runs)
    finally:
        gc.callbacks.remove(count)
    assert during <= 2, "one run may begin when the collector is on again"
    assert gc.isenabled()


def test_a_short_body_leaves_the_collector_alone() -> None:
    gc.disable()
    try:
        assert read_json(json.dumps({"text": "x" * 100_000}).encode())["text"] == "x" * 100_000
        assert not gc.isenabled()
    finally:
        gc.enable()
