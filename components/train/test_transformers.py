"""A package's encoder opens with transformers' own tools, and says what the served file says."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from components.shared.encoder import load_classifier
from shield.packages.manifest import FP32_MODEL
from tests.support.packages import CHAT, LURES, signed_package
from tests.support.tiny import tiny_encoder

pytestmark = pytest.mark.xdist_group("training")


def test_a_packages_encoder_opens_with_transformers_and_agrees_with_onnx() -> None:
    package = signed_package().package.path
    model = AutoModelForSequenceClassification.from_pretrained(package)
    tokenizer = AutoTokenizer.from_pretrained(package)
    served = onnxruntime.InferenceSession(str(package / FP32_MODEL))
    for text in (*LURES[:3], *CHAT[:3]):
        encoded = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            ours = model(**encoded).logits.numpy()
        inputs = {name: encoded[name].numpy() for name in ("input_ids", "attention_mask")}
        np.testing.assert_allclose(ours, served.run(["logits"], inputs)[0], atol=1e-3)


def test_a_trained_model_names_its_labels(tmp_path: Path) -> None:
    classifier = load_classifier(tiny_encoder(), ("ham", "spam"))
    classifier.save_pretrained(tmp_path / "saved")
    opened = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert opened.config.id2label == {0: "ham", 1: "spam"}
