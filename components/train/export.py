"""Write a fine-tuned classifier as the files of a model package.

The same weights give the same bytes: the graph is stripped of traces, paths and versions, and
nothing here reads a clock or draws a random number. `shield.packages.pack` then names the files by
digest.
"""

import copy
import json
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_file

from shield.errors import Invalid
from shield.labels import ModelType
from shield.packages import Manifest, ModelPackage, Preprocessing, pack
from shield.packages.manifest import (
    CONFIG,
    FP32_MODEL,
    INT8_MODEL,
    MANIFEST,
    SAMPLES,
    TOKENIZER,
    WEIGHTS,
)
from shield.packages.served import Precision
from shield.predictor import Predictor

_OPSET = 18
# Two rows of different lengths, so that the exporter sees padding. Ids that any vocabulary has.
_EXAMPLE = {
    "input_ids": torch.tensor([[1, 2, 3, 1], [1, 2, 1, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


class _Logits(torch.nn.Module):
    """The classifier reduced to what is served: two inputs, one output."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def export_package(
    model: Any,
    tokenizer_json: Path,
    directory: Path,
    *,
    max_tokens: int,
    sample_texts: Sequence[str],
) -> None:
    """Write `model` into `directory` as all required files of a package, unpacked and unsigned.

    Args:
        model: A transformers model for sequence classification with two labels, negative first.
        tokenizer_json: Its tokenizer, in the format of Hugging Face tokenizers.
        directory: Made if need be. Files of the same names are replaced.
        max_tokens: Longest row the model is served with; must not exceed the model's positions.
        sample_texts: Warm-up texts, at least one; short ones start a server faster. They travel
            with the
            package: take them from a public corpus, never from users.

    Raises:
        Invalid: No samples, not two labels, or more tokens than the model has positions.
    """
    _check(model, max_tokens, sample_texts)
    directory.mkdir(parents=True, exist_ok=True)
    _write_weights(model, directory)
    # Through a parse, so that white space of the source does not change the digest.
    tokenizer = json.loads(tokenizer_json.read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None
    (directory / TOKENIZER).write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    graph = _export_graph(model)
    onnx.save_model(graph, str(directory / FP32_MODEL))
    onnx.save_model(_quantise(directory / FP32_MODEL), str(directory / INT8_MODEL))
    _write_samples(directory, max_tokens, sample_texts)


def _check(model: Any, max_tokens: int, sample_texts: Sequence[str]) -> None:
    if not sample_texts:
        raise Invalid("A package needs at least one sample text to be warmed up with. Give some.")
    if model.config.num_labels != 2:
        raise Invalid(
            f"The model has {model.config.num_labels} labels; a package holds a classifier with "
            "two."
        )
    positions = getattr(model.config, "max_position_embeddings", max_tokens)
    if max_tokens > positions:
        raise Invalid(
            f"max_tokens is {max_tokens}, but the model has {positions} positions. Lower "
            "max_tokens; "
            "longer texts are cut in windows."
        )


def _write_weights(model: Any, directory: Path) -> None:
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    save_file(tensors, str(directory / WEIGHTS), metadata={"format": "pt"})
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    # Where the model was loaded from, and by which release, is not what it is.
    for trace in ("_name_or_path", "transformers_version"):
        config.pop(trace, None)
    (directory / CONFIG).write_text(json.dumps(config, sort_keys=True, indent=1) + "\n")


def _export_graph(model: Any) -> onnx.ModelProto:
    batch = torch.export.Dim("batch", min=1, max=4096)
    sequence = torch.export.Dim(
        "sequence", min=1, max=getattr(model.config, "max_position_embeddings", 8192)
    )
    with _for_inference(model), warnings.catch_warnings():
        # The exporter warns of its own internals (shared axis names, optional torchvision).
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Logits(model).eval(),
            kwargs=_EXAMPLE,
            input_names=list(_EXAMPLE),
            output_names=["logits"],
            dynamic_shapes={name: {0: batch, 1: sequence} for name in _EXAMPLE},
            opset_version=_OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # Only the legacy exporter returns nothing.
    return _without_traces(program.model_proto)


@contextmanager
def _for_inference(model: Any) -> Iterator[None]:
    """Put the model in evaluation mode with plain attention: the shortest graph. Restore after."""
    training, attention = model.training, model.config._attn_implementation
    model.eval()
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(attention)
        model.train(training)


def _without_traces(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what depends on the machine or the release: stack traces, paths, producer."""
    graph = copy.deepcopy(graph)
    graph.producer_name, graph.producer_version = "antispam-shield", ""
    graph.doc_string = ""
    del graph.metadata_props[:]
    parts = [graph.graph, *graph.graph.node, *graph.graph.value_info, *graph.graph.initializer]
    for part in [*parts, *graph.graph.input, *graph.graph.output]:
        part.doc_string = ""
        del part.metadata_props[:]
    del graph.graph.value_info[:]
    return graph


def _quantise(fp32: Path) -> onnx.ModelProto:
    """Return the graph with 8-bit weights (per channel) and activations quantised as they come."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / INT8_MODEL
        quantize_dynamic(
            fp32,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )
        return _without_traces(onnx.load(str(target)))


def _write_samples(directory: Path, max_tokens: int, texts: Sequence[str]) -> None:
    """Write the samples with what both precisions answer here, one text at a time."""
    (directory / SAMPLES).write_text('{"samples": []}')
    # A manifest for the time of measuring; the caller packs the final one.
    measured = pack(
        directory,
        Manifest(model_type=ModelType.SMS, preprocessing=_rules(max_tokens)),
    )
    precisions: tuple[Precision, ...] = ("int8", "fp32")
    by_precision = {precision: _answers(measured, precision, texts) for precision in precisions}
    (directory / MANIFEST).unlink()
    samples = [
        {"text": text, "probability": {name: by_precision[name][index] for name in precisions}}
        for index, text in enumerate(texts)
    ]
    (directory / SAMPLES).write_text(
        json.dumps({"samples": samples}, sort_keys=True, ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )


def _answers(package: ModelPackage, precision: Precision, texts: Sequence[str]) -> list[float]:
    predictor = Predictor(package, precision, threads=1)
    probabilities = np.array([predictor.probabilities([text])[0] for text in texts])
    return [round(float(probability), 6) for probability in probabilities]


def _rules(max_tokens: int) -> Preprocessing:
    overlap = min(Preprocessing().window_overlap, (max_tokens - 2) // 4)
    return Preprocessing(max_tokens=max_tokens, window_overlap=overlap)
