import dataclasses
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.baseline.half import RECIPE, half_of
from components.baseline.step import fit, go_on, matrix, of_users, placed, run
from components.shared.messages import OF_USERS
from shield.errors import PackageCorrupt
from shield.labels import ModelType
from shield.linear import LinearModel, Origin
from shield.logistic import logit, probability_of
from shield.metrics import operating_point
from shield.packages import Manifest, Margin, ModelPackage, pack
from shield.packages.manifest import LINEAR, SAMPLES
from shield.run_files import DATASET, DatasetFacts


def words(line: str) -> list[str]:
    return line.split()


_WORDS = {
    1: words("prize claim winner urgent account verify parcel fee bank code call now free cash"),
    0: words("tea tomorrow mum train late dinner cake garden meeting school thanks love home bus"),
}
_SHARED = words("the a you to for is on at we my your please today see it and")
NEW = words("crypto wallet seed phrase recover tokens")


def written(label: int, many: int, chance: random.Random) -> list[str]:
    """Messages that only just tell what they are: most words say nothing, some the contrary."""

    def telling() -> str:
        return chance.choice(_WORDS[label if chance.random() > 0.15 else 1 - label])

    return [
        " ".join([*chance.choices(_SHARED, k=9), *(telling() for _ in range(3)), str(number)])
        for number in range(many)
    ]


