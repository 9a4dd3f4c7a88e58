"""The Open Inference Protocol v2 over REST, with Triton's binary tensor extension.

A model takes one input `text` (BYTES, shape [n] or [n, 1]) and gives `probability` (FP64, [n]) and
`label` (BYTES, [n]). Source: https://github.com/kserve/open-inference-protocol, and Triton's
`extension_binary_data.md`.
"""

import gc
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serving.server.http import Request, Response
from serving.server.model import ServedModel
from shield.errors import BadRequest, Invalid
from shield.predictor import OPERATING_POINT

INPUT = "text"
OUTPUTS = ("probability", "label")
_DATATYPES = {"probability": "FP64", "label": "BYTES"}
_LONG_BYTES = 64 * 1024


@dataclass(slots=True)
class InferRequest:
    """An inference request."""

    texts: list[str]
    id: str | None = None
    deadline_seconds: float | None = None
    outputs: dict[str, bool] = field(default_factory=dict)
    """Requested outputs in order, each with whether it is binary."""


def read_json(body: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        BadRequest: The body is not UTF-8, not JSON, nested too deeply, or not an object.
    """
    try:
        # Decoded here: left to itself, json would guess UTF-16 and let lone surrogates pass.
        text = body.decode("utf-8")
        if len(body) < _LONG_BYTES:
            document = json.loads(text)
        else:
            with _without_collecting():
                document = json.loads(text)
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"The body is not valid UTF-8 (byte {error.start}). Encode it as UTF-8."
        ) from error
    except RecursionError as error:
        raise BadRequest("The JSON is nested too deeply. Send a flat object.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {str(error)[:120]}.") from error
    if not isinstance(document, dict):
        raise BadRequest(f"The body is a JSON {type(document).__name__}; an object is needed.")
    return document


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Disable the garbage collector during parsing, which would scan large documents in vain.

    Scanning would double the time for which a hostile body blocks the server.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parse(request: Request) -> InferRequest:
    """Parse an inference request.

    Raises:
        BadRequest: The request cannot be parsed.
        Invalid: The request does not fit this model.
    """
    head = request.headers.get(b"inference-header-content-length")
    raw = b""
    if head is None:
        document = read_json(request.body)
    else:
        if not head.isdigit() or int(head) > len(request.body):
            raise BadRequest("Inference-Header-Content-Length is not a length within the body.")
        document, raw = read_json(request.body[: int(head)]), request.body[int(head) :]
    texts = _texts(document, raw)
    parameters = _object(document.get("parameters", {}), "parameters")
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise Invalid("`id` has to be a string.")
    return InferRequest(
        texts,
        request_id,
        read_deadline(parameters.get("deadline_ms")),
        _outputs(document, bool(parameters.get("binary_data_output", False))),
    )


def read_deadline(value: Any) -> float | None:
    """Parse a deadline in milliseconds; return seconds, or `None` without one.

    Raises:
        Invalid: The value is not a positive number of at most ten minutes.
    """
    if value is None:
        return None
    try:
        milliseconds = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid("The deadline has to be a number of milliseconds.") from error
    if not 0 < milliseconds <= 600_000:
        raise Invalid("The deadline has to be between 0 and 600000 milliseconds.")
    return milliseconds / 1000


def _texts(document: dict[str, Any], raw: bytes) -> list[str]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise Invalid(f"`inputs` has to be a list with one tensor, `{INPUT}`.")
    tensor = _object(inputs[0], "inputs[0]")
    if tensor.get("name") != INPUT:
        raise Invalid(f"The input is called `{INPUT}`, not {tensor.get('name')!r}.")
    if tensor.get("datatype") != "BYTES":
        raise Invalid(f"`{INPUT}` has the datatype BYTES, not {tensor.get('datatype')!r}.")
    count = _count(tensor.get("shape"))
    size = _object(tensor.get("parameters", {}), "inputs[0].parameters").get("binary_data_size")
    texts = _listed(tensor.get("data")) if size is None else _binary(raw, size)
    if len(texts) != count:
        raise Invalid(f"The shape says {count} texts, the data holds {len(texts)}.")
    return texts


def _count(shape: Any) -> int:
    is_shape = isinstance(shape, list) and 1 <= len(shape) <= 2
    if not is_shape or not all(type(size) is int and size >= 0 for size in shape):
        raise Invalid("`shape` has to be [n] or [n, 1].")
    if len(shape) == 2 and shape[1] != 1:
        raise Invalid(f"`shape` has to be [n] or [n, 1], not {shape}.")
    return int(shape[0])


def _listed(data: Any) -> list[str]:
    if not isinstance(data, list):
        raise Invalid("`data` has to be a list of strings.")
    texts: list[str] = []
    for item in data:
        # [n, 1] may come nested, as row-major lists of lists.
        text = item[0] if isinstance(item, list) and len(item) == 1 else item
        if not isinstance(text, str):
            raise Invalid("`data` has to be a list of strings.")
        texts.append(text)
    return texts


def _binary(raw: bytes, size: Any) -> list[str]:
    if type(size) is not int or size != len(raw):
        raise BadRequest(f"binary_data_size is {size!r}, but {len(raw)} bytes follow the header.")
    texts: list[str] = []
    place = 0
    while place < size:
        if place + 4 > size:
            raise BadRequest("The binary tensor ends within a length.")
        (length,) = struct.unpack_from("<I", raw, place)
        place += 4
        if place + length > size:
            raise BadRequest("The binary tensor ends within a string.")
        try:
            texts.append(raw[place : place + length].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"Text {len(texts)} is not valid UTF-8 (byte {error.start}). Encode it as UTF-8."
            ) from error
        place += length
    return texts


def _outputs(document: dict[str, Any], binary: bool) -> dict[str, bool]:
    requested = document.get("outputs")
    if requested is None:
        return dict.fromkeys(OUTPUTS, binary)
    if not isinstance(requested, list) or not requested:
        raise Invalid(f"`outputs` has to be a list of some of {', '.join(OUTPUTS)}.")
    outputs: dict[str, bool] = {}
    for index, item in enumerate(requested):
        output = _object(item, f"outputs[{index}]")
        name = output.get("name")
        if name not in OUTPUTS:
            raise Invalid(f"There is no output {name!r}. Ask for some of {', '.join(OUTPUTS)}.")
        parameters = _object(output.get("parameters", {}), f"outputs[{index}].parameters")
        outputs[name] = bool(parameters.get("binary_data", binary))
    return outputs


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"`{what}` has to be an object.")
    return value


def answer(
    request: InferRequest, model: ServedModel, scores: Sequence[float], unreadable: int
) -> Response:
    """Return the inference response; `unreadable` is the number of replaced characters."""
    tensors: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for name, binary in request.outputs.items():
        values: list[Any] = (
            list(scores) if name == "probability" else list(map(model.predictor.verdict, scores))
        )
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": _DATATYPES[name],
            "shape": [len(values)],
        }
        if binary:
            raw = _packed(values)
            tensor["parameters"] = {"binary_data_size": len(raw)}
            tail.append(raw)
        else:
            tensor["data"] = values
        tensors.append(tensor)
    document: dict[str, Any] = {
        "model_name": model.name,
        "model_version": model.version,
        "parameters": {
            "arm": model.arm,
            "digest": model.digest,
            **({"unreadable_characters": unreadable} if unreadable else {}),
        },
        "outputs": tensors,
    }
    if request.id is not None:
        document["id"] = request.id
    head = json.dumps(document).encode()
    if not tail:
        return Response(head)
    return Response(
        head + b"".join(tail),
        content_type="application/octet-stream",
        headers=(("inference-header-content-length", str(len(head))),),
    )


def _packed(values: list[Any]) -> bytes:
    if all(isinstance(value, float) for value in values):
        return struct.pack(f"<{len(values)}d", *values)
    encoded = [str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(item)) + item for item in encoded)


def metadata(model: ServedModel, versions: list[str]) -> dict[str, Any]:
    """Return a model's metadata."""
    return {
        "name": model.name,
        "versions": versions,
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": name, "datatype": _DATATYPES[name], "shape": [-1]} for name in OUTPUTS
        ],
        "parameters": {
            "active_version": model.version,
            "arm": model.arm,
            "digest": model.digest,
            "threshold": OPERATING_POINT,
            "labels": model.predictor.package.manifest.labels,
            "precision": model.predictor.precision,
        },
    }
