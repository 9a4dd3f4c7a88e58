import numpy as np
import pytest

from components.train.batching import batches
from components.train.calibration import (
    Calibration,
    apply_calibration,
    fit_calibration,
    held_back,
)
from components.train.fitting import balanced
from components.train.recipe import Recipe
from shield.errors import Invalid


def test_batches_hold_every_row_once_and_keep_the_token_budget() -> None:
    lengths = np.random.default_rng(0).integers(3, 90, 500).tolist()
    made = batches(lengths, 512, seed=1)
    assert sorted(place for batch in made for place in batch) == list(range(500))
    assert all(len(batch) * max(lengths[place] for place in batch) <= 512 for batch in made)


def test_little_is_spent_on_padding() -> None:
    lengths = np.random.default_rng(0).geometric(0.04, 2000).clip(3, 128).tolist()
    made = batches(lengths, 1024, seed=0)
    cells = sum(len(batch) * max(lengths[place] for place in batch) for batch in made)
    assert 1 - sum(lengths) / cells < 0.12


def test_each_epoch_meets_the_messages_in_another_order() -> None:
    lengths = [10] * 100
    assert batches(lengths, 100, seed=0) != batches(lengths, 100, seed=1)


def test_both_classes_weigh_the_same_however_rare_one_is() -> None:
    labels = np.array([1] * 3 + [0] * 97)
    weights = balanced(labels, np.ones(100, dtype=np.float32))
    assert weights[labels == 1].sum() == pytest.approx(weights[labels == 0].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_a_champion_goes_through_a_large_set_less_often() -> None:
    recipe = Recipe(epochs=3)
    asked = [recipe.passes(many, from_champion=True) for many in (0, 900, 2999, 3000, 50_000)]
    assert asked == [3, 3, 3, 2, 2]
    assert recipe.passes(50_000, from_champion=False) == 3
    assert Recipe(epochs=1).passes(50_000, from_champion=True) == 1


def test_one_class_alone_is_refused_with_advice() -> None:
    with pytest.raises(Invalid, match="cannot learn one class alone"):
        balanced(np.ones(5, dtype=np.int64), np.ones(5, dtype=np.float32))


def test_calibration_makes_overconfident_margins_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(-2, 2, 4000)
    scam = rng.random(4000) < 1 / (1 + np.exp(-odds))
    found = fit_calibration(odds * 5 + 3, scam)
    assert found.scale == pytest.approx(0.2, abs=0.03)
    assert found.shift == pytest.approx(-0.6, abs=0.15)


def test_scores_give_way_where_the_threshold_must_not() -> None:
    hams = np.random.default_rng(0).normal(-4, 2, 2000)
    fitted = Calibration(scale=1.5, shift=2.0)
    held = held_back(fitted, hams, budget=0.01, highest=0.56)
    assert held.scale == fitted.scale
    assert held.shift < fitted.shift
    flagged = held.scale * hams + held.shift >= np.log(0.56 / 0.44)
    assert flagged.sum() == 20, "the budget is used, and kept"


@pytest.mark.parametrize("budget", [0.01, 0.0])
def test_a_calibration_that_keeps_the_budget_stays_as_it_is(budget: float) -> None:
    hams = np.random.default_rng(0).normal(-9, 1, 500)
    fitted = Calibration(scale=1.0, shift=0.5)
    assert held_back(fitted, hams, budget, highest=0.56) == fitted


def test_calibration_is_folded_into_the_last_layer() -> None:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    given = torch.randn(6, 4)
    with torch.no_grad():
        before = model(given)
        apply_calibration(model, Calibration(scale=0.5, shift=-1.0))
        after = model(given)
    wanted = 0.5 * (before[:, 1] - before[:, 0]) - 1.0
    assert torch.allclose(after[:, 1] - after[:, 0], wanted, atol=1e-5)
