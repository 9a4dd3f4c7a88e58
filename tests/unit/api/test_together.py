"""Writing for many requests at once."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.kit import together as module
from api.kit.together import Together
from tests.support.waiting import PATIENCE_SECONDS


class Ledger:
    """Keeps what it is given in one step, as a transaction does; the first one can be held up."""

    def __init__(self) -> None:
        self.steps: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.away = False

    def write(self, items: Sequence[int]) -> list[int]:
        self.begun.set()
        self.go_on.wait()
        if self.away:
            self.steps.append(list(items))
            raise PoolTimeout
        if any(item < 0 for item in items):
            raise ValueError("negative")
        self.steps.append(list(items))
        return [10 * item for item in items]


async def _first_alone(together: Together, ledger: Ledger, later: Sequence[int]) -> list[object]:
    """Let one item be written; the others come meanwhile. Return what all are told."""
    futures = [together.put(ledger.write, 0)]
    await asyncio.to_thread(ledger.begun.wait)
    futures += [together.put(ledger.write, item) for item in later]
    assert not any(future.done() for future in futures), "nobody is told before the commit"
    ledger.go_on.set()
    return list(await asyncio.gather(*futures, return_exceptions=True))


def test_who_comes_while_one_commits_shares_the_next_and_each_gets_its_own_answer() -> None:
    together, ledger = Together(), Ledger()
    told = asyncio.run(_first_alone(together, ledger, [1, 2, 3]))
    together.stop()
    assert told == [0, 10, 20, 30]
    assert ledger.steps == [[0], [1, 2, 3]]


def test_the_next_transaction_waits_for_as_many_as_were_under_way_and_no_stop_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_WAIT_SHARE", float("inf"))
    monkeypatch.setattr(module, "_MOST_WAIT_SECONDS", 10 * PATIENCE_SECONDS)
    together, ledger = Together(), Ledger()

    async def again() -> None:
        assert await _first_alone(together, ledger, []) == [0]
        ledger.go_on.clear()
        ledger.begun.clear()
        first = together.put(ledger.write, 1)
        await asyncio.to_thread(ledger.begun.wait)  # one alone waits for nobody
        rest = [together.put(ledger.write, 2), together.put(ledger.write, 3)]
        ledger.go_on.set()
        await first
        await asyncio.gather(together.put(ledger.write, 4), *rest)
        last = together.put(ledger.write, 5)
        await asyncio.to_thread(together.stop)
        assert await last == 50

    asyncio.run(asyncio.wait_for(again(), PATIENCE_SECONDS))
    assert ledger.steps == [[0], [1], [2, 3, 4], [5]]


def test_one_that_spoils_a_transaction_fails_alone() -> None:
    together, ledger = Together(), Ledger()
    told = asyncio.run(_first_alone(together, ledger, [1, -2, 3]))
    together.stop()
    assert [told[1], told[3]] == [10, 30]
    assert isinstance(told[2], ValueError)
    assert ledger.steps == [[0], [1], [3]]


def test_a_database_that_is_away_is_not_asked_again_for_each() -> None:
    together, ledger = Together(), Ledger()
    ledger.away = True
    told = asyncio.run(_first_alone(together, ledger, [1, 2]))
    together.stop()
    assert all(isinstance(one, PoolTimeout) for one in told)
    assert ledger.steps == [[0], [1, 2]]


def test_stopping_writes_what_waits_and_a_client_that_has_gone_is_no_fault() -> None:
    together, ledger = Together(), Ledger()

    async def leave() -> None:
        first = together.put(ledger.write, 1)
        await asyncio.to_thread(ledger.begun.wait)
        first.cancel()
        together.put(ledger.write, 2)
        ledger.go_on.set()
        await asyncio.to_thread(together.stop)
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(leave())
    assert ledger.steps == [[1], [2]]


def test_kinds_that_are_kept_apart_do_not_wait_for_each_other() -> None:
    together, slow, quick = Together(apart=True), Ledger(), Ledger()
    quick.go_on.set()

    async def both() -> tuple[int, int]:
        waits = together.put(slow.write, 1)
        await asyncio.to_thread(slow.begun.wait)
        told = await together.put(quick.write, 2)
        assert not waits.done()
        slow.go_on.set()
        return await waits, told

    assert asyncio.run(both()) == (10, 20)
    together.stop()
