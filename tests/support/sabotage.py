"""Versions that must not serve: real packages, damaged on purpose, and servers that are hurt.

The models are doctored in their ONNX graph, then packed, sampled and signed as an honest pipeline
would: nothing but their behaviour gives them away.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from onnx import TensorProto, helper, numpy_helper

from shield.crds.v1alpha1 import VersionRef
from shield.labels import LABELS, ModelType
from shield.packages import Manifest, ModelPackage, generate_key, load_private_key, pack, sign
from shield.packages.manifest import INT8_MODEL, MANIFEST, SAMPLES, SIGNATURE, TOKENIZER
from shield.predictor import Predictor
from tests.support.packages import signed_package

LONG_TOKENS = 20
"""Longer messages meet the faults that hide from short ones, the samples among them."""
_SHORT = ["Ok lar, see you later then", "WIN cash now, call 09061701461"]

Surgery = Callable[[onnx.GraphProto], None]
Damage = Callable[[Path], None]


def build(
    folder: Path,
    name: str,
    *,
    surgery: Surgery | None = None,
    before: Damage | None = None,
    after: Damage | None = None,
    resample: bool = True,
    stranger: bool = False,
    **manifest: object,
) -> VersionRef:
    """Return a version whose package was damaged.

    Args:
        folder: Where the package goes.
        name: Of the version.
        surgery: Changes the graph of the served model.
        before: Changes files before they are packed and signed.
        after: Changes files of the finished package.
        resample: Write the samples that the doctored model does give.
        stranger: Sign with a key that nobody trusts.
        manifest: Fields of the manifest.
    """
    source, target = signed_package(), folder / name
    shutil.copytree(source.package.path, target, copy_function=os.link)
    for written in (MANIFEST, SIGNATURE):
        (target / written).unlink()
    if surgery is not None:
        model = onnx.load(str(target / INT8_MODEL))
        surgery(model.graph)
        replace(target / INT8_MODEL, model.SerializeToString())
    if before is not None:
        before(target)
    fields = {"run_id": name, **manifest}
    found = Manifest.model_validate_json((source.package.path / MANIFEST).read_bytes())
    made = pack(target, found.model_copy(update=fields))
    if resample:
        _resample(made)
        made = pack(target, found.model_copy(update=fields))
    sign(target, _stranger() if stranger else load_private_key(source.signing_key))
    if after is not None:
        after(target)
    return VersionRef(name=name, digest=made.digest, uri=str(target))


def _stranger() -> Ed25519PrivateKey:
    key = load_pem_private_key(generate_key().private_pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def replace(path: Path, content: bytes) -> None:
    """Write a file anew: the old one is linked to the package that everybody shares."""
    path.unlink()
    path.write_bytes(content)


def _resample(package: ModelPackage) -> None:
    given = Predictor(package, "int8").probabilities(_SHORT)
    samples = [
        {"text": text, "probability": {"int8": float(one), "fp32": float(one)}}
        for text, one in zip(_SHORT, given, strict=True)
    ]
    replace(package.path / SAMPLES, json.dumps({"samples": samples}).encode())


def _take_output(graph: onnx.GraphProto) -> None:
    """Rename what the model computes, so that what follows may answer in its place."""
    for node in graph.node:
        for place, output in enumerate(node.output):
            if output == "logits":
                node.output[place] = "honest"


def _constant(graph: onnx.GraphProto, name: str, value: object, kind: type) -> None:
    graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=kind), name))


def _is_long(graph: onnx.GraphProto) -> None:
    _constant(graph, "one_index", 1, np.int64)
    _constant(graph, "long_tokens", LONG_TOKENS, np.int64)
    graph.node.extend(
        [
            helper.make_node("Shape", ["input_ids"], ["ids_shape"]),
            helper.make_node("Gather", ["ids_shape", "one_index"], ["tokens"]),
            helper.make_node("Greater", ["tokens", "long_tokens"], ["is_long"]),
        ]
    )


def leaning(shift: float) -> Surgery:
    """Call everything a scam (a high shift), or nothing (a low one)."""

    def change(graph: onnx.GraphProto) -> None:
        _take_output(graph)
        _constant(graph, "shift", [-shift, shift], np.float32)
        graph.node.append(helper.make_node("Add", ["honest", "shift"], ["logits"]))

    return change


def swapped(graph: onnx.GraphProto) -> None:
    """Take each label for the other."""
    _take_output(graph)
    _constant(graph, "order", [1, 0], np.int64)
    graph.node.append(helper.make_node("Gather", ["honest", "order"], ["logits"], axis=1))


def swapped_if_long(graph: onnx.GraphProto) -> None:
    """Take each label for the other, in longer messages alone."""
    swapped(graph)
    graph.node[-1].output[0] = "lie"
    _is_long(graph)
    graph.node.append(helper.make_node("Where", ["is_long", "lie", "honest"], ["logits"]))


def nan_always(graph: onnx.GraphProto) -> None:
    """Answer NaN."""
    _take_output(graph)
    _constant(graph, "nan", float("nan"), np.float32)
    graph.node.append(helper.make_node("Add", ["honest", "nan"], ["logits"]))


def nan_if_long(graph: onnx.GraphProto) -> None:
    """Answer NaN to longer messages."""
    _take_output(graph)
    _is_long(graph)
    _constant(graph, "nan", float("nan"), np.float32)
    graph.node.append(helper.make_node("Where", ["is_long", "nan", "honest"], ["logits"]))


def slow_if_long(graph: onnx.GraphProto) -> None:
    """Compute something useless before a longer message: a third of a second on a quick machine."""
    _take_output(graph)
    _is_long(graph)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("MatMul", ["x", "x"], ["squared"]),
            helper.make_node("Tanh", ["squared"], ["x_after"]),
        ],
        "idle",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [256, 256]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x_after", TensorProto.FLOAT, [256, 256]),
        ],
    )
    for name, value, kind in (
        ("many", 1000, np.int64),
        ("none", 0, np.int64),
        ("yes", True, np.bool_),
        ("nothing", 0.0, np.float32),
    ):
        _constant(graph, name, value, kind)
    _constant(graph, "x_before", np.full((256, 256), 0.001), np.float32)
    graph.node.extend(
        [
            helper.make_node("Where", ["is_long", "many", "none"], ["turns"]),
            helper.make_node("Loop", ["turns", "yes", "x_before"], ["x_end"], body=body),
            helper.make_node("ReduceMean", ["x_end"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
            helper.make_node("Add", ["honest", "zero"], ["logits"]),
        ]
    )


def no_logits(graph: onnx.GraphProto) -> None:
    """Call the output by another name than the one that is asked for."""
    _take_output(graph)
    graph.output[0].name = "honest"


def other_tokenizer(folder: Path) -> None:
    """Give each word the number of another one, as a tokenizer of another model does."""
    tokenizer = json.loads((folder / TOKENIZER).read_text())
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    words = [word for word, number in vocabulary.items() if number >= 1000]
    numbers = [vocabulary[word] for word in words]
    turned = numbers[len(numbers) // 3 :] + numbers[: len(numbers) // 3]
    vocabulary.update(zip(words, turned, strict=True))
    replace(folder / TOKENIZER, json.dumps(tokenizer).encode())


def spoil(name: str) -> Damage:
    """Change some bytes in the middle of a file."""

    def change(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        middle = len(raw) // 2
        raw[middle : middle + 16] = bytes(16 - index for index in range(16))
        replace(folder / name, bytes(raw))

    return change


def deafen(folder: Path) -> None:
    """Raise the threshold in a finished package, so that it calls almost nothing a scam."""
    manifest = (folder / MANIFEST).read_text()
    assert '"threshold": 0.5' in manifest
    replace(folder / MANIFEST, manifest.replace('"threshold": 0.5', '"threshold": 0.999').encode())


def lose(name: str) -> Damage:
    """Leave a file out."""
    return lambda folder: (folder / name).unlink()


def write(name: str, content: bytes) -> Damage:
    """Put other content into a file."""
    return lambda folder: replace(folder / name, content)


def of_another_type(folder: Path, name: str) -> VersionRef:
    """Return a package that is made for mails."""
    labels = list(LABELS[ModelType.PHISHING])
    return build(folder, name, resample=False, model_type=ModelType.PHISHING, labels=labels)


def hurt(version: VersionRef, what: signal.Signals) -> int:
    """Send a signal to every server of a version, and return to how many."""
    found = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes().split(b"\0")
            if b"serving.server" in command and version.digest.encode() in command:
                os.kill(int(entry.name), what)
                found += 1
    return found
