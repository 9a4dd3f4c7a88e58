import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.baseline.step import fit, matrix, run
from components.prepare_corpus.book import book_messages
from shield.book import Side
from shield.errors import Invalid, PackageInvalid
from shield.labels import ModelType
from shield.linear import Features, LinearModel, blocks_of

SCAMS = [f"WIN a £{n} prize, call 0906{n} now!" for n in range(100, 140)]
HAMS = [f"see you at {n} for tea, I bring the {n} cakes" for n in range(60)]


def dataset(folder: Path, train: list[tuple[str, int]], valid: list[tuple[str, int]]) -> Path:
    folder.mkdir()
    for name, rows in (("train", train), ("valid", valid)):
        pl.DataFrame(
            {
                "id": [str(n) for n in range(len(rows))],
                "text": [text for text, _ in rows],
                "label": [label for _, label in rows],
                "weight": [1.0] * len(rows),
                "source": ["corpus"] * len(rows),
            },
            schema_overrides={"text": pl.String, "label": pl.Int8, "weight": pl.Float32},
        ).write_parquet(folder / f"{name}.parquet")
    return folder


def labelled() -> list[tuple[str, int]]:
    return [(text, 1) for text in SCAMS] + [(text, 0) for text in HAMS]


def test_it_learns_keeps_the_budget_and_survives_its_file(tmp_path: Path) -> None:
    data = dataset(tmp_path / "d", labelled()[::2], labelled()[1::2])
    model = run(data, tmp_path / "baseline.safetensors")
    assert np.all(model.probabilities(SCAMS) >= model.threshold)
    assert np.all(model.probabilities(HAMS) < model.threshold)
    again = LinearModel.load(tmp_path / "baseline.safetensors")
    assert np.array_equal(again.probabilities(SCAMS), model.probabilities(SCAMS))


def test_what_is_rare_tells_more_than_what_everybody_says() -> None:
    scams = [f"please {word} {n}" for n in range(30) for word in ("parcel", "deposit")]
    harmless = [f"please come {n}" for n in range(60)]
    texts = [*scams, "please voucher 7", *harmless]
    model = fit(texts, np.arange(len(texts)) < len(scams) + 1)
    everywhere, often, once = model.margins(["please", "parcel", "voucher"])
    assert abs(everywhere) < 0.5
    assert once > 0.5 * often


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    data = dataset(tmp_path / "d", labelled(), labelled())
    for name in ("a", "b"):
        run(data, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_was_not_rehearsed_is_learnt_all_the_same(tmp_path: Path) -> None:
    data = dataset(tmp_path / "d", labelled()[:50] + labelled()[-10:], labelled())
    rehearsed = run(data, tmp_path / "a").probabilities(["your parcel waits, pay the fee"])[0]
    parcels = [(f"your parcel {n} waits, pay the fee", 1) for n in range(20)]
    (dataset(tmp_path / "b", parcels, []) / "train.parquet").rename(data / "base.parquet")
    whole = run(data, tmp_path / "c").probabilities(["your parcel waits, pay the fee"])[0]
    assert whole > 0.9 > rehearsed


def test_one_class_teaches_nothing_and_is_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path / "d", [(text, 0) for text in HAMS], labelled())
    with pytest.raises(Invalid, match="both classes"):
        run(data, tmp_path / "m")
    with pytest.raises(Invalid, match="Run build_dataset first"):
        run(tmp_path / "nowhere", tmp_path / "m")


def test_without_ham_to_set_the_threshold_on_it_stays_in_the_middle_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = dataset(tmp_path / "d", labelled(), [(text, 1) for text in SCAMS])
    with caplog.at_level(logging.WARNING):
        assert run(data, tmp_path / "m").threshold == 0.5
    assert json.loads(caplog.records[0].message)["event"] == "baseline-threshold"


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_serving_computes_what_training_saw(text: str) -> None:
    features = Features(bits=12, reach=0)
    row = matrix([text], features)
    rng = np.random.default_rng(0)
    model = LinearModel(rng.normal(size=features.buckets).astype(np.float32), 0.1, 0.5, features)
    margin = float((row @ model.weights.astype(np.float64))[0]) + model.bias
    expected = 1 / (1 + np.exp(-margin))
    assert model.probabilities([text])[0] == pytest.approx(expected, abs=1e-6)
    assert all(np.all(np.diff(block) > 0) for block in blocks_of(text, features))


