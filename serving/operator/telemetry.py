"""The operator's `/healthz`, `/readyz` and `/metrics`."""

import threading
from collections import Counter as Count
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from shield.crds.v1alpha1 import Phase


class Telemetry:
    """Metrics of one operator process, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "shield_operator_reconcile_seconds",
            "Duration of one reconcile, from the observation to the last write.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self._errors = Counter(
            "shield_operator_reconcile_errors",
            "Reconciles that ended with an error, by its kind.",
            ["kind"],
            registry=self.registry,
        )
        self._rollouts = Gauge(
            "shield_operator_rollouts", "Rollouts by phase.", ["phase"], registry=self.registry
        )
        self._leader = Gauge(
            "shield_operator_leader", "1 while this process leads.", registry=self.registry
        )
        self._calls = Gauge(
            "shield_operator_api_calls",
            "Calls of the API server.",
            ["verb"],
            registry=self.registry,
        )

    def reconciled(self, seconds: float) -> None:
        """Count a reconcile."""
        self._seconds.observe(seconds)

    def failed(self, kind: str) -> None:
        """Count a failed reconcile."""
        self._errors.labels(kind).inc()

    def rollouts(self, phases: Iterable[Phase]) -> None:
        """Set the number of rollouts in each phase."""
        counts = Count(phases)
        for phase in Phase:
            self._rollouts.labels(phase.value).set(counts[phase])

    def leads(self, held: bool) -> None:
        """Set whether this process is the leader."""
        self._leader.set(int(held))

    def calls(self, by_verb: dict[str, int]) -> None:
        """Set the number of calls so far."""
        for verb, count in by_verb.items():
            self._calls.labels(verb).set(count)


def serve(
    telemetry: Telemetry,
    port: int,
    *,
    alive: Callable[[], bool],
    ready: Callable[[], bool],
    refresh: Callable[[], None] = lambda: None,
) -> ThreadingHTTPServer:
    """Serve probes and metrics in a thread; call `shutdown()` of the result to stop.

    Args:
        telemetry: The metrics.
        port: Port to listen on; 0 picks a free one.
        alive: Answers `/healthz`.
        ready: Answers `/readyz`.
        refresh: Called before each scrape.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                refresh()
                self._answer(200, generate_latest(telemetry.registry), CONTENT_TYPE_LATEST)
                return
            checks = {"/healthz": alive, "/readyz": ready}
            check = checks.get(self.path)
            if check is None:
                self._answer(404, b"try /healthz, /readyz or /metrics\n")
            elif check():
                self._answer(200, b"ok\n")
            else:
                self._answer(503, b"not ok\n")

        def _answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Do not log probes."""

    server = ThreadingHTTPServer(("", port), Handler)
    threading.Thread(target=server.serve_forever, name="telemetry", daemon=True).start()
    return server
