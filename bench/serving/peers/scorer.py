"""Text to probability with onnxruntime and tokenizers only; what every peer that takes them runs.

Imports nothing of the product: it runs in the peers' environments.
"""

import json
import math
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer


class Scorer:
    """One session with the settings of our server: one thread per call, no spinning."""

    def __init__(self) -> None:
        package = Path(os.environ["BENCH_PACKAGE"])
        self.tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
        self.tokenizer.no_padding()
        rules = json.loads((package / "manifest.json").read_text())["preprocessing"]
        self.tokenizer.enable_truncation(rules["maxTokens"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        name = os.environ.get("BENCH_MODEL", "model.int8.onnx")
        self.session = ort.InferenceSession(
            str(package / name), options, providers=["CPUExecutionProvider"]
        )

    def probability(self, text: str) -> float:
        """Return the scam probability of one text."""
        ids = np.array([self.tokenizer.encode(text).ids], dtype=np.int64)
        logits = self.session.run(
            ["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        )[0]
        margin = float(logits[0, 1]) - float(logits[0, 0])
        return 0.5 * (1.0 + math.tanh(0.5 * margin))