def test_words_are_looked_at_beside_characters_and_numbers_alike() -> None:
    characters, words = blocks_of("WIN 500 now", Features())
    assert words.min() >= 1 << Features().bits > characters.max()
    assert words.size == 6, "three words, two pairs, one run of three"
    assert np.array_equal(words, blocks_of("win 731 NOW", Features())[1])
    assert not np.array_equal(words, blocks_of("win now 500", Features())[1]), "order is seen"


def test_a_long_text_is_read_in_windows_and_one_that_was_taught_as_a_whole_too() -> None:
    features = Features(bits=12, reach=40, whole=60, window_cost=0.5)
    weights = np.random.default_rng(0).normal(size=features.buckets).astype(np.float32)
    model = LinearModel(weights, 0.25, 0.5, features)
    whole = LinearModel(weights, 0.25, 0.5, features._replace(reach=0))
    text = "".join(f"word{n} and more; " for n in range(8))[:117]
    parts = [text[start : start + 40] for start in (0, 20, 40, 60, 77)]
    assert model.margin(text) == pytest.approx(whole.margins(parts).max() - 0.5)
    assert model.margin(text[:40]) == whole.margin(text[:40])
    both = max(whole.margin(text[:60]), whole.margins([text[:40], text[20:60]]).max() - 0.5)
    assert model.margin(text[:60]) == pytest.approx(both)


def test_company_neither_makes_a_scam_nor_hides_one() -> None:
    """Of messages of the book that taught nothing, as people paste them: five in a row."""
    taught, other = (
        book_messages(ModelType.SMS, side).filter(pl.col("language").is_in(["en", "es"]))
        for side in (Side.TEACH, Side.JUDGE)
    )
    model = fit(taught["text"].to_list(), taught["label"].to_numpy() == 1)
    harmless = (pl.col("label") == 0) & (pl.col("tactic") == "")
    point = np.quantile(model.margins(other.filter(harmless)["text"].to_list()), 0.95)
    rng = np.random.default_rng(0)
    found, flagged = [], []
    for (_language,), part in other.group_by("language", maintain_order=True):
        everyday = part.filter(harmless)["text"].to_list()
        scams = part.filter(pl.col("label") == 1)["text"].to_list()
        for scam in [scam for scam in scams if model.margin(scam) > point][:40]:
            company = rng.choice(everyday, 5).tolist()
            flagged.append(model.margin(" ".join(company)) > point)
            found.append(model.margin(" ".join([*company[:2], scam, *company[2:4]])) > point)
    assert np.mean(flagged) < 0.5, "two in three, where a long text is read as a whole"
    assert np.mean(found) > 0.6


def test_a_model_of_an_earlier_release_is_still_read(tmp_path: Path) -> None:
    features = Features(bits=12, words=0, reach=0, whole=0, window_cost=0.0)
    old = LinearModel(np.ones(1 << 12, dtype=np.float32), 0.25, 0.5, features)
    old.save(tmp_path / "m")
    raw = (tmp_path / "m").read_bytes()
    raw = raw.replace(b'"words": "0"', b'"other": "0"').replace(b"-linear-3", b"-linear-1")
    (tmp_path / "m").write_bytes(raw)
    again = LinearModel.load(tmp_path / "m")
    assert again.features == features
    assert again.margin("hello") == old.margin("hello")


def test_a_very_long_message_is_read_at_both_ends() -> None:
    model = fit(SCAMS + HAMS, np.array([True] * len(SCAMS) + [False] * len(HAMS)))
    buried = "see you for tea, I bring the cakes " * 3000
    assert model.probabilities([buried])[0] < 0.5
    assert blocks_of(buried + "\ud800", Features())[0].size > 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:5],
        lambda raw: b"\xff" * 8 + raw[8:],
        lambda raw: raw.replace(b"shield-linear-3", b"shield-linear-9"),
        lambda raw: raw[:-2],
        lambda raw: raw.replace(b'"bits": "18"', b'"bits": "17"'),
        lambda raw: raw[:-2] + b"\x00\x7e",
        lambda raw: raw.replace(b"scam-text-v3", b"scam-text-v9"),
    ],
)
def test_a_spoilt_file_is_refused(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "m"
    fit(SCAMS + HAMS, np.array([True] * len(SCAMS) + [False] * len(HAMS))).save(path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(PackageInvalid):
        LinearModel.load(path)
    with pytest.raises(PackageInvalid):
        LinearModel.load(tmp_path / "nothing")
