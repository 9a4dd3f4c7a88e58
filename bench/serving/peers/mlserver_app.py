# mypy: ignore-errors
# ruff: noqa: D101, D102
"""MLServer with a custom runtime: one worker process per core."""

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput
from scorer import Scorer


class Sms(MLModel):  # type: ignore[misc]
    async def load(self) -> bool:
        self.scorer = Scorer()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = StringCodec.decode_input(payload.inputs[0])
        values = [self.scorer.probability(text) for text in texts]
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                ResponseOutput(
                    name="probability", shape=[len(values)], datatype="FP64", data=values
                )
            ],
        )
