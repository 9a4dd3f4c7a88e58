# mypy: ignore-errors
# ruff: noqa: D101, D102
"""LitServe: one worker process per core."""

import os
from typing import Any

import litserve as ls
from scorer import Scorer


class Api(ls.LitAPI):
    def setup(self, device: str) -> None:
        self.scorer = Scorer()

    def decode_request(self, request: dict[str, Any]) -> str:
        return str(request["text"])

    def predict(self, text: str) -> float:
        return self.scorer.probability(text)

    def encode_response(self, output: float) -> dict[str, float]:
        return {"probability": output}


if __name__ == "__main__":
    server = ls.LitServer(
        Api(), accelerator="cpu", workers_per_device=int(os.environ["BENCH_THREADS"])
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
