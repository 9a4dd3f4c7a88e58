"""One model trained by two processes, as `torchrun` starts them, is the model of one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from components.train.spread import here, share_of
from components.train.test_fitting import EXACT, classifier, examples, train

pytestmark = pytest.mark.xdist_group("training")

WORKER = """
import sys
from pathlib import Path
import torch
from components.train.fitting import fit
from components.train.spread import here, join
from components.train.test_fitting import EXACT, classifier, examples

device = join()
torch.set_num_threads(1)
model = classifier(dropout=0.0)
curves = fit(model, examples(200, 1), examples(80, 2), EXACT, 0, Path(sys.argv[1]), device=device)
assert here().size == 2
if here().rank == 0:
    torch.save({"model": model.state_dict(), "loss": curves.valid_loss}, sys.argv[2])
"""


def test_two_processes_train_the_model_that_one_trains(tmp_path: Path) -> None:
    alone, curves = train(tmp_path / "alone", examples(80, 2), EXACT, dropout=0.0)
    (tmp_path / "worker.py").write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run"]  # what `torchrun` is
    command += ["--standalone", "--nproc-per-node", "2", str(tmp_path / "worker.py")]
    done = subprocess.run(
        [*command, str(tmp_path / "kept"), str(tmp_path / "made.pt")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = torch.load(tmp_path / "made.pt", weights_only=True)
    assert made["loss"] == pytest.approx(curves.valid_loss, rel=0.02)
    assert made["loss"][-1] < made["loss"][0]
    for name, value in alone.state_dict().items():
        # Sums come out in another order, and a hundred steps carry that on.
        assert torch.allclose(value, made["model"][name], atol=0.02), name
    assert not torch.equal(alone.classifier.weight, classifier(dropout=0.0).classifier.weight)


def test_alone_a_process_looks_at_whole_batches() -> None:
    assert here() == (0, 1)
    assert share_of([4, 2, 9]) == [4, 2, 9]
