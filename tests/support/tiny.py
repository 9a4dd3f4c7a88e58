"""An encoder of a few hundred kilobytes, with the real vocabulary: trains in seconds."""

import json
import shutil
from pathlib import Path

from components.shared.base_model import CONFIG, TOKENIZER, WEIGHTS, minilm_directory
from tests.support.cache import made_once


def tiny_encoder() -> Path:
    """Return the directory of a BERT of two narrow layers, drawn from a fixed seed; read-only."""
    return made_once("tiny-encoder", ("tests/support/tiny.py",), _make)


def _make(folder: Path) -> None:
    write_narrow(folder, pieces=30522)
    shutil.copyfile(minilm_directory() / TOKENIZER, folder / TOKENIZER)


def write_narrow(folder: Path, *, pieces: int) -> None:
    """Write weights and configuration of a BERT of two narrow layers, drawn from a fixed seed."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        vocab_size=pieces,
        architectures=["BertModel"],
    )
    torch.manual_seed(0)
    weights = {name: tensor.contiguous() for name, tensor in BertModel(config).state_dict().items()}
    save_file(weights, str(folder / WEIGHTS), metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config.to_dict()))
