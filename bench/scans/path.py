"""From the phone to the verdict, beside the model server alone and pgbench."""

import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.feedback.__main__ import own_process, pgbench
from bench.feedback.load import Sent, request, send
from bench.feedback.processor import cpu_seconds
from bench.serving.__main__ import corpus
from shield.crds.v1alpha1 import Split
from shield.rollouts import RolloutStore
from tests.support.model_server import running_model_server
from tests.support.packages import signed_package
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import new_migrated_database
from tests.support.rollouts import spec, version

CLIENTS = 8
_PREPARED_PER_SECOND = 250
"""Messages per client and second that are there to be sent; recalled ones are answered fast."""
_INSERT = r"""
\set n random(1, 2000000000)
INSERT INTO scans (id, user_id, scan_type, model_type, text_sealed, fingerprint, sketch, known_id,
 told_label, verdict, positive, probability, confidence, certainty, model_version, arm, forced,
 latency_ms, processor_ms, created_at)
VALUES (md5('s' || :n || random()), 'u' || :n, 'text', 'sms', decode(repeat('ab', 110), 'hex'),
 md5('f' || :n), decode(repeat('cd', 200), 'hex'), NULL, NULL, 'ham', false, 0.01, 0.99, 'sure',
 'sms-v1', 'stable', false, 4.0, 3.0, now());
"""


def measure(kind: str, seconds: int, turns: int) -> dict[str, Any]:
    """Return medians over the turns, and the least and the most of the ratios.

    Args:
        kind: `sqlite`, `postgresql`, or the latter with two `processes` or through `pgbouncer`.
        seconds: Length of a slice.
        turns: Number of slices.
    """
    slices = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = None if kind == "sqlite" else new_migrated_database()
        # No answer is recalled and none refused: each message is computed.
        settings = {"cache_rows": "0", "deadline_seconds": "60"}
        model = stack.enter_context(running_model_server(signed_package(), **settings))
        pooler = {}
        if kind == "pgbouncer" and url is not None:
            pooled = stack.enter_context(pgbouncer(url))
            pooler = {"SHIELD_DATABASE_URL": pooled, "SHIELD_DATABASE_DIRECT_URL": url}
        workers = 2 if kind == "processes" else 1
        api, pid = stack.enter_context(own_process(folder, url, workers, **pooler))
        deploy(api.services.rollouts, model.url)
        rng, texts = random.Random(21), corpus()
        tokens = [api.token(f"phone-{number}") for number in range(CLIENTS)]

        def through(length: float) -> Sent:
            return send(api.url, scan_requests(tokens, numbered(rng, texts), length), length)

        def alone(length: float) -> Sent:
            said = numbered(rng, texts)
            requests = _requests("/predict", ["none"] * CLIENTS, '{"texts": [%s]}', said, length)
            return send(model.url, requests, length, status=200)

        through(3)  # the first messages read tables, make connections and prepare statements
        for _ in range(turns):
            by_model = alone(seconds)
            before = cpu_seconds(pid), cpu_seconds(model.process.pid)
            sent = through(seconds)
            after = cpu_seconds(pid), cpu_seconds(model.process.pid)
            api_ms, model_ms = (
                1000 * (late - early) / len(sent.took)
                for early, late in zip(before, after, strict=True)
            )
            inserted = pgbench(url, seconds, _INSERT) if url else None
            slices.append(_slice(sent, by_model, api_ms, model_ms, inserted))
            sys.stderr.write(f"{kind}: {slices[-1]}\n")
    middle = {name: _median([one[name] for one in slices]) for name in slices[0]}
    spread = {
        name: [min(one[name] for one in slices), max(one[name] for one in slices)]
        for name in ("through", "cpu_ratio", "tail")
    }
    return {**middle, "spread": spread, "turns": turns}


def deploy(store: RolloutStore, url: str) -> None:
    """Let the model server at `url` answer everybody."""
    rollout = store.change_spec("sms", lambda _: spec("sms-v1"))
    split = Split(stable=version("sms-v1"), stable_url=url)
    status = rollout.status.model_copy(update={"stable": version("sms-v1"), "split": split})
    store.write_status(rollout, status)


def numbered(rng: random.Random, texts: Sequence[str]) -> Iterator[str]:
    """Yield messages without end, each with a number of its own."""
    while True:
        yield f"{rng.choice(texts)} {rng.randrange(10**6)}"


def scan_requests(
    tokens: Sequence[str],
    texts: Iterable[str],
    seconds: float,
    path: str = "/api/v2/scans",
    template: str = '{"scanType": "text", "text": %s}',
) -> list[list[bytes]]:
    """Return the requests of each client, whose bodies have the messages in place of `%s`."""
    return _requests(path, tokens, template, cycle(texts), seconds)


def _requests(
    path: str, tokens: Sequence[str], template: str, texts: Iterator[str], seconds: float
) -> list[list[bytes]]:
    count = int(seconds * _PREPARED_PER_SECOND)
    return [
        [
            request(path, token, template.replace("%s", json.dumps(text)).encode(), f"key-{at}")
            for at, text in enumerate(islice(texts, count))
        ]
        for token in tokens
    ]


def _slice(
    sent: Sent, by_model: Sent, api_ms: float, model_ms: float, inserted: float | None
) -> dict[str, Any]:
    took, alone = sorted(sent.took), sorted(by_model.took)
    rate, model_rate = len(took) / sent.seconds, len(alone) / by_model.seconds
    middle, late = took[len(took) // 2], took[int(len(took) * 0.99)]
    return {
        "scans_per_second": rate,
        "model_alone_per_second": model_rate,
        "through": rate / model_rate,
        "api_cpu_ms": api_ms,
        "model_cpu_ms": model_ms,
        "cpu_ratio": api_ms / model_ms,
        "p50_ms": 1000 * middle,
        "p99_ms": 1000 * late,
        "tail": late / middle,
        "model_alone_p50_ms": 1000 * alone[len(alone) // 2],
        "model_alone_p99_ms": 1000 * alone[int(len(alone) * 0.99)],
        "pgbench_per_second": inserted,
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 4) if known else None
