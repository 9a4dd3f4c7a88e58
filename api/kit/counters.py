"""Prometheus metrics: requests by route, scans by arm, failures, and the state of the queue.

Label values are bounded: a route is labelled by its template, never by its path.
"""

import os
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = "/api/v2"
"""Prefix of the API's routes."""
REGISTRY = CollectorRegistry()
REQUESTS = Histogram(
    "shield_api_request_seconds",
    "Time to answer a request.",
    ["method", "route", "status"],
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SCANS = Counter(
    "shield_scans",
    "Scans answered.",
    ["model_type", "version", "arm", "verdict"],
    registry=REGISTRY,
)
DEVICE_SCANS = Counter(
    "shield_device_scans",
    "Scans judged on phones, as the phones report them: a quarter of the answers are random.",
    ["model_type", "version", "answer"],
    registry=REGISTRY,
)
DEVICE_REPORTS = Counter(
    "shield_device_reports",
    "Reports on messages judged on phones, by whether the server agrees.",
    ["model_type", "version", "agrees"],
    registry=REGISTRY,
)
KNOWN_MATCHES = Counter(
    "shield_known_matches",
    "Scans that belonged to a known campaign.",
    ["model_type", "standing"],
    registry=REGISTRY,
)
FAILURES = Counter(
    "shield_arm_failures",
    "Requests that a version failed to answer.",
    ["model_type", "version", "arm"],
    registry=REGISTRY,
)
FEEDBACK = Counter(
    "shield_feedback", "Feedback received.", ["model_type", "claim"], registry=REGISTRY
)
WEBHOOKS = Counter(
    "shield_webhook_attempts",
    "Attempts to deliver an event to a webhook.",
    ["outcome"],
    registry=REGISTRY,
)
PUSHES = Counter(
    "shield_push_attempts",
    "Attempts to wake a phone: delivered, gone (unsubscribed), refused or failed (tried again).",
    ["outcome"],
    registry=REGISTRY,
)
DECISIONS = Counter("shield_decisions", "Items decided.", ["action"], registry=REGISTRY)
PENDING = Gauge(
    "shield_feedback_pending",
    "Items that wait for a reviewer.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

RUN_FAILED = Gauge(
    "shield_run_failed",
    "1 if the latest finished run failed, else 0. Refusals and skips are not failures.",
    ["model_type", "kind"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
KNOWN_BUSIEST = Gauge(
    "shield_known_busiest_matches",
    "Scans of the last hour that matched the known campaign with the most matches.",
    ["model_type"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OUTBOX_WAITING = Gauge(
    "shield_outbox_waiting_seconds",
    "Age of the oldest due work of the outbox, in seconds; 0 if there is none.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
DRIFT = Gauge(
    "shield_drift_asks",
    "1 if the latest drift check requests a retraining, else 0.",
    ["model_type"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
DRIFT_LOOKED = Gauge(
    "shield_drift_looked_timestamp_seconds",
    "Time of the latest drift check.",
    ["model_type"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
DRIFT_EVIDENCE = Gauge(
    "shield_drift_evidence",
    "Evidence of each signal in the latest drift check; at 1 a retraining is requested.",
    ["model_type", "signal"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

AUDIT_ENTRIES = Gauge(
    "shield_audit_entries",
    "Entries of the audit log; never decreases.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
AUDIT_HEAD = Gauge(
    "shield_audit_head",
    "First 13 hexadecimal digits of the newest entry's hash, as a number.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)


def exposition() -> bytes:
    """Return the metrics of all workers in the Prometheus text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


class Measured:
    """ASGI middleware that times every request by the template of its route."""

    def __init__(self, app: ASGIApp, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            REQUESTS.labels(scope["method"], _template(scope), str(status)).observe(
                self._monotonic() - started
            )


def _template(scope: Scope) -> str:
    """Return the route's template as in `/openapi.json`; the framework's lacks the prefix."""
    route: str = getattr(scope.get("route"), "path", "other")
    prefixed = scope["path"].startswith(f"{BASE}/") and route.startswith("/")
    return BASE + route if prefixed and not route.startswith(BASE) else route
