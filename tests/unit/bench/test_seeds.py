"""The benchmark that tells the demonstration's learning on many seeds."""

import numpy as np
import polars as pl

from bench.learning.__main__ import seeds_of
from bench.learning.learners import corrections_in
from bench.learning.seeds import reports_of
from shield.labels import FeedbackType


class Flags:
    """A learner that flags every message with a link."""

    def flagged(self, texts: list[str]) -> np.ndarray:
        return np.array(["http" in text for text in texts], dtype=np.bool_)


def test_seeds_are_numbers_and_ranges() -> None:
    assert seeds_of("0,3,5-7") == (0, 3, 5, 6, 7)


def test_a_week_without_errors_joins_one_with_errors() -> None:
    met = pl.DataFrame({"text": ["pay http://a", "hello", "win now"], "label": [1, 0, 1]})
    weeks = [reports_of(Flags(), part, 0) for part in (met[:2], met)]  # type: ignore[arg-type]
    told = pl.concat(weeks)
    wrong = told.filter(pl.col("feedback_type") != FeedbackType.CONFIRMED.value)
    assert wrong.select("text", "label").rows() == [("win now", 1)]
    assert corrections_in(told) == 1
