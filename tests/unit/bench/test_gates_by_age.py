"""The gates over the life of a line, in small; `bench/learning/gates.py` has the figures."""

import numpy as np

from bench.learning.gates import ageing


def test_an_equal_challenger_is_let_in_late_as_it_was_early_and_a_worse_one_never() -> None:
    seen = ageing(np.random.default_rng(3), 1000, chains=24, cycles=40, mean=0.0, spread=0.0)
    assert seen["equal_weeks_1_5"] > 0.5
    assert seen["equal_weeks_31_40"] > 0.7 * seen["equal_weeks_1_5"]
    assert seen["worse_weeks_31_40"] < 0.1
