# mypy: ignore-errors
# ruff: noqa: D101
"""What one writes first: FastAPI around a transformers pipeline, in fp32 with torch."""

import os
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast, pipeline

package = Path(os.environ["BENCH_PACKAGE"])
torch.set_num_threads(int(os.environ["BENCH_THREADS"]))
classify = pipeline(
    "text-classification",
    model=AutoModelForSequenceClassification.from_pretrained(package).eval(),
    tokenizer=PreTrainedTokenizerFast(
        tokenizer_file=str(package / "tokenizer.json"), pad_token="[PAD]"
    ),
)
app = FastAPI()


class Body(BaseModel):
    text: str


@app.post("/predict")
def predict(body: Body) -> dict[str, float]:
    best = classify(body.text, truncation=True, max_length=64)[0]
    return {"probability": best["score"] if best["label"] == "LABEL_1" else 1 - best["score"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=False)
