from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.prepare_corpus.add import add
from components.prepare_corpus.book import SOURCE, book_messages, join_book
from components.prepare_corpus.holdings import export, parts, remove, taught
from components.prepare_corpus.neutral import neutral
from components.shared import messages
from components.shared.campaigns import campaigns
from components.shared.corpus_store import publish
from shield.artifacts.directory import DirectoryStore
from shield.book import Side, read_tactics
from shield.errors import Invalid, NotFound, PackageCorrupt, PackageUntrusted
from shield.labels import ModelType
from shield.packages import Trust, generate_key, load_private_key, save_key
from shield.run_files import CORPUS, Corpus, CorpusSet


@pytest.fixture(scope="module")
def sets() -> dict[str, pl.DataFrame]:
    """Real messages of three kinds, and the book joined to them."""
    names = ("train", "valid", "golden", "judge", "traffic")
    real = {
        name: messages.conform(
            pl.DataFrame(
                {
                    "id": [f"{name}-{number}" for number in range(4)],
                    "text": [f"{name} {word}" for word in ("hi", "win", "hello", "prize")],
                    "label": [number % 2 for number in range(4)],
                    "source": ["uci-sms"] * 4,
                }
            )
        )
        for name in names
    }
    assert join_book(real, ModelType.SMS, [], seed=5) == real
    return join_book(real, ModelType.SMS, ["en", "de"], seed=5)


def of_book(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("source") == SOURCE)


def test_what_judges_comes_from_judging_templates_alone(sets: dict[str, pl.DataFrame]) -> None:
    judging = set(book_messages(ModelType.SMS, Side.JUDGE, seed=5)["campaign"])
    assert set(of_book(sets["judge"])["campaign"]) <= judging
    assert of_book(sets["golden"]).height == 0, "an operating point is not judged by them"
    for name in ("train", "valid"):
        assert not judging & set(of_book(sets[name])["campaign"])
        assert of_book(sets[name])["label"].n_unique() == 2
    assert of_book(sets["traffic"]).height == 0


def test_a_template_either_trains_or_sets_the_threshold(sets: dict[str, pl.DataFrame]) -> None:
    train, valid = (set(of_book(sets[name])["campaign"]) for name in ("train", "valid"))
    assert train
    assert valid
    assert not train & valid


def test_no_message_of_the_joined_sets_resembles_one_of_another(
    sets: dict[str, pl.DataFrame],
) -> None:
    roots = campaigns(pl.concat([table["text"] for table in sets.values()]))
    sides = np.repeat(np.arange(len(sets)), [table.height for table in sets.values()])
    seen = (
        pl.DataFrame({"root": roots, "side": sides}).group_by("root").agg(pl.col("side").n_unique())
    )
    assert seen["side"].max() == 1


def test_tactics_languages_and_channels_come_with_the_messages(
    sets: dict[str, pl.DataFrame],
) -> None:
    judge = of_book(sets["judge"])
    assert set(judge["channel"]) == {"sms"}
    assert set(judge["language"]) == {"en", "de"}
    unseen = {name for name, tactic in read_tactics().items() if tactic.judge_only}
    assert unseen <= set(judge["tactic"])
    assert not unseen & set(of_book(sets["train"])["tactic"])


@pytest.mark.parametrize("kind", list(ModelType))
def test_each_model_type_has_its_channel(kind: ModelType) -> None:
    table = book_messages(kind, Side.TEACH, languages=["en"])
    assert table["label"].n_unique() == 2
    assert table["text"].n_unique() == table.height


def test_masked_numbers_become_numbers_so_that_digits_are_no_sign_of_scam() -> None:
    plain = neutral("I am  &lt;#&gt;  inches &amp; you &lt;DECIMAL&gt; at &lt;TIME&gt;")
    assert "&" in plain
    assert "&amp;" not in plain
    assert "<" not in plain
    assert sum(character.isdigit() for character in plain) >= 4


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("see http//www.gr8.example now", "see http://www.gr8.example now"),
        ("http://wap. club.example?n=1", "http://wap.club.example?n=1"),
        ("call http: //www. a.example", "call http://www.a.example"),
        ("love you xxxx XXX", "love you xxxx XXX"),
        ("fish &amp; chips", "fish & chips"),
    ],
)
def test_broken_links_are_mended_and_kisses_are_left(broken: str, whole: str) -> None:
    assert neutral(broken) == whole


