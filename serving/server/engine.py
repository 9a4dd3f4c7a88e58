"""Compute probabilities of texts: tokenisation, cache, queue, threads, deadlines.

Everything but `_compute` runs on the event loop, so that cache and bookkeeping need no lock.
Threads only take rows, call onnxruntime (which releases the GIL) and return scores.
"""

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from serving.server import refusals
from serving.server.breaker import Fault
from serving.server.jobs import Job, Scored
from serving.server.metrics import Metrics
from serving.server.model import ServedModel, row_key
from serving.server.work import BatchRule, RowTask, WorkQueue
from shield.encoder import BATCH, Row
from shield.errors import Unavailable
from shield.packages.served import Precision
from shield.predictor import Reading

_INLINE_CHARS = 4096
"""Length above which requests are tokenised in a thread, to keep the event loop free."""

BATCH_RULES: dict[Precision, BatchRule] = {
    "int8": BatchRule(max_rows=BATCH["int8"]),
    "fp32": BatchRule(max_rows=8),
}


class Took(NamedTuple):
    """Duration of one call of the model."""

    seconds: float
    """Wall-clock time."""
    processor_seconds: float
    """Processor time."""


@dataclass
class Engine:
    """The computing threads and their queue. Create it on the event loop that uses it."""

    threads: int
    queue_rows: int
    precision: Precision
    metrics: Metrics
    _twins: dict[tuple[int, bytes], RowTask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rule = BATCH_RULES[self.precision]
        self._queue = WorkQueue(self.threads)
        self._threads = [
            threading.Thread(target=self._compute, name=f"compute-{index}", daemon=True)
            for index in range(self.threads)
        ]
        self.metrics.queue.set_function(lambda: len(self._queue))

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the queued work and end the threads. Blocks."""
        self._queue.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def expected_wait_seconds(self, model: ServedModel, before: int = 0) -> float:
        """Estimate the wait of a new row behind `before` queued tokens."""
        tokens = self._queue.tokens + self._queue.computing / 2 + before
        return tokens * model.seconds_per_token / self.threads

    def submit(
        self,
        model: ServedModel,
        texts: Sequence[str],
        deadline_seconds: float,
        wanted: Callable[[], bool] = lambda: True,
    ) -> "asyncio.Future[Scored]":
        """Request the scam probability of each text.

        Args:
            model: The version; stays in memory until the request is answered.
            texts: At least one.
            deadline_seconds: Time from now. A request that cannot meet it is refused at once.
            wanted: Called before computing; returns false if the client has disconnected.

        Returns:
            A future of the probabilities, in the order of the texts, and their processor time. It
            fails with `Unavailable` if the queue is full, the deadline cannot be met, or the
            version is faulty.
        """
        future: asyncio.Future[Scored] = self._loop.create_future()
        now = self._loop.time()
        job = Job(model, future, now + deadline_seconds, wanted)
        if not model.breaker.admits(now):
            future.set_exception(self._refuse("breaker", refusals.out_of_order(model)))
        # What is known costs nothing: it is answered however much waits.
        elif not self._recall(job, texts):
            refusal = self._busy(model, deadline_seconds)
            if refusal is None:
                self._admit(job, texts)
            else:
                future.set_exception(refusal)
        return future

    def _busy(self, model: ServedModel, deadline_seconds: float) -> Unavailable | None:
        if len(self._queue) >= self.queue_rows:
            return self._refuse("queue_full", refusals.queue_full(self.queue_rows))
        wait = self.expected_wait_seconds(model)
        if wait > deadline_seconds:
            return self._refuse("deadline", refusals.too_long(wait, deadline_seconds))
        return None

    def _refuse(self, reason: str, refusal: Unavailable) -> Unavailable:
        self.metrics.refusals.labels(reason).inc()
        return refusal

    def _recall(self, job: Job, texts: Sequence[str]) -> bool:
        """Answer from the cache without tokenising, if it has all texts."""
        known: list[tuple[list[float], float]] = []
        for text in texts:
            scores = job.model.cache.answers(text)
            if scores is None:
                return False
            known.append(scores)
        job.recall(known)
        alone = sum(
            not scores and job.model.predictor.answers_alone(linear) for scores, linear in known
        )
        self._count_rows(cache=len(job.scores), linear=alone)
        return True

    def _admit(self, job: Job, texts: Sequence[str]) -> None:
        """Tokenise, on the event loop or in a thread, and queue."""
        model = job.model
        model.in_flight += 1

        def leave(_: object) -> None:
            model.in_flight -= 1

        job.future.add_done_callback(leave)

        def tokenise() -> tuple[list[Reading], float]:
            began = time.thread_time()
            readings = model.predictor.read(texts)
            return readings, time.thread_time() - began

        def enqueue(tokenised: Callable[[], tuple[list[Reading], float]]) -> None:
            # Whatever fails is the answer: a future that is never done is never counted down, and
            # its version would wait for ever to be freed.
            try:
                self._enqueue(job, texts, *tokenised())
            except Exception as error:  # noqa: BLE001
                if not job.future.done():
                    job.future.set_exception(error)

        if sum(map(len, texts)) <= _INLINE_CHARS:
            enqueue(tokenise)
            return

        def tokenised(done: "asyncio.Future[tuple[list[Reading], float]]") -> None:
            enqueue(done.result)

        self._loop.run_in_executor(None, tokenise).add_done_callback(tokenised)

    def _enqueue(
        self, job: Job, texts: Sequence[str], readings: list[Reading], processor_seconds: float
    ) -> None:
        """Answer rows from the cache, join identical rows in flight, queue the rest."""
        model = job.model
        job.processor_seconds += processor_seconds
        rows = [row for reading in readings for row in reading.rows]
        job.expect(readings)
        alone = sum(
            not reading.rows and model.predictor.answers_alone(reading.linear)
            for reading in readings
        )
        if alone:
            # Versions are compared by the time that their encoders take: see ADR 0020.
            job.measured = False
        keys = list(map(row_key, rows))
        places: dict[bytes, list[int]] = {}
        for index, key in enumerate(keys):
            cached = model.cache.get(key)
            if cached is not None:
                job.scores[index] = cached
                job.pending -= 1
                job.measured = False
            else:
                places.setdefault(key, []).append(index)
        new = [key for key in places if (id(model), key) not in self._twins]
        refusal = self._too_many(job, [len(rows[places[key][0]]) for key in new])
        if refusal is not None:
            if not job.future.done():  # its client may have left
                job.future.set_exception(refusal)
            return
        self._count_rows(
            cache=len(rows) - job.pending,
            twin=job.pending - len(new),
            model=len(new),
            linear=alone,
        )
        model.cache.remember(texts, keys, readings)
        if not job.pending:
            job.finish()
        for key, indices in places.items():
            self._await_row(job, key, rows[indices[0]], indices)

    def _too_many(self, job: Job, lengths: Sequence[int]) -> Unavailable | None:
        """Refuse rows that do not fit in the queue or would wait past the deadline.

        A single request may exceed the queue's size, since it could never be answered otherwise.
        """
        if not lengths:
            return None
        if len(self._queue) + len(lengths) > max(self.queue_rows, len(lengths)):
            return self._refuse("queue_full", refusals.queue_full(self.queue_rows))
        if len(lengths) < 2:
            return None  # one row alone was weighed when it came
        wait = self.expected_wait_seconds(job.model, sum(lengths) - max(lengths))
        left = max(0.0, job.deadline - self._loop.time())
        return self._refuse("deadline", refusals.too_long(wait, left)) if wait > left else None

    def _count_rows(self, **sources: int) -> None:
        for source, amount in sources.items():
            if amount:
                self.metrics.rows.labels(source).inc(amount)

    def _await_row(self, job: Job, key: bytes, row: Row, indices: list[int]) -> None:
        arrived = partial(job.receive, indices)
        place = (id(job.model), key)
        twin = self._twins.get(place)
        if twin is None:
            task = RowTask(job.model, key, row, job.deadline, [arrived], [job.wanted])
            self._twins[place] = task
            self._queue.put(task)
        else:
            # It has to be done by the last of those who want it.
            twin.deadline = max(twin.deadline, job.deadline)
            twin.wanted.append(job.wanted)
            twin.waiters.append(arrived)

    # --- on the computing threads ---

    def _compute(self) -> None:
        while (batch := self._queue.take(self._rule)) is not None:
            now = self._loop.time()
            live = [task for task in batch if task.is_wanted(now)]
            scores: list[float] = []
            failure: Exception | None = None
            started, spent = time.perf_counter(), time.thread_time()
            if live:
                try:
                    scores = live[0].model.predictor.score([task.row for task in live]).tolist()
                # A thread's edge; onnxruntime's errors have no base of their own.
                except Exception as error:  # noqa: BLE001
                    failure = error
            took = Took(time.perf_counter() - started, time.thread_time() - spent)
            self._queue.done(batch)
            self._loop.call_soon_threadsafe(self._computed, batch, live, scores, failure, took)

    # --- back on the event loop ---

    def _computed(
        self,
        batch: list[RowTask],
        live: list[RowTask],
        scores: list[float],
        failure: Exception | None,
        took: Took,
    ) -> None:
        if live:
            self._observe(live, scores, failure, took)
        share = took.processor_seconds / max(1, len(live))
        answers = dict(zip(map(id, live), scores, strict=True)) if failure is None else {}
        now = self._loop.time()
        for task in batch:
            score = answers.get(id(task))
            outcome: float | Exception
            if score is not None and math.isfinite(score):
                task.model.cache.put(task.key, score)
                outcome = score
            elif task in live:
                outcome = refusals.could_not(task.model)
            elif task.is_wanted(now):
                # Somebody joined while it was being dropped.
                self._queue.put(task)
                continue
            else:
                outcome = self._refuse("deadline", refusals.too_late())
            del self._twins[id(task.model), task.key]
            for waiter in task.waiters:
                waiter(outcome, share)

    def _observe(
        self,
        live: list[RowTask],
        scores: list[float],
        failure: Exception | None,
        took: Took,
    ) -> None:
        model = live[0].model
        longest = max(len(task.row) for task in live)
        cells = longest * len(live)
        expected = cells * model.seconds_per_token
        fault: Fault | None = None
        if failure is not None:
            fault = Fault.ERROR
        elif not all(map(math.isfinite, scores)):
            fault = Fault.NAN
        # Not by the clock on the wall: a call that had to wait for a processor is not slow.
        elif model.breaker.is_slow(took.processor_seconds, expected):
            fault = Fault.LATENCY
        model.breaker.record(self._loop.time(), fault)
        model.calls += 1
        model.learn_speed(took.seconds / cells)
        self.metrics.model_latency.labels(model.version).observe(took.seconds)
        self.metrics.batch_rows.observe(len(live))
        padding = cells - sum(len(task.row) for task in live)
        if padding:
            self.metrics.padding.inc(padding)
