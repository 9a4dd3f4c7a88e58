"""Load what a training starts from, and turn texts into token ids and embeddings."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shield.encoder import spans
from shield.packages import Preprocessing
from shield.packages.manifest import CONFIG, TOKENIZER
from shield.text import DEFAULT_NORMALISER, normaliser


def load_classifier(directory: Path, labels: tuple[str, str] | None = None) -> Any:
    """Return a classifier with two labels: a package's own, or an encoder with a fresh head.

    Only safetensors are read; nothing in the directory is executed. Seed torch before: a fresh head
    is drawn at random.

    Args:
        directory: Of a package or an encoder.
        labels: Names of the harmless and of the scam, kept in its configuration for whoever opens
            it with transformers.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    _quieten()
    names: dict[str, Any] = {}
    if labels is not None:
        names["id2label"] = dict(enumerate(labels))
        names["label2id"] = {label: place for place, label in enumerate(labels)}
    config = AutoConfig.from_pretrained(directory, local_files_only=True, num_labels=2, **names)
    return AutoModelForSequenceClassification.from_pretrained(
        directory, config=config, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )


def load_tokenizer(directory: Path, max_tokens: int | None) -> Tokenizer:
    """Return the fast tokenizer of a package or an encoder, cutting at `max_tokens` if given."""
    tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_tokens is not None:
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _quieten() -> None:
    """Silence the warning of transformers about a new head, which is intended here."""
    from transformers.utils import logging as transformers_logging

    quiet: Any = transformers_logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()


def token_ids(
    tokenizer: Tokenizer, texts: Sequence[str], name: str = DEFAULT_NORMALISER
) -> list[list[int]]:
    """Return the token ids of each text, normalised as in serving, special tokens included."""
    plain = normaliser(name)
    encodings = tokenizer.encode_batch_fast([plain(text) for text in texts])
    return [encoding.ids for encoding in encodings]


def windows(
    tokenizer: Tokenizer, texts: Sequence[str], rules: Preprocessing
) -> list[list[list[int]]]:
    """Return the rows of token ids of each text, cut as `shield.predictor` cuts them."""
    by_text = []
    for ids in token_ids(tokenizer, texts, rules.normaliser):
        first, *content, last = ids
        by_text.append(
            [[first, *content[start:stop], last] for start, stop in spans(len(content), rules)]
        )
    return by_text


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (ids, mask), each of shape (len(rows), longest row)."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return ids, mask


def pad_id(directory: Path) -> int:
    """Return the id of the padding token."""
    return int(json.loads((directory / CONFIG).read_text()).get("pad_token_id") or 0)


@torch.inference_mode()
def embed(
    directory: Path,
    texts: Sequence[str],
    max_tokens: int = 64,
    embedded: Callable[[int], None] = lambda texts: None,
) -> NDArray[np.float32]:
    """Return sentence embeddings, shape (n, d), rows of unit length (mean of the last layer).

    Args:
        directory: Of the encoder.
        texts: Texts, shape (n,).
        max_tokens: Longer texts are cut.
        embedded: Called with the number of texts after each batch.
    """
    from transformers import AutoModel

    _quieten()
    model = AutoModel.from_pretrained(directory, local_files_only=True, use_safetensors=True).eval()
    rows = token_ids(load_tokenizer(directory, max_tokens), texts)
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    embeddings = np.zeros((len(rows), int(model.config.hidden_size)), dtype=np.float32)
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        ids, mask = padded([rows[place] for place in chosen], pad_id(directory))
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        embeddings[chosen] = torch.nn.functional.normalize(mean, dim=-1).numpy()
        embedded(len(chosen))
    return embeddings