@pytest.mark.parametrize("masked", ["for 07808 XXXXXX shows", "No *********** WON", "0871XXXXX"])
def test_masked_digits_become_digits_the_same_each_time(masked: str) -> None:
    plain = neutral(masked)
    assert plain == neutral(masked)
    assert len(plain) == len(masked)
    assert not set(plain) & set("X*")


@pytest.fixture
def store(tmp_path: Path, sets: dict[str, pl.DataFrame]) -> DirectoryStore:
    """An installation with a published corpus of text messages."""
    found, folder = DirectoryStore(tmp_path / "store"), tmp_path / "corpus"
    entries = {
        name: CorpusSet(digest=messages.write(table, folder / f"{name}.parquet"))
        for name, table in sets.items()
    }
    Corpus(model_type=ModelType.SMS, sets=entries).write(folder / CORPUS)
    publish(found, folder)
    return found


def test_a_part_that_was_removed_teaches_no_longer_and_can_come_back(
    store: DirectoryStore, tmp_path: Path
) -> None:
    count = remove(store, ModelType.SMS, "book/en")
    assert count > 100
    assert "book/en" not in set(taught(store, ModelType.SMS)["part"])
    removed = {row["part"]: row["removed"] for row in parts(store, ModelType.SMS)}
    assert removed["book/en"]
    assert not removed["uci-sms"]
    publish(store, tmp_path / "corpus")
    assert "book/en" not in set(taught(store, ModelType.SMS)["part"])
    remove(store, ModelType.SMS, "book/en", undo=True)
    assert taught(store, ModelType.SMS).filter(pl.col("part") == "book/en").height == count
    whole = parts(store, ModelType.SMS)
    remove(store, ModelType.SMS, "book")
    remove(store, ModelType.SMS, "book/en", undo=True)
    back = {row["part"] for row in parts(store, ModelType.SMS) if not row["removed"]}
    assert {part for part in back if part.startswith("book")} == {"book/en"}
    remove(store, ModelType.SMS, "book", undo=True)
    assert parts(store, ModelType.SMS) == whole


def test_what_cannot_be_removed_is_told(store: DirectoryStore) -> None:
    with pytest.raises(NotFound, match="no part 'bok'; it has book/"):
        remove(store, ModelType.SMS, "bok")
    remove(store, ModelType.SMS, "book")
    with pytest.raises(Invalid, match="only one class left"):
        remove(store, ModelType.SMS, "uci-sms")
    with pytest.raises(NotFound, match="shieldctl model train voice"):
        parts(store, ModelType.VOICE)


def test_an_exported_corpus_is_taken_in_where_its_seal_is_trusted_and_whole(
    store: DirectoryStore, tmp_path: Path
) -> None:
    save_key(generate_key(), tmp_path / "key.pem", tmp_path / "trusted")
    trust = Trust.from_directory(tmp_path / "trusted")
    folder = tmp_path / "out"
    done = export(store, ModelType.SMS, folder, load_private_key(tmp_path / "key.pem"))
    assert "written for antispam-shield" in (folder / "card.md").read_text()
    added = add(store, ModelType.SMS, folder, trust)
    assert (added.taken, added.known) == (0, done["messages"]), "the store holds them already"
    with pytest.raises(Invalid, match="is not empty"):
        export(store, ModelType.SMS, folder, load_private_key(tmp_path / "key.pem"))
    with pytest.raises(Invalid, match="a corpus of voice"):
        add(store, ModelType.VOICE, folder, trust)
    save_key(generate_key(), tmp_path / "other.pem", tmp_path / "others")
    with pytest.raises(PackageUntrusted):
        add(store, ModelType.SMS, folder, Trust.from_directory(tmp_path / "others"))
    (folder / "messages.parquet").write_bytes(b"changed on the way")
    with pytest.raises(PackageCorrupt):
        add(store, ModelType.SMS, folder, trust)
