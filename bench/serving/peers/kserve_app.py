# mypy: ignore-errors
# ruff: noqa: D101, D102
"""KServe's Python model server, Open Inference Protocol v2, one worker process per core."""

import os
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.protocol.rest.multiprocess.server import RESTServerProcess
from scorer import Scorer

# KServe ends a worker that does not answer its first ping within five seconds. Importing takes
# longer on a busy machine, and then it would never start.
RESTServerProcess.is_alive.__defaults__ = (60.0,)


class Sms(Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("sms")
        self.load()

    def load(self) -> bool:
        self.scorer = Scorer()
        self.ready = True
        return True

    # Its worker processes are spawned: the session cannot travel, so each loads its own.
    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "scorer"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self.load()

    async def predict(
        self, payload: InferRequest, headers: Any = None, response_headers: Any = None
    ) -> InferResponse:
        texts = payload.inputs[0].data
        values = [self.scorer.probability(text) for text in texts]
        output = InferOutput(name="probability", shape=[len(values)], datatype="FP64", data=values)
        # It answers an id to every request, but takes none for a request without.
        return InferResponse(payload.id or "0", "sms", [output])


if __name__ == "__main__":
    ModelServer(
        http_port=int(os.environ["BENCH_PORT"]),
        enable_grpc=False,
        workers=int(os.environ["BENCH_THREADS"]),
        access_log_format=None,
    ).start([Sms()])
