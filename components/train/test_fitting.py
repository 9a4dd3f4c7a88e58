"""The training loop on a real encoder, cut to one layer so that a test takes seconds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.train.batching import batches
from components.train.checkpoint import CHECKPOINT
from components.train.fitting import Examples, fit, mean_loss, one_too_many
from components.train.recipe import Recipe
from shield.errors import Invalid

pytestmark = pytest.mark.xdist_group("training")


def classifier(seed: int = 0, dropout: float = 0.1) -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return BertForSequenceClassification(config)


def examples(many: int, seed: int, turned: bool = False) -> Examples:
    """Return rows whose class is told by one token; `turned`: by the other one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, many)
    rows = [
        [1, *rng.integers(10, 60, int(rng.integers(3, 12))).tolist(), 5 + int(label != turned), 2]
        for label in labels
    ]
    return Examples(rows, labels, np.ones(many, dtype=np.float32))


def train(
    folder: Path,
    valid: Examples,
    recipe: Recipe,
    rows: Examples | None = None,
    dropout: float = 0.1,
    **more: Any,
) -> tuple[Any, Any]:
    torch.set_num_threads(1)
    model = classifier(dropout=dropout)
    curves = fit(
        model,
        rows or examples(200, 1),
        valid,
        recipe,
        0,
        folder,
        device=torch.device("cpu"),
        **more,
    )
    return model, curves


FAST = Recipe(epochs=4, learning_rate=1e-2, token_budget=64, freeze_embeddings=False)
EXACT = FAST.model_copy(update={"precision": "float32"})


def test_an_epoch_that_harms_unseen_messages_is_taken_back_and_is_the_last(tmp_path: Path) -> None:
    # What is learned is the opposite of what is watched: every epoch after the first does harm.
    model, curves = train(tmp_path / "a", examples(80, 2, turned=True), FAST)
    assert len(curves.valid_loss) < FAST.epochs
    assert curves.kept == len(curves.valid_loss) - 1
    again, _ = train(tmp_path / "a", examples(80, 2, turned=True), FAST)  # from its checkpoint
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_training_that_helps_runs_all_its_epochs(tmp_path: Path) -> None:
    _, curves = train(tmp_path, examples(80, 2), FAST)
    assert len(curves.valid_loss) == curves.kept == FAST.epochs
    assert curves.valid_loss[-1] < curves.valid_loss[0]


def test_what_is_left_is_the_mean_of_the_weights_over_the_last_third(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    model, after = classifier(), []

    def keep(_step: int, _steps: int, _loss: float) -> None:
        after.append(model.classifier.weight.detach().clone())

    cpu = torch.device("cpu")
    curves = fit(
        model, examples(200, 1), examples(80, 2), EXACT, 0, tmp_path, device=cpu, on_step=keep
    )
    last = torch.stack(after[-round(len(after) / 3) :])
    torch.testing.assert_close(model.classifier.weight.detach(), last.mean(dim=0))
    assert not torch.allclose(model.classifier.weight, after[-1])
    # What the last epoch is judged by is what is left, not the last step's weights.
    assert curves.valid_loss[-1] == mean_loss(model, examples(80, 2), 0, 64, cpu)


@pytest.mark.parametrize("share", [1 / 3, 9 / 10])
def test_killed_at_any_step_it_ends_at_the_same_weights(tmp_path: Path, share: float) -> None:
    whole, _ = train(tmp_path / "whole", examples(80, 2), FAST)
    steps = FAST.epochs * len(batches([len(row) for row in examples(200, 1).rows], 64, 0))

    class Killed(Exception):
        pass

    def kill(step: int, _steps: int, _loss: float) -> None:
        if step == int(steps * share):
            raise Killed

    with pytest.raises(Killed):
        train(tmp_path / "cut", examples(80, 2), FAST, on_step=kill, checkpoint_seconds=0.0)
    assert (tmp_path / "cut" / CHECKPOINT).is_file()
    resumed, curves = train(tmp_path / "cut", examples(80, 2), FAST)
    assert len(curves.loss) == FAST.epochs
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_bfloat16_learns_the_same_and_keeps_the_weights_whole(tmp_path: Path) -> None:
    half = FAST.model_copy(update={"precision": "bfloat16"})
    coarse, learned = train(tmp_path / "half", examples(80, 2), half)
    again, _ = train(tmp_path / "again", examples(80, 2), half)
    _, exactly = train(tmp_path / "exact", examples(80, 2), EXACT)
    assert learned.valid_loss != exactly.valid_loss, "it was not computed in bfloat16 at all"
    assert learned.valid_loss[-1] == pytest.approx(exactly.valid_loss[-1], abs=0.05)
    for name, value in coarse.state_dict().items():
        assert value.dtype in (torch.float32, torch.int64), name
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_loss_that_is_no_number_stops_the_step_with_advice(tmp_path: Path) -> None:
    rows = examples(40, 1)
    rows.weights[:] = np.inf
    with pytest.raises(Invalid, match="Lower the learning rate"):
        train(tmp_path, examples(20, 2), FAST, rows)


@pytest.mark.parametrize(
    ("losses", "over"),
    [
        ([0.3], False),
        ([0.3, 0.32], False),
        ([0.087, 0.099], False),
        ([0.3, 0.39], True),
        ([0.001, 0.004], False),
    ],
)
def test_a_little_worse_is_no_reason_to_stop(losses: list[float], over: bool) -> None:
    assert one_too_many(losses) is over
