import numpy as np
import polars as pl
import pytest

from components.shared import messages
from components.train.batching import batches
from components.train.fitting import balanced
from components.train.operating_point import scale_of, spread, weights_of
from components.train.recipe import Recipe
from components.train.samples import sample_texts
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


def test_overconfident_margins_are_scaled_to_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 2, 4000)
    scam = rng.random(4000) < 1 / (1 + np.exp(-odds))
    assert scale_of(odds * 5, scam) == pytest.approx(0.2, abs=0.03)


def test_each_half_counts_by_what_it_tells_however_loud_it_is() -> None:
    rng = np.random.default_rng(0)
    scam, counts = np.arange(2000) % 2 == 1, np.ones(2000)
    one, other = (rng.normal(np.where(scam, 1.5, -1.5), 1) for _ in range(2))
    loud, quiet = weights_of(20 * one, 0.1 * other, scam, counts)
    assert 20 * loud == pytest.approx(0.1 * quiet, rel=0.15)
    assert 20 * loud == pytest.approx(3, rel=0.15), "what is said is already log odds"


def test_a_half_that_tells_nothing_counts_little_and_never_against() -> None:
    rng = np.random.default_rng(0)
    scam, counts = np.arange(2000) % 2 == 1, np.ones(2000)
    good = rng.normal(np.where(scam, 1.5, -1.5), 1)
    for useless in (rng.normal(0, 1, 2000), -0.2 * scam + rng.normal(0, 1, 2000), np.zeros(2000)):
        first, second = weights_of(good, useless, scam, counts)
        assert 0 < second * spread(useless, scam) <= 0.1001 * first * spread(good, scam)
    backwards = weights_of(-good, -good, scam, counts)
    assert min(backwards) > 0
    assert spread(np.full(4, 3.0), np.arange(4) > 1) == 1.0


def test_the_samples_that_travel_with_a_package_are_nobodys_own_messages() -> None:
    sources = [messages.OF_USERS, f"{messages.ADDED}inbox", "uci-sms"]
    rows = [
        (source, label, f"{source} message of the class {label}")
        for source in sources
        for label in (0, 1)
    ]
    table = pl.DataFrame(rows, schema=["source", "label", "text"], orient="row")
    ids = [messages.message_id(source, text) for source, _, text in rows]
    train = messages.conform(table.with_columns(id=pl.Series(ids)))
    assert sample_texts(train) == [f"uci-sms message of the class {label}" for label in (0, 1)]
    private = train.filter(pl.col("source") != "uci-sms")
    assert not set(sample_texts(private)) & set(private["text"])
