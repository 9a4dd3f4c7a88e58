"""Datasets of Hugging Face come in by every way that they are kept, and labels by their names."""

from pathlib import Path

import datasets
import pytest

from components.prepare_corpus.add import add
from components.prepare_corpus.intake.rows import read_rows
from components.shared.corpus_store import current_corpus, current_key
from shield.artifacts.directory import DirectoryStore
from shield.errors import Invalid
from shield.labels import ModelType

TEXTS, LABELS = ["see you at home", "you win a prize", "claim it now"], ["ham", "spam", "spam"]
EXPECTED = list(zip(TEXTS, (0, 1, 1), strict=True))


def dataset(names: list[str]) -> datasets.Dataset:
    """Return messages whose label is a place in `names`."""
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
    )
    return datasets.Dataset.from_dict({"text": TEXTS, "label": LABELS}, features=features)


def saved(kind: str, made: datasets.Dataset, folder: Path) -> "Path | datasets.Dataset":
    match kind:
        case "directory":
            made.save_to_disk(folder / "mine")
            return folder / "mine"
        case "splits":
            halves = {"train": made.select([0, 1]), "test": made.select([2])}
            datasets.DatasetDict(halves).save_to_disk(folder / "mine")
            return folder / "mine"
        case "arrow":
            made.save_to_disk(folder / "mine")
            return next((folder / "mine").glob("*.arrow"))
        case "parquet":
            made.to_parquet(folder / "mine.parquet")
            return folder / "mine.parquet"
    return made


@pytest.mark.parametrize("kind", ["directory", "splits", "arrow", "parquet", "object"])
@pytest.mark.parametrize("names", [["ham", "spam"], ["spam", "ham"]], ids="-".join)
def test_a_dataset_is_read_by_the_names_of_its_labels(
    kind: str, names: list[str], tmp_path: Path
) -> None:
    reading = read_rows(saved(kind, dataset(names), tmp_path), ModelType.SMS)
    assert reading.bad == []
    assert reading.rows.select("text", "label").rows() == EXPECTED


def test_rows_that_were_filtered_out_stay_out(tmp_path: Path) -> None:
    kept = dataset(["ham", "spam"]).select([2, 0])
    assert read_rows(kept, ModelType.SMS).rows["text"].to_list() == [TEXTS[2], TEXTS[0]]


def test_labels_of_other_names_are_bad_rows_and_never_guessed(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    odd = datasets.Dataset.from_dict({"text": TEXTS, "label": [0, 1, 1]}, features=features)
    reading = read_rows(odd, ModelType.SMS)
    assert reading.rows.is_empty()
    assert {each.why for each in reading.bad} == {
        f"the label '{word}' is none of ham, spam, 0, 1; say what it means: --map WORD=LABEL"
        for word in ("bad", "good")
    }


def test_a_dataset_is_added_under_a_name(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put(current_key(ModelType.SMS), b'{"modelType": "sms"}')
    done = add(store, ModelType.SMS, saved("splits", dataset(["ham", "spam"]), tmp_path))
    assert (done.taken, done.bad) == (3, [])
    (entry,) = current_corpus(store, ModelType.SMS).added
    assert (entry.messages, entry.file) == (3, "mine")


@pytest.mark.parametrize("name", ["empty", "file.txt", "torn.arrow", "torn.parquet"])
def test_what_cannot_be_read_is_said_with_the_cure(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    if name == "empty":
        place.mkdir()
    else:
        place.write_bytes(b"ARROW1 and no more")
    with pytest.raises(Invalid, match=name):
        read_rows(place, ModelType.SMS)
