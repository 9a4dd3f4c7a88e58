# mypy: ignore-errors
# ruff: noqa: D101, D102
"""Ray Serve: one replica per core."""

import os
import signal
from typing import Any

import ray
from ray import serve
from scorer import Scorer


@serve.deployment(
    num_replicas=int(os.environ["BENCH_THREADS"]),
    ray_actor_options={"num_cpus": 0.5},
    max_ongoing_requests=64,
)
class Sms:
    def __init__(self) -> None:
        self.scorer = Scorer()

    async def __call__(self, request: Any) -> dict[str, float]:
        return {"probability": self.scorer.probability((await request.json())["text"])}


if __name__ == "__main__":
    ray.init(
        num_cpus=int(os.environ["BENCH_THREADS"]), include_dashboard=False, log_to_driver=False
    )
    serve.start(http_options={"host": "127.0.0.1", "port": int(os.environ["BENCH_PORT"])})
    serve.run(Sms.bind(), route_prefix="/predict")
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    ray.shutdown()
