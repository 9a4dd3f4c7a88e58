"""What every step that works for long begins with."""

import inspect

import pytest

from pipelines import graph


@pytest.mark.parametrize("step", ["build_dataset", "train", "baseline", "evaluate", "register"])
def test_every_step_that_works_for_long_renews_the_lease(step: str) -> None:
    source = inspect.getsource(getattr(graph, step).python_func)
    assert "keep_lease(" in source
    assert "end_with_runner()" in source, "and ends with the runner that has started it"