class Story:
    """A first model, and a week: harmless messages confirmed, and six scams that it misses."""

    def __init__(self, seed: int = 0) -> None:
        chance = random.Random(seed)
        self.scams, self.hams = written(1, 120, chance), written(0, 120, chance)
        self.frozen, self.others = written(0, 260, chance), written(1, 300, chance)
        self.base = [*self.scams, *self.hams]
        self.confirmed = written(0, 60, chance)
        self.missed = [" ".join([*chance.sample(NEW, 4), "mum", "tea"]) for _ in range(6)]
        self.truth = np.array([True] * 120 + [False] * 120)
        self.champion = self.placed(fit(self.base, self.truth))

    def placed(self, model: LinearModel) -> LinearModel:
        point = operating_point(model.margins(self.frozen), 0.01)
        return dataclasses.replace(model, threshold=float(probability_of(np.array(point))))

    def week(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        texts = [*self.base, *self.confirmed, *self.missed]
        scam = np.array([*self.truth, *[False] * 60, *[True] * 6])
        return texts, scam, np.arange(len(texts)) >= len(self.base)

    def changed(self, model: LinearModel) -> int:
        model = self.placed(model)
        now, before = (
            each.probabilities(self.others) >= each.threshold for each in (model, self.champion)
        )
        return int(np.sum(now != before))


def harmless(texts: list[str]) -> pl.DataFrame:
    table = {"text": texts, "label": [0] * len(texts), "source": ["chat"] * len(texts)}
    return pl.DataFrame(table, schema_overrides={"label": pl.Int8})


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def test_a_week_of_few_corrections_leaves_most_verdicts_as_they_were() -> None:
    anew, gone_on = 0, 0
    for seed in range(3):
        story = Story(seed)
        texts, scam, corrections = story.week()
        anew += story.changed(fit(texts, scam))
        gone_on += story.changed(go_on(story.champion, texts, scam, None, corrections))
    assert anew > 40, "of 900, when the model is fitted anew"
    assert gone_on <= anew / 2


def test_what_the_champion_misses_is_learnt(story: Story) -> None:
    texts, scam, corrections = story.week()
    assert not np.any(story.champion.margins(story.missed) >= logit(story.champion.threshold))
    learnt = story.placed(go_on(story.champion, texts, scam, None, corrections))
    assert np.all(learnt.probabilities(story.missed) >= learnt.threshold)


def test_nothing_new_changes_nothing(story: Story) -> None:
    none = np.zeros(len(story.base), dtype=np.bool_)
    again = go_on(story.champion, story.base, story.truth, None, none)
    assert np.array_equal(again.weights, story.champion.weights)
    assert again.bias == pytest.approx(story.champion.bias)
    point = logit(story.champion.threshold)
    right = [each for each in story.confirmed if story.champion.margin(each) < point]
    assert len(right) > 50
    texts = [*story.base, *right]
    scam = np.array([*story.truth, *[False] * len(right)])
    confirmed = np.arange(len(texts)) >= len(story.base)
    again = go_on(story.champion, texts, scam, None, confirmed)
    assert np.array_equal(again.weights, story.champion.weights), "so many times: you are right"


def test_a_base_message_with_another_label_than_the_champion_gives_it_is_taught(
    story: Story,
) -> None:
    texts, scam, corrections = story.week()
    again = go_on(story.champion, texts, scam, None, np.zeros_like(corrections))
    assert np.all(again.margins(story.missed) > story.champion.margins(story.missed) + 0.5)


def test_many_confirmations_do_not_make_a_reported_scam_weigh_more(story: Story) -> None:
    point = logit(story.champion.threshold)
    fine = [
        each for each in written(0, 900, random.Random(9)) if story.champion.margin(each) < point
    ]
    texts, scam, corrections = story.week()
    few = go_on(story.champion, texts, scam, None, corrections).margins(story.missed)
    texts, scam = [*texts, *fine], np.append(scam, np.zeros(len(fine), dtype=np.bool_))
    many = go_on(story.champion, texts, scam, None, np.arange(scam.size) >= len(story.base))
    assert len(fine) > 800
    # What is rare among more messages is rarer, a little.
    assert np.all(many.margins(story.missed) < few + 0.5)


def test_bytes_do_not_depend_on_how_sums_are_rounded(story: Story) -> None:
    texts, scam, corrections = story.week()
    for model in (story.champion, go_on(story.champion, texts, scam, None, corrections)):
        assert model.bias == round(model.bias, 6)
    point = logit(placed(story.champion, story.frozen, 0.01).threshold)
    assert point == pytest.approx(round(point, 6), abs=1e-9)


@pytest.mark.parametrize(("cost", "flagged"), [(3.0, False), (0.5, True)])
def test_a_long_correction_is_known_by_the_windows_that_serve(
    story: Story, cost: float, flagged: bool
) -> None:
    features = story.champion.features._replace(window_cost=cost)
    champion = dataclasses.replace(story.champion, features=features)
    point = logit(champion.threshold)
    long = [" ".join(written(label, 30, random.Random(n))) for n in range(30) for label in (0, 1)]
    whole = matrix(long, features) @ champion.weights + champion.bias
    served = champion.margins(long)
    # One number says that it is flagged, the other that it is not.
    apart = ((served >= point) == flagged) & ((whole >= point) != flagged)
    assert apart.any()
    text = long[int(np.argmax(apart))]
    scam = np.append(story.truth, False)
    again = go_on(champion, [*story.base, text], scam, None, np.arange(scam.size) == 240)
    assert np.array_equal(again.weights, champion.weights) != flagged


def test_the_step_sets_its_threshold_on_every_frozen_message(story: Story, tmp_path: Path) -> None:
    table = harmless(story.base).with_columns(label=pl.Series(story.truth.astype(np.int8)))
    table.write_parquet(tmp_path / "train.parquet")
    harmless(story.frozen).write_parquet(tmp_path / "valid.parquet")
    few = run(tmp_path, tmp_path / "m").threshold
    alarming = story.others[:60]
    harmless(alarming).write_parquet(tmp_path / "frozen_ham.parquet")
    model = run(tmp_path, tmp_path / "m")
    point = operating_point(model.margins([*story.frozen, *alarming]), 0.01)
    assert model.threshold > few
    assert model.threshold == pytest.approx(float(probability_of(np.array(point))))


def test_the_step_goes_on_from_a_package_and_anew_where_that_is_asked_for(
    story: Story, tmp_path: Path
) -> None:
    texts, scam, corrections = story.week()
    dataset, package = tmp_path / "dataset", tmp_path / "champion"
    dataset.mkdir()
    packed(story.champion, package)
    table = pl.DataFrame(
        {
            "text": texts,
            "label": scam.astype(np.int8),
            "source": [OF_USERS if each else "corpus" for each in corrections],
            "weight": np.ones(scam.size, dtype=np.float32),
        }
    )
    table.write_parquet(dataset / "train.parquet")
    harmless(story.frozen).write_parquet(dataset / "valid.parquet")
    assert np.array_equal(of_users(table), corrections)
    files = {
        name: run(dataset, tmp_path / name, champion, start=start)
        for name, champion, start in (
            ("on", package, "champion"),
            ("again", package, "champion"),
            ("base", package, "base"),
            ("first", None, "champion"),
            ("empty", dataset, "champion"),
        )
    }
    raw = {name: (tmp_path / name).read_bytes() for name in files}
    assert raw["on"] == raw["again"], "the same inputs make the same bytes"
    assert raw["base"] == raw["first"] == raw["empty"] != raw["on"]
    assert story.changed(files["on"]) <= story.changed(files["base"]) / 2


def packed(model: LinearModel, folder: Path, *, corpus: str = "", recipe: str = RECIPE) -> Path:
    """A package of a linear model, as if it had been fitted so."""
    folder.mkdir(exist_ok=True)
    dataclasses.replace(model, origin=Origin(recipe, corpus)).save(folder / LINEAR)
    (folder / SAMPLES).write_text("{}")
    margin = Margin(encoder=0.0, linear=1.0)
    pack(folder, Manifest(model_type=ModelType.SMS, margin=margin))
    return folder


def test_a_champion_of_other_n_grams_another_fit_or_another_corpus_is_not_gone_on_from(
    story: Story, tmp_path: Path
) -> None:
    half = half_of(packed(story.champion, tmp_path / "same", corpus="sha256:1"), "sha256:1")
    assert half is not None
    assert half.digest == ModelPackage.open(tmp_path / "same").digest
    assert np.array_equal(half.model.weights, story.champion.weights)
    assert half_of(tmp_path / "same", "sha256:2") is None, "a larger corpus"
    assert half_of(packed(story.champion, tmp_path / "before", recipe=""), "") is None
    assert half_of(packed(story.champion, tmp_path / "after", recipe="99"), "") is None
    features = story.champion.features._replace(bits=12)
    weights = np.zeros(features.buckets, dtype=np.float32)
    other = LinearModel(weights, 0.0, 0.5, features)
    assert half_of(packed(other, tmp_path / "other"), "") is None
    assert half_of(None, "") is half_of(tmp_path, "") is None


def test_a_champion_that_was_changed_on_disk_is_refused(story: Story, tmp_path: Path) -> None:
    packed(story.champion, tmp_path)
    story.placed(story.champion).save(tmp_path / LINEAR)
    with pytest.raises(PackageCorrupt):
        half_of(tmp_path, "")


def test_the_file_says_what_it_was_fitted_by(story: Story, tmp_path: Path) -> None:
    table = harmless(story.base).with_columns(label=pl.Series(story.truth.astype(np.int8)))
    table.write_parquet(tmp_path / "train.parquet")
    harmless(story.frozen).write_parquet(tmp_path / "valid.parquet")
    facts = DatasetFacts(
        model_type=ModelType.SMS, fresh_feedback=0, golden_digest="", corpus="sha256:1"
    )
    facts.write(tmp_path / DATASET)
    champion = packed(story.champion, tmp_path / "champion", corpus="sha256:1")
    anew = run(tmp_path, tmp_path / "m")
    assert anew.origin == Origin(RECIPE, "sha256:1", "")
    on = run(tmp_path, tmp_path / "m", champion)
    assert on.origin == Origin(RECIPE, "sha256:1", ModelPackage.open(champion).digest)
    assert run(tmp_path, tmp_path / "m", champion, start="base").origin == anew.origin
