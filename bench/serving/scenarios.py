"""What only concerns our server: fixed-rate latency, overload, repeats, switching, start."""

import json
import statistics
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from bench.serving import closed_loop, open_loop
from bench.serving.processes import Server, running

SHARES = (0.05, 0.3, 0.7, 1.0, 3.0)
"""Of the capacity. At 5 % hardly anybody waits: what is measured is the messages' own lengths."""


def loads(
    package: Path, trusted: Path, threads: int, texts: Sequence[str], seconds: int, rounds: int
) -> Any:
    """Return latency and goodput at shares of the capacity: medians of the rounds.

    The capacity is measured before and after each, as the machine may change its pace.
    """
    found: dict[str, list[dict[str, float | None]]] = {f"{share:.0%}": [] for share in SHARES}
    # Connections enough for what waits and what is refused; the queue's limit and the deadline are
    # the defaults.
    most = str(2 * open_loop.MOST_CONNECTIONS)
    with running("ours", package, trusted, threads, cache_rows="0", max_connections=most) as server:
        script = package.parent / "bench-ours.lua"
        closed_loop.write_script(script, server, texts)
        before = closed_loop.measure(server, script, 8, 2).throughput
        for _ in range(rounds):
            for share in SHARES:
                outcome = open_loop.run(server, texts, share * before, seconds)
                after = closed_loop.measure(server, script, 8, 2).throughput
                possible = min(statistics.mean([before, after]), share * before)
                found[f"{share:.0%}"].append(
                    {
                        "capacity": statistics.mean([before, after]),
                        "offered": share * before,
                        "goodput": outcome.goodput,
                        "goodput_share": outcome.goodput / possible,
                        "p50_ms": outcome.percentile(0.5),
                        "p99_ms": outcome.percentile(0.99),
                        "refused": len(outcome.refused),
                        "refusal_p50_ms": outcome.percentile(0.5, refused=True),
                        "refusal_p99_ms": outcome.percentile(0.99, refused=True),
                        "failed": outcome.failed,
                        "client_share": outcome.client_cpu_seconds / (seconds * threads),
                    }
                )
                before = after
    return {share: _medians(measured) for share, measured in found.items()}


def _medians(measured: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    medians: dict[str, float | None] = {}
    for name in measured[0]:
        values = [value for one in measured if (value := one[name]) is not None]
        medians[name] = statistics.median(values) if values else None
    # Not the median: what failed once has failed.
    medians["failed"] = max(one["failed"] or 0 for one in measured)
    return medians


def repeats(
    package: Path, trusted: Path, threads: int, texts: Sequence[str], seconds: int, rounds: int
) -> Any:
    """Return the gain of the cache when four of five messages are repeats, and wrong answers."""
    random = Random(0)
    popular, rare = list(texts[:50]), iter(_unique(texts[50:]))
    mixed = [random.choice(popular) if random.random() < 0.8 else next(rare) for _ in range(40_000)]
    gains, wrong = [], 0
    with (
        running("ours", package, trusted, threads, cache_rows="0", deadline_seconds="60") as plain,
        running("ours", package, trusted, threads, deadline_seconds="60") as cached,
    ):
        scripts = {}
        for name, server in (("plain", plain), ("cached", cached)):
            scripts[name] = package.parent / f"bench-{name}.lua"
            closed_loop.write_script(scripts[name], server, mixed)
        throughputs = []
        for _ in range(rounds):
            without = closed_loop.measure(plain, scripts["plain"], 32, seconds)
            having = closed_loop.measure(cached, scripts["cached"], 32, seconds)
            gains.append(having.throughput / without.throughput)
            throughputs.append(having.throughput)
        for text in [*popular, *mixed[:200]]:
            wrong += ask(plain, text) != ask(cached, text)
    return {
        "gain": statistics.median(gains),
        "gains": gains,
        "throughput": statistics.median(throughputs),
        "wrong_answers": wrong,
    }


def _unique(texts: Sequence[str]) -> Any:
    number = 0
    while True:
        for text in texts:
            number += 1
            yield f"{text} {number}"


def ask(server: Server, text: str) -> float:
    """Return the probability a server gives."""
    request = urllib.request.Request(
        server.url, server.body(text), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return float(json.load(answer)["predictions"][0]["probability"])


def switching(
    packages: tuple[Path, Path],
    trusted: Path,
    threads: int,
    texts: Sequence[str],
    switches: int,
) -> Any:
    """Switch between two versions under a steady load; count failures, compare latencies."""
    with running(
        *("ours", packages[0], trusted, threads),
        cache_rows="0",
        repository="true",
        deadline_seconds="60",
    ) as server:
        script = packages[0].parent / "bench-ours.lua"
        closed_loop.write_script(script, server, texts)
        limit = closed_loop.measure(server, script, 8, 2).throughput
        rate = 0.4 * limit
        seconds = switches * 0.02
        steady = open_loop.run(server, texts, rate, min(10.0, seconds))
        cold = switch_to(server, packages[1], "v2")
        warm: list[float] = []

        def switch() -> None:
            for number in range(switches):
                started = time.perf_counter()
                warm.append(switch_to(server, None, ("v1", "v2")[number % 2]))
                time.sleep(max(0.0, 0.02 - (time.perf_counter() - started)))

        switcher = threading.Thread(target=switch)
        switcher.start()
        during = open_loop.run(server, texts, rate, seconds)
        switcher.join()
        return {
            "switches": len(warm),
            "requests": len(during.answered),
            "failed": during.failed + len(during.refused),
            "steady_p99_ms": steady.percentile(0.99),
            "during_p99_ms": during.percentile(0.99),
            "warm_ms": 1000 * statistics.median(warm),
            "warm_worst_ms": 1000 * max(warm),
            "cold_seconds": cold,
        }


def switch_to(server: Server, package: Path | None, version: str) -> float:
    """Ask for a version over HTTP and return the seconds until it answers."""
    parameters = {"version": version} | ({"package": str(package)} if package else {})
    body = json.dumps({"parameters": parameters}).encode()
    url = f"http://127.0.0.1:{server.port}/v2/repository/models/sms/load"
    started = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
        answer.read()
    return time.perf_counter() - started
