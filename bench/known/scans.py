"""What a million known campaigns add to a scan: messages with and without them, in turn."""

import asyncio
import random
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from api.kit.auth import Principal
from api.kit.context import Services
from api.kit.tokens import Role
from api.known.index import KnownIndex
from api.scans import service as scans
from bench.learning.lab import sms_heads
from bench.outcome import Aim, Outcome
from shield.labels import ModelType, ScanType
from shield.reasons import Reader
from shield.similarity import PERMUTATIONS
from shield.wire import ScanRequest
from tests.support.api import running_services
from tests.support.arms import deploy, model_server
from tests.support.waiting import wait_until

ENTRIES = 1_000_000
MOST_MORE = 0.05
_CHUNK = 250_000


def run(folder: Path, *, seed: int, short: bool) -> Outcome:
    """Scan each message twice, with the entries and without, in an order drawn by lot."""
    entries, asked = (20_000, 100) if short else (ENTRIES, 1_500)
    rng = random.Random(seed)
    texts = rng.sample(sms_heads()["text"].to_list(), asked)
    with (
        model_server(judge=lambda _: 0.05) as model,
        running_services(folder) as services,
    ):
        deploy(services.rollouts, model)
        services.router.start()
        try:
            wait_until(lambda: services.router.split(ModelType.SMS))
            times = asyncio.run(_measured(services, texts, _filled(entries, seed), rng))
        finally:
            services.router.stop()
    p50 = {name: 1000 * float(np.median(each)) for name, each in times.items()}
    more = p50["with"] / p50["without"] - 1
    return Outcome(
        {"entries": entries, "asked": asked, **{f"{k}_p50_ms": v for k, v in p50.items()}},
        [
            Aim(
                f"rise of a scan's p50 with {entries:,} known campaigns",
                f"<= {MOST_MORE:.0%}",
                f"{more:+.1%} ({p50['without']:.2f} ms without, {p50['with']:.2f} ms with)",
                more <= MOST_MORE,
                "In the API's process over SQLite, a model server that answers at once beside it: "
                "a real model takes longer, so that the share is smaller. Real messages, each "
                "with and without, in an order drawn by lot.",
            )
        ],
    )


def _filled(entries: int, seed: int) -> KnownIndex:
    rng = np.random.default_rng(seed)
    index = KnownIndex()
    for start in range(0, entries, _CHUNK):
        many = min(_CHUNK, entries - start)
        rows = rng.integers(0, 2**16, (many, PERMUTATIONS), dtype=np.uint16)
        ids = [f"{start + place:032x}" for place in range(many)]
        index.change(ids, range(start, start + many), rows)
    return index


async def _measured(
    services: Services, texts: list[str], filled: KnownIndex, rng: random.Random
) -> dict[str, list[float]]:
    indexes = {"with": filled, "without": KnownIndex()}
    times: dict[str, list[float]] = defaultdict(list)
    held = services.known._indexes  # type: ignore[attr-defined]
    user = Principal("ann", frozenset({Role.USER}))
    for number, text in enumerate(texts):
        for name in rng.sample(sorted(indexes), 2):
            held[ModelType.SMS.value] = indexes[name]
            request = ScanRequest(scan_type=ScanType.TEXT, text=text)
            began = time.perf_counter()
            await scans.scan(services, user, request, None, Reader("en"))
            if number >= len(texts) // 10:  # the first ones warm everything up
                times[name].append(time.perf_counter() - began)
    return times
