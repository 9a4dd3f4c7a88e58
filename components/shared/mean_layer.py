"""A layer that puts the mean of all tokens where a classifier reads: on the first token.

multilingual-e5 was trained to say what a text means by the mean of its tokens; its first token says
less. A BERT classifier reads the first token. This layer attends to all tokens alike, so that what
is read is the mean, shifted and scaled to numbers of mean 0 and deviation 1. It is an ordinary
layer of the same size: any program that runs the encoder runs it. Behind it stands a pooler that
passes the numbers on, where a random one would mix them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from components.shared.encoder import padded

Floats = NDArray[np.float32]
WEIGHT = 4.0
"""Of the mean, beside the first token itself, which a layer always adds."""
PASSED = 0.7
"""What the pooler multiplies with before its tanh, which is nearly straight there."""
_BATCH = 32


def with_mean_layer(
    state: dict[str, Floats], config: dict[str, Any], rows: Sequence[Sequence[int]]
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return state and configuration of the encoder with one layer more.

    Args:
        state: Of a `BertModel` without pooler.
        config: Its configuration.
        rows: Token ids of texts, special tokens included; the numbers are scaled by these.
    """
    from transformers import BertConfig, BertModel

    config = {**config, "num_hidden_layers": config["num_hidden_layers"] + 1}
    name = f"encoder.layer.{config['num_hidden_layers'] - 1}"
    state = state | _layer(name, config["hidden_size"], config["intermediate_size"])
    model: Any = BertModel(BertConfig(**config), add_pooling_layer=False)
    model.load_state_dict({key: torch.from_numpy(tensor) for key, tensor in state.items()})
    means = _first_tokens(model.eval(), rows, config["pad_token_id"])
    deviation = means.std(axis=0)
    state[f"{name}.output.LayerNorm.weight"] = 1 / deviation
    state[f"{name}.output.LayerNorm.bias"] = -means.mean(axis=0) / deviation
    width = config["hidden_size"]
    state["pooler.dense.weight"] = PASSED * np.eye(width, dtype=np.float32)
    state["pooler.dense.bias"] = np.zeros(width, dtype=np.float32)
    return state, config


def _layer(name: str, width: int, inner: int) -> dict[str, Floats]:
    """Return a layer that attends to all tokens alike and whose second half adds nothing yet."""
    same, none = np.eye(width, dtype=np.float32), np.zeros((width, width), dtype=np.float32)
    fresh = np.random.default_rng(0).normal(0, 0.02, (inner, width)).astype(np.float32)
    matrices = {
        "attention.self.query": none,
        "attention.self.key": none,
        "attention.self.value": same,
        "attention.output.dense": WEIGHT * same,
        "intermediate.dense": fresh,
        "output.dense": np.zeros((width, inner), dtype=np.float32),
    }
    state = {}
    for part, matrix in matrices.items():
        state[f"{name}.{part}.weight"] = matrix
        state[f"{name}.{part}.bias"] = np.zeros(len(matrix), dtype=np.float32)
    for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
        state[f"{name}.{norm}.weight"] = np.ones(width, dtype=np.float32)
        state[f"{name}.{norm}.bias"] = np.zeros(width, dtype=np.float32)
    return state


@torch.inference_mode()
def _first_tokens(model: Any, rows: Sequence[Sequence[int]], pad: int) -> Floats:
    parts = []
    ordered = sorted(rows, key=len)
    for start in range(0, len(ordered), _BATCH):
        ids, mask = padded(ordered[start : start + _BATCH], pad)
        parts.append(model(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0].numpy())
    first: Floats = np.concatenate(parts)
    return first
