from datetime import UTC, datetime
from email import message_from_string, policy
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.prepare_corpus.first import first_dataset
from components.prepare_corpus.mails import mail_text, read_mails, received
from components.prepare_corpus.reading import read_corpus
from components.prepare_corpus.step import SETS, run
from components.prepare_corpus.tactics import hardest_tactics
from components.prepare_corpus.transcripts import spoken, transcripts
from components.shared import messages
from components.shared.campaigns import campaigns
from components.shared.corpus_store import current_corpus, name_current, publish
from components.shared.environment import StepSettings
from components.shared.package_file import package_file
from shield.artifacts.directory import DirectoryStore
from shield.errors import Misconfigured
from shield.labels import ModelType
from shield.run_files import AddedMessages, Corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    run(folder, model_type=ModelType.SMS, settings=StepSettings(), seed=3)
    return folder


def test_the_sms_corpus_is_read_from_its_package_as_data() -> None:
    table = read_corpus(ModelType.SMS, StepSettings())
    assert table.height > 4000
    assert 400 < int(table["label"].sum()) < 700
    assert table["text"].n_unique() == table.height


def test_no_set_shares_a_message_or_a_near_duplicate_with_another(corpus: Path) -> None:
    parts = [messages.read(corpus / f"{name}.parquet") for name in SETS]
    roots = campaigns(pl.concat([part["text"] for part in parts]))
    sides = np.repeat(np.arange(len(parts)), [part.height for part in parts])
    seen = (
        pl.DataFrame({"root": roots, "side": sides}).group_by("root").agg(pl.col("side").n_unique())
    )
    assert seen["side"].max() == 1


def test_the_threshold_is_set_on_at_least_a_thousand_ham(corpus: Path) -> None:
    valid = messages.read(corpus / "valid.parquet")
    assert valid.filter(pl.col("label") == 0).height >= 1000


def test_frozen_ham_is_harmless_and_one_message_of_each_campaign(corpus: Path) -> None:
    frozen = messages.read(corpus / "frozen_ham.parquet")
    assert frozen.height >= 400
    assert set(frozen["label"]) == {0}
    assert frozen["campaign"].n_unique() == frozen.height
    facts = first_dataset(corpus, corpus.parent / "dataset")
    assert facts.counts["frozen_ham"].messages == frozen.height
    assert facts.corpus == Corpus.read(corpus / "corpus.json").teaching()
    assert messages.read(corpus.parent / "dataset/frozen_ham.parquet").equals(frozen)


def test_the_golden_set_is_the_same_bytes_for_the_same_seed(corpus: Path, tmp_path: Path) -> None:
    again = run(tmp_path, model_type=ModelType.SMS, settings=StepSettings(), seed=3)
    assert again == Corpus.read(corpus / "corpus.json")


def test_publishing_names_every_set_by_digest_and_keeps_what_users_added(
    corpus: Path, tmp_path: Path
) -> None:
    store = DirectoryStore(tmp_path)
    publish(store, corpus)
    document = current_corpus(store, ModelType.SMS)
    document.added = [AddedMessages(key="x", digest="sha256:0")]
    name_current(store, document)
    assert publish(store, corpus).added == document.added
    for entry in document.sets.values():
        assert store.exists(str(entry.key))


def test_the_hardest_tactic_is_the_one_unlike_the_others() -> None:
    rng = np.random.default_rng(0)
    usual = np.array([3.0, 0, 0, 0]) + rng.normal(0, 0.3, (120, 4))
    strange = np.array([0, 0, 0, 3.0]) + rng.normal(0, 0.3, (30, 4))
    hams = rng.normal(0, 0.6, (400, 4))
    names = np.array(["a"] * 60 + ["b"] * 60 + ["strange"] * 30)
    scams = np.concatenate([usual, strange]).astype(np.float32)
    assert hardest_tactics(names, scams, hams.astype(np.float32), 0.15) == ["strange"]


def test_a_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="uv sync --extra corpora"):
        package_file("no-such-package-at-all", "data.csv")
    with pytest.raises(Misconfigured, match=r"components\.prepare_corpus\.mails"):
        read_mails(StepSettings(corpora_dir=tmp_path))


def test_a_mail_is_read_as_a_person_reads_it() -> None:
    raw = (
        "From a@b.example  Thu Aug 22 13:17:22 2002\nSubject: [List-Name] Your \n prize\n"
        "Content-Type: text/html\n\n<html><style>x{}</style><b>Click</b>&nbsp;<a href='u'>here</a>"
    )
    mail = message_from_string(raw.split("\n", 1)[1], policy=policy.compat32)
    assert mail_text(mail) == "Your prize Click here"
    assert received(raw) == datetime(2002, 8, 22, 13, 17, 22, tzinfo=UTC)


def test_a_mail_of_an_impossible_date_has_none() -> None:
    assert received("From a  Thu Aug 22 13:17:22 2042\n") is None
    assert received("no stamp at all") is None


def test_a_transcript_has_no_case_no_punctuation_and_numbers_as_words() -> None:
    heard = spoken("WIN £100 now! Call 0906 or www.win.example", np.random.default_rng(1))
    assert heard == heard.lower()
    assert not set(heard) & set("!£.0123456789")
    assert "nine" in heard


def test_every_message_begins_one_call_of_its_own_class() -> None:
    table = read_corpus(ModelType.SMS, StepSettings()).head(200)
    calls = transcripts(table, seed=0)
    assert calls["label"].to_list() == table["label"].to_list()
    assert calls["text"].str.len_chars().mean() > table["text"].str.len_chars().mean()  # type: ignore[operator]
    assert transcripts(table, seed=0).equals(calls)
