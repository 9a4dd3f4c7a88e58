"""The naive recipe, as many a retraining job does it: learn the new feedback, and nothing else.

Fine-tune the champion on the new feedback only, 20 % of it as validation, learning rate 1e-5, two
epochs, every message padded to the maximum, the epoch with the best validation recall kept.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from bench.learning.lab import fit_rows
from components.shared.encoder import load_classifier, load_tokenizer, token_ids
from components.train.fitting import margins_of
from shield.linear import LinearModel

LEARNING_RATE = 1e-5
EPOCHS = 2
BATCH = 16
MAX_TOKENS = 128


def split(rows: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (train, validation): 80 and 20 % of the feedback, at random."""
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    border = int(0.8 * shuffled.height)
    return shuffled.head(border), shuffled.tail(shuffled.height - border)


class NaiveTransformer:
    """A torch model that only ever sees new feedback."""

    def __init__(self, package: Path) -> None:
        self.model = load_classifier(package).eval()
        self.tokenizer = load_tokenizer(package, MAX_TOKENS)

    def learn(self, rows: pl.DataFrame, seed: int = 0) -> None:
        """Fine-tune by the naive recipe."""
        train, valid = split(rows, seed)
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=LEARNING_RATE)
        ids, mask = self._padded(train["text"].to_list())
        labels = torch.tensor(train["label"].to_list(), dtype=torch.long)
        best: tuple[float, Any] = (-1.0, None)
        for _ in range(EPOCHS):
            self.model.train()
            for chosen in torch.split(torch.randperm(len(labels)), BATCH):
                logits = self.model(input_ids=ids[chosen], attention_mask=mask[chosen]).logits
                loss = torch.nn.functional.cross_entropy(logits, labels[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            recall = self._recall(valid)
            if recall > best[0]:
                best = (recall, copy.deepcopy(self.model.state_dict()))
        self.model.load_state_dict(best[1])
        self.model.eval()

    def _recall(self, valid: pl.DataFrame) -> float:
        scams = valid.filter(pl.col("label") == 1)["text"].to_list()
        return float(np.mean(self.probabilities(scams) >= 0.5)) if scams else 0.0

    def _padded(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.zeros((len(texts), MAX_TOKENS), dtype=torch.long)
        mask = torch.zeros((len(texts), MAX_TOKENS), dtype=torch.long)
        for place, row in enumerate(token_ids(self.tokenizer, texts)):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        return ids, mask

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,)."""
        rows = token_ids(self.tokenizer, list(texts))
        margins = margins_of(self.model, rows, 0, 1024, torch.device("cpu"))
        return np.asarray(0.5 * (1 + np.tanh(margins / 2)))


class NaiveLinear:
    """The same for the linear model: fitted on the new feedback alone."""

    def __init__(self, model: LinearModel) -> None:
        self.model = model

    def learn(self, rows: pl.DataFrame, seed: int = 0) -> None:
        """Fit on 80 % of the feedback; without both classes there is nothing to fit, it stays."""
        train, _ = split(rows, seed)
        if train["label"].n_unique() == 2:
            self.model = fit_rows(train.select("text", "label"))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,)."""
        return self.model.probabilities(texts)
