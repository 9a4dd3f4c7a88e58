"""One model trained by two processes, as `torchrun` starts them, is the model of one process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.build_dataset import messages
from shield.packages import ModelPackage
from shield.predictor import Predictor
from tests.support.tiny import tiny_encoder

pytestmark = [pytest.mark.xdist_group("training"), pytest.mark.timeout(900)]

PROCESSES = ["--nproc-per-node", "2"]
LURES = ["win", "a", "free", "prize", "now", "claim", "cash", "award", "urgent", "call"]
CHAT = ["see", "you", "at", "home", "after", "the", "lecture", "mum", "is", "tired"]


def rows(many: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    labels = [place % 2 for place in range(many)]
    texts = [" ".join(rng.choice(LURES if label else CHAT, 8)) for label in labels]
    table = pl.DataFrame({"id": [f"m{n}" for n in range(many)], "text": texts, "label": labels})
    return messages.conform(table.with_columns(source=pl.lit("test")))


def test_two_processes_train_the_model_that_one_trains(tmp_path: Path) -> None:
    dataset = tmp_path / "dataset"
    for name, seed in (("train", 1), ("valid", 2)):
        messages.write(rows(96, seed), dataset / f"{name}.parquet")
    (dataset / "dataset.json").write_text(json.dumps({"model_type": "sms", "counts": {}}))
    environment = {
        **os.environ,
        "SHIELD_BASE_MODEL": str(tiny_encoder(tmp_path / "encoder")),
        "SHIELD_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    launchers = {
        "one": [sys.executable],
        "two": [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            "2",
        ],
    }
    found = {}
    for name, launcher in launchers.items():
        command = [*launcher, "-m", "components.train", "--dataset", str(dataset)]
        command += ["--model", str(tmp_path / name), "--epochs", "2", "--learning-rate", "1e-3"]
        done = subprocess.run(
            [*command, "--token-budget", "128", "--max-tokens", "32"],
            env={**environment, "SHIELD_CHECKPOINT_DIR": str(tmp_path / f"kept-{name}")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        package = ModelPackage.open(tmp_path / name)
        assert done.stdout.split() == [package.digest], "only the first process answers"
        texts = rows(40, 3)["text"].to_list()
        found[name] = Predictor(package, "fp32", threads=1).probabilities(texts)
    # Sums come out in another order: the same to rounding, dropout drawn from the same seed apart.
    assert np.corrcoef(found["one"], found["two"])[0, 1] > 0.99
