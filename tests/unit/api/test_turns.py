"""Turns at work that keeps the interpreter busy."""

import threading
from contextlib import ExitStack

import pytest

from api.kit.turns import Turns
from shield.errors import RateLimited
from tests.support.waiting import wait_until


def test_one_user_neither_holds_all_threads_nor_keeps_others_out() -> None:
    turns, began, held = Turns(per_user=2, wait_seconds=60), [], threading.Event()

    def work(user: str) -> None:
        with turns.taken(user, "searches"):
            began.append(user)
            held.wait()

    threads = [threading.Thread(target=work, args=("mallory",)) for _ in range(2)]
    with ExitStack() as stack:
        for thread in threads:
            stack.callback(thread.join)
        stack.callback(held.set)
        for thread in threads:
            thread.start()
        wait_until(lambda: began)
        wait_until(lambda: turns._present["mallory"] == 2)
        with (
            pytest.raises(RateLimited, match="2 searches of yours"),
            turns.taken("mallory", "searches"),
        ):
            pass
        threads.append(threading.Thread(target=work, args=("rita",)))
        threads[-1].start()
    threads[-1].join()
    assert sorted(began) == ["mallory", "mallory", "rita"]
    with turns.taken("mallory", "searches"):
        pass


def test_who_waits_too_long_is_told_to_come_back() -> None:
    turns = Turns(per_user=1, wait_seconds=0.01)
    with (
        turns.taken("rita", "searches"),
        pytest.raises(RateLimited, match="moment") as refused,
        turns.taken("otto", "searches"),
    ):
        pass
    assert refused.value.retry_after_seconds == 2
