"""A source counts by the root of its size in what teaches."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.prepare_corpus.balance import MOST, weigh_sources

LARGE, SMALL = 900, 100


def taught(sizes: dict[tuple[str, int], int]) -> pl.DataFrame:
    rows = [(source, label) for (source, label), size in sizes.items() for _ in range(size)]
    return pl.DataFrame(rows, schema={"source": pl.String, "label": pl.Int8}, orient="row")


def sums(train: pl.DataFrame) -> dict[tuple[str, int], float]:
    table = weigh_sources(train).group_by("source", "label").agg(pl.col("weight").sum())
    return {(source, label): weight for source, label, weight in table.iter_rows()}


def test_a_source_of_nine_times_the_messages_counts_three_times_as_much() -> None:
    counts = sums(taught({("book", 0): LARGE, ("phones", 0): SMALL, ("book", 1): 50}))
    assert counts["book", 0] / counts["phones", 0] == pytest.approx(3, rel=1e-5)
    assert counts["book", 0] + counts["phones", 0] == pytest.approx(LARGE + SMALL, rel=1e-5)
    assert counts["book", 1] == pytest.approx(50, rel=1e-5)


def test_a_handful_counts_no_more_than_its_limit() -> None:
    counts = sums(taught({("book", 1): 10_000, ("mine", 1): 4}))
    assert counts["mine", 1] == pytest.approx(4 * MOST, rel=1e-5)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_more_messages_never_count_less_in_sum_nor_more_each(sizes: list[int]) -> None:
    train = taught({(f"source {place}", 1): size for place, size in enumerate(sorted(sizes))})
    each = (
        weigh_sources(train)
        .group_by("source", maintain_order=True)
        .agg(sum=pl.col("weight").sum(), one=pl.col("weight").first())
    )
    for lesser, larger in zip(each.rows(), each.rows()[1:], strict=False):
        assert larger[1] >= lesser[1] * (1 - 1e-6)
        assert larger[2] <= lesser[2] * (1 + 1e-6)
