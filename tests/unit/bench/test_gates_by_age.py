"""The gates over the life of a line, in small; `bench/learning/gates.py` has the figures."""

import numpy as np
import pytest

from bench.learning.cycles import promoted
from bench.learning.exact import chance_to_pass
from bench.learning.lines import ageing


def test_an_equal_challenger_is_let_in_late_as_it_was_early_and_a_worse_one_never() -> None:
    seen = ageing(np.random.default_rng(3), 1000, chains=24, cycles=40, mean=0.0, spread=0.0)
    assert seen["equal_weeks_1_5"] > 0.5
    assert seen["equal_weeks_31_40"] > 0.7 * seen["equal_weeks_1_5"]
    assert seen["worse_weeks_31_40"] < 0.1


def test_where_a_line_truly_gets_better_a_worse_challenger_is_refused_as_well() -> None:
    """Its lead over the first version is no luck: as luck, it let one in three of them through."""
    seen = ageing(np.random.default_rng(3), 4000, chains=12, cycles=40, mean=0.002, spread=0.004)
    assert seen["true_change_points_mean"] > 1
    assert seen["worse_weeks_31_40"] < 0.1
    assert seen["equal_weeks_31_40"] > 0.6


def test_the_trial_on_fresh_messages_holds_what_the_golden_set_cannot_see() -> None:
    seen = ageing(
        np.random.default_rng(3), 1000, chains=6, cycles=20, mean=-0.003, spread=0.004, trial=True
    )
    assert seen["true_change_points_worst_5_percent"] > -1.0


@pytest.mark.parametrize("n", [1000, 2000])
def test_the_chance_of_a_worse_one_is_reckoned_and_one_in_twenty_at_most(n: int) -> None:
    assert 0.04 < chance_to_pass(n, -0.01, 0.02) < 0.05
    drawn = promoted(np.random.default_rng(1), n, 0.0, 0.2, 400)
    low, high = drawn["interval"]
    # The other gates refuse a few of those that are drawn.
    assert low - 0.05 < chance_to_pass(n, 0.0, 0.02) < high + 0.08
