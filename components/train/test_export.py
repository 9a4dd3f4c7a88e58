"""The export of a tiny BERT: the same bytes twice, the same answers as torch, trainable again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForSequenceClassification, BertConfig
from transformers import BertForSequenceClassification as Bert

from components.train.export import export_package
from shield.errors import Invalid
from shield.labels import ModelType
from shield.logistic import probability_of
from shield.packages import Manifest, ModelPackage, Preprocessing, pack
from shield.predictor import Predictor

pytestmark = pytest.mark.xdist_group("training")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "free", "prize", "now", "dinner", "tonight", "a"]
TEXTS = ["free prize now", "dinner tonight", "a free dinner"]


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    return Bert(config).train()


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def packed(directory: Path) -> ModelPackage:
    rules = Preprocessing(max_tokens=32, window_overlap=7)
    return pack(directory, Manifest(model_type=ModelType.SMS, preprocessing=rules))


@pytest.fixture(scope="module")
def package(
    model: Any, tokenizer_json: Path, tmp_path_factory: pytest.TempPathFactory
) -> ModelPackage:
    directory = tmp_path_factory.mktemp("package")
    export_package(model, tokenizer_json, directory, max_tokens=32, sample_texts=TEXTS)
    return packed(directory)


def test_the_same_weights_give_the_same_bytes(
    model: Any, tokenizer_json: Path, package: ModelPackage, tmp_path: Path
) -> None:
    export_package(model, tokenizer_json, tmp_path, max_tokens=32, sample_texts=TEXTS)
    assert packed(tmp_path).manifest.files == package.manifest.files


def test_no_trace_of_this_machine_is_in_the_graph(package: ModelPackage) -> None:
    for name in ("model.onnx", "model.int8.onnx", "config.json"):
        raw = package.read(name)
        assert b".venv" not in raw
        assert str(Path.cwd()).encode() not in raw
        assert torch.__version__.encode() not in raw


def test_fp32_answers_as_torch_does(model: Any, package: ModelPackage) -> None:
    predictor = Predictor(package, "fp32")
    rows = [reading.rows[0] for reading in predictor.read([*TEXTS, "7", "a " * 25])]
    model.eval()
    with torch.no_grad():
        logits = [model(input_ids=torch.tensor([row])).logits[0] for row in rows]
    model.train()
    expected = [float(torch.softmax(row, 0)[1]) for row in logits]
    np.testing.assert_allclose(probability_of(predictor.score(rows)), expected, atol=1e-5)


def test_the_samples_hold_for_both_precisions(package: ModelPackage) -> None:
    for precision in ("int8", "fp32"):
        assert Predictor(package, precision).check_samples() < 1e-5
    samples = json.loads(package.read("samples.json"))["samples"]
    assert [sample["text"] for sample in samples] == TEXTS


def test_the_next_version_can_be_trained_from_the_package(
    model: Any, package: ModelPackage
) -> None:
    again = AutoModelForSequenceClassification.from_pretrained(package.path)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_the_model_is_left_as_it_was(model: Any, package: ModelPackage) -> None:
    assert model.training
    assert model.config._attn_implementation == "sdpa"


def test_what_cannot_be_served_is_refused_before_anything_is_written(
    model: Any, tokenizer_json: Path, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="64 positions"):
        export_package(model, tokenizer_json, tmp_path, max_tokens=65, sample_texts=TEXTS)
    with pytest.raises(Invalid, match="at least one sample"):
        export_package(model, tokenizer_json, tmp_path, max_tokens=32, sample_texts=[])
    three = Bert(BertConfig(**{**model.config.to_dict(), "num_labels": 3}))
    with pytest.raises(Invalid, match="3 labels"):
        export_package(three, tokenizer_json, tmp_path, max_tokens=32, sample_texts=TEXTS)
    assert not list(tmp_path.iterdir())
