"""Which files of a package a predictor reads. Asked without one: the API has no onnxruntime."""

from typing import Literal

from shield.packages.manifest import (
    FP32_MODEL,
    INT8_MODEL,
    LINEAR,
    SAMPLES,
    TOKENIZER,
    Manifest,
)

Precision = Literal["int8", "fp32"]
"""The two exports of an encoder."""

MODEL_FILES: dict[Precision, str] = {"int8": INT8_MODEL, "fp32": FP32_MODEL}


def files_served(manifest: Manifest, precision: Precision) -> list[str]:
    """Return the files of a package that a predictor reads."""
    encoder = [MODEL_FILES[precision], TOKENIZER] if manifest.has_encoder else []
    linear = [LINEAR] if manifest.settled_margin().linear else []
    return [*encoder, *linear, SAMPLES]
