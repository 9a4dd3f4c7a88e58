"""The work queue: who goes first, who shares a batch, who waits for nothing."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.model import AnswerCache, ServedModel, row_key
from serving.server.work import BatchRule, RowTask, WorkQueue
from shield.predictor import Reading
from tests.support.waiting import PATIENCE_SECONDS

ONE = BatchRule(max_rows=1)
EIGHT = BatchRule(max_rows=8, padding_budget=0.15)


def some_model() -> ServedModel:
    return cast(ServedModel, SimpleNamespace())


def task(length: int, model: Any = None) -> RowTask:
    row = tuple(range(length))
    return RowTask(model or MODEL, row_key(row), row, deadline=1e9)


MODEL = some_model()


def lengths(batch: list[RowTask] | None) -> list[int]:
    assert batch is not None
    return [len(item.row) for item in batch]


def filled(*sizes: int, threads: int = 1) -> WorkQueue:
    queue = WorkQueue(threads)
    for size in sizes:
        queue.put(task(size))
    return queue


def test_alone_rows_leave_in_the_order_they_came() -> None:
    queue = filled(30, 5, 20)
    assert [lengths(queue.take(ONE)) for _ in range(3)] == [[30], [5], [20]]


def test_a_batch_is_the_oldest_row_and_its_nearest_in_length() -> None:
    queue = filled(20, 60, 21, 5, 19)
    assert sorted(lengths(queue.take(EIGHT))) == [19, 20, 21]
    assert lengths(queue.take(EIGHT)) == [60]


def test_a_thread_takes_only_its_fair_share_so_that_none_idles() -> None:
    queue = filled(*[20] * 8, threads=4)
    assert len(queue.take(EIGHT) or []) == 2


def test_rows_of_two_versions_never_share_a_batch() -> None:
    queue = filled(20)
    queue.put(task(20, some_model()))
    assert len(queue.take(EIGHT) or []) == 1


def test_tokens_that_wait_and_are_computed_are_counted() -> None:
    queue = filled(20, 30)
    batch = queue.take(ONE)
    assert (queue.tokens, queue.computing) == (30, 20)
    queue.done(batch or [])
    assert queue.computing == 0


def test_stopping_lets_threads_finish_what_waits() -> None:
    queue = filled(1, 2, 3, threads=2)
    queue.stop()
    taken: list[int] = []

    def work() -> None:
        while (batch := queue.take(ONE)) is not None:
            taken.extend(lengths(batch))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sorted(taken) == [1, 2, 3]


@given(st.lists(st.integers(1, 64), min_size=1, max_size=40), st.integers(1, 4))
def test_every_row_leaves_exactly_once_and_padding_stays_in_its_budget(
    sizes: list[int], threads: int
) -> None:
    queue = filled(*sizes, threads=threads)
    seen: list[int] = []
    while len(queue):
        batch = lengths(queue.take(EIGHT))
        cells = max(batch) * len(batch)
        assert cells - sum(batch) <= EIGHT.padding_budget * cells
        seen.extend(batch)
    assert sorted(seen) == sorted(sizes)


def test_the_cache_forgets_what_was_unused_for_longest() -> None:
    cache = AnswerCache(2)
    cache.put(b"a", 0.1)
    cache.put(b"b", 0.2)
    assert cache.get(b"a") == 0.1
    cache.put(b"c", 0.3)
    assert (cache.get(b"a"), cache.get(b"b"), cache.get(b"c")) == (0.1, None, 0.3)


def test_a_text_is_answered_when_all_its_rows_are_known() -> None:
    cache = AnswerCache(10)
    readings = [Reading([(1,)], 0.5), Reading([(2,), (3,)], -1.5)]
    cache.remember(["hi", "hello"], [b"c", b"a", b"b"], readings)
    cache.put(b"a", 0.1)
    assert cache.answers("hello") is None
    cache.put(b"b", 0.2)
    assert cache.answers("hello") == ([0.1, 0.2], -1.5)
    assert cache.answers("Hello") is None


def test_remembered_texts_are_bounded_in_number_and_length() -> None:
    cache = AnswerCache(2)
    cache.put(b"a", 0.1)
    for text in ("one", "two", "three", "x" * 2000):
        cache.remember([text], [b"a"], [Reading([(1,)], 0.5)])
    assert [cache.answers(text) for text in ("one", "two", "three")] == [
        None,
        ([0.1], 0.5),
        ([0.1], 0.5),
    ]
    assert cache.answers("x" * 2000) is None


def test_a_cache_of_no_size_keeps_nothing() -> None:
    cache = AnswerCache(0)
    cache.put(b"a", 0.1)
    assert cache.get(b"a") is None
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("one", "other"), [((1, 2), (1, 2, 0)), ((256,), (1, 0)), ((1, 2), (2, 1))]
)
def test_different_rows_have_different_keys(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert row_key(one) != row_key(other)
    assert row_key(one) == row_key(tuple(one))
