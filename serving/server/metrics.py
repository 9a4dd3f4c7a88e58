"""Prometheus metrics of the model server."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """All metrics, in a separate registry, since a process may run several servers."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.latency = Histogram(
            "shield_server_request_seconds",
            "From the last byte of a request to its answer.",
            ["route", "status"],
            buckets=_LATENCIES,
            registry=registry,
        )
        self.model_latency = Histogram(
            "shield_server_model_seconds",
            "One call of the model.",
            ["version"],
            buckets=_LATENCIES,
            registry=registry,
        )
        self.batch_rows = Histogram(
            "shield_server_batch_rows",
            "Rows in one call of the model.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=registry,
        )
        self.padding = Counter(
            "shield_server_padding_tokens", "Padding tokens computed.", registry=registry
        )
        self.rows = Counter(
            "shield_server_rows",
            "Rows requested, by the source of the answer: model, cache, twin; linear: texts that "
            "the linear half answered alone.",
            ["source"],
            registry=registry,
        )
        self.refusals = Counter(
            "shield_server_refusals",
            "Requests refused: queue_full, deadline, breaker, not_ready.",
            ["reason"],
            registry=registry,
        )
        self.faults = Counter(
            "shield_server_model_faults",
            "Faults of a version: nan, error, latency.",
            ["version", "kind"],
            registry=registry,
        )
        self.queue = Gauge(
            "shield_server_queue_rows", "Rows that wait for a thread.", registry=registry
        )
        self.connections = Gauge(
            "shield_server_connections", "Open connections.", registry=registry
        )
        self.version = Gauge(
            "shield_server_version",
            "1 for the version that answers, 0 for one that is kept warm.",
            ["version", "arm", "digest"],
            registry=registry,
        )
        self.switch = Histogram(
            "shield_server_switch_seconds",
            "Switching the version that answers: warm (already loaded) or cold.",
            ["kind"],
            buckets=(0.0001, 0.001, 0.01, 0.05, 0.1, 0.5, 1.5, 5.0),
            registry=registry,
        )

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)
