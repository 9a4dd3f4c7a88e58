"""The judge on the phone says what Python says, of any text."""

import json
import os
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from shield.characters import NO_WORDS
from shield.device import (
    DEVICE,
    WEIGHTS,
    DeviceManifest,
    DeviceModel,
    Operating,
    quantised,
    read_device,
    write_device,
)
from shield.errors import PackageCorrupt, PackageInvalid
from shield.labels import LABELS, Certainty, ModelType
from shield.linear import Features, LinearModel
from shield.packages import ModelPackage, pack
from tests.support.judge import on_phone, random_judge
from tests.support.odd_texts import odd_texts
from tests.support.packages import CHAT, LURES, linear_package

FEATURES = Features(bits=12)


def fitted(scale: float = 1.0) -> LinearModel:
    weights = np.random.default_rng(3).normal(size=FEATURES.buckets, scale=scale)
    return LinearModel(weights.astype(np.float32), 0.25, 0.5, FEATURES)


def same_on_phone(model: DeviceModel, folder: Path, texts: list[str]) -> None:
    """Fail at the first text of which phone and Python say something else."""
    # JSON makes one character of two halves that meet; a phone's string does so, too.
    texts = [json.loads(json.dumps(text)) for text in texts]
    for text, said in zip(texts, on_phone(folder, texts, folder), strict=True):
        margin = model.margin(text)
        shown = f"{text!a} is {said} on the phone and {margin} here"
        assert abs(said.margin - margin) < 1e-6, shown
        assert said.label == LABELS[ModelType.SMS][int(margin >= 0)], shown
        assert said.certainty == model.certainty(margin), shown
        assert abs(said.confidence - 1 / (1 + np.exp(-abs(margin)))) < 1e-9, shown


def test_phone_and_server_give_every_text_the_same_margin(tmp_path: Path) -> None:
    written = [*LURES, *CHAT, "", " ", "\u200b", "🎉🎉", "a" * 25_000, "ß " * 12_000, "\ud83d x"]
    texts = [*written, *odd_texts(20260301, 4000)]
    model = random_judge(tmp_path)
    same_on_phone(model, tmp_path, texts)
    assert model.margin("🎉") == NO_WORDS
    assert model.certainty(NO_WORDS) is Certainty.UNSURE


def test_every_character_alone_and_in_a_word_is_read_alike(tmp_path: Path) -> None:
    """Every assigned character that has any property, and a sample of those that have none."""
    signs = [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) != "Cn"]
    plain = [sign for sign in signs if unicodedata.category(sign) in {"Lo", "Co"}]
    odd = [sign for sign in signs if unicodedata.category(sign) not in {"Lo", "Co"}]
    odd += [sign for sign in plain if unicodedata.normalize("NFKD", sign) != sign][::7]
    chosen = [*odd, *plain[::97]]
    texts = [
        " ".join(f"{sign} a{sign}b{sign} \u0397{sign}\u03a3" for sign in chosen[start : start + 40])
        for start in range(0, len(chosen), 40)
    ]
    same_on_phone(random_judge(tmp_path), tmp_path, texts)


@pytest.mark.slow
def test_a_million_texts_are_read_alike(tmp_path: Path) -> None:
    """As many as SHIELD_TEST_TEXTS says, from a seed that nobody has chosen."""
    seed = int(os.environ.get("SHIELD_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed}")
    model = random_judge(tmp_path)
    left, step = int(os.environ.get("SHIELD_TEST_TEXTS", "1000000")), 20_000
    for part in range(0, left, step):
        same_on_phone(model, tmp_path, list(odd_texts(seed + part, min(step, left - part))))


def test_a_byte_a_weight_is_enough() -> None:
    model = fitted()
    texts = [*LURES, *CHAT]
    step = max(quantised(model).steps)
    assert np.abs(quantised(model).margins(texts) - model.margins(texts)).max() < step
    assert quantised(fitted(scale=0.0)).margins(texts) == pytest.approx([0.25] * len(texts))
    short = LinearModel(np.ones(1 << 8, np.float32), 0.0, 0.5, Features(bits=8, words=0))
    assert quantised(short).margins(texts) == pytest.approx(short.margins(texts))


def test_a_package_brings_the_judge_and_its_signature_covers_it(tmp_path: Path) -> None:
    folder = linear_package(tmp_path / "package").package.path
    with pytest.raises(PackageInvalid, match=r"has no device\.json"):
        read_device(ModelPackage.open(folder))
    point = Operating(2.0, -0.5, 0.3, 0.7)
    model = quantised(fitted())._replace(operating=point)
    write_device(model, ModelType.SMS, folder)
    package = pack(folder, ModelPackage.open(folder).manifest.model_copy(update={"files": {}}))
    again = read_device(package)
    assert again.operating == point
    assert again.margins([*LURES, *CHAT]).tolist() == model.margins([*LURES, *CHAT]).tolist()
    raw = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(PackageCorrupt, match=WEIGHTS):
        read_device(package)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"",
        lambda raw: raw[:200],
        lambda raw: raw.replace(b'"I8"', b'"F8"'),
        lambda raw: raw.replace(b"[8192]", b"[8191]"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path: Path, change: object) -> None:
    manifest = write_device(quantised(fitted()), ModelType.SMS, tmp_path)
    assert callable(change)
    with pytest.raises(PackageInvalid, match="Train the version again"):
        manifest.model(change((tmp_path / WEIGHTS).read_bytes()), "weights")
    wrong = (tmp_path / DEVICE).read_bytes().replace(b'"scale": 1.0', b'"scale": 0')
    with pytest.raises(PackageInvalid, match="scale"):
        DeviceManifest.from_bytes(wrong, "device.json")
