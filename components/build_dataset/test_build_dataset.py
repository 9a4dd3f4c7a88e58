import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import polars as pl
import pytest

from components.build_dataset.__main__ import main
from components.build_dataset.comparison import compared, stability
from components.build_dataset.corrections import Caps, settle
from components.build_dataset.step import run
from components.build_dataset.suspects import WRONG_REPORTER
from components.shared import messages
from components.shared.campaigns import campaigns
from shield.artifacts.content import put_file
from shield.artifacts.directory import DirectoryStore
from shield.errors import ArtifactCorrupt, Invalid
from shield.run_files import BatchShift

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LETTERS = list("abcdefghijkmnopqrstuvwxyz")


def sentence(number: int, words: int = 9) -> str:
    """Return a message that is like no other number's."""
    rng = np.random.default_rng(number)
    return " ".join("".join(rng.choice(LETTERS, rng.integers(4, 9))) for _ in range(words))


def base(first: int, count: int, scams: int = 0) -> pl.DataFrame:
    texts = [sentence(first + place) for place in range(count)]
    return messages.conform(
        pl.DataFrame(
            {
                "id": [messages.message_id("test", text) for text in texts],
                "text": texts,
                "label": [int(place < scams) for place in range(count)],
                "source": ["test"] * count,
            }
        )
    )


def row(number: int, text: str, label: str = "spam", **other: Any) -> dict[str, Any]:
    return {
        "id": f"f{number:03}",
        "text": text,
        "label": label,
        "reporter": f"r{number}",
        "campaign": "",
        "trust": 0.5,
        "scanned_at": NOW - timedelta(days=1),
        "approved_at": NOW + timedelta(seconds=number),
        **other,
    }


class Shop:
    """A store with a base corpus and batches."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, DirectoryStore(folder / "store")
        self.sets = {
            "train": base(0, 80, 30),
            "valid": base(200, 40, 10),
            "golden": base(300, 40, 10),
            "time_forward": base(400, 0),
            "frozen_ham": base(450, 20),
        }

    def batch(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        path = self.folder / f"{name}.parquet"
        pl.DataFrame(rows).write_parquet(path)
        stored = put_file(self.store, "batches/sms", path, ".parquet")
        return {
            "id": name,
            "digest": stored.digest,
            "uri": stored.key,
            "count": len(rows),
            "sealedAt": NOW.isoformat(),
        }

    def build(self, *batches: dict[str, Any], **options: Any) -> dict[str, pl.DataFrame]:
        entries = {}
        for name, table in self.sets.items():
            path = self.folder / f"base-{name}.parquet"
            digest = messages.write(table, path)
            key = put_file(self.store, "corpora/sms", path, ".parquet").key
            entries[name] = {"digest": digest, "key": key}
        inputs = self.folder / "inputs.json"
        document = {
            "modelType": "sms",
            "runId": "r",
            "batch": batches[-1],
            "earlier": list(batches[:-1]),
            "champion": None,
            "corpus": {"modelType": "sms", "sets": entries},
        }
        inputs.write_text(json.dumps(document))
        out = self.folder / "dataset"
        options = {"set_suspects_aside": False, **options}
        self.facts = run(
            inputs,
            self.store,
            out,
            self.folder / "card.html",
            cache=self.folder / "cache",
            **options,
        )
        return {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_copies_with_other_numbers_are_one_campaign_and_strangers_are_not() -> None:
    texts = [
        "WINNER!! You have won a 900 pounds prize, call 09061701461 now to claim",
        "Winner! you have won a 500 pounds prize, call 09066364311 now to claim.",
        "Are you coming to dinner with us tonight at the new place?",
        "😀😀",
        "🙃",
    ]
    assert campaigns(pl.Series(texts)).tolist() == [0, 0, 2, 3, 4]


def test_a_flood_of_variants_is_one_campaign_whatever_the_order() -> None:
    flood = [
        f"Your parcel {n} is held, pay {n * 3} at http://x{n}.example now please" for n in range(50)
    ]
    found = campaigns(pl.Series([*flood, sentence(1), *reversed(flood)]))
    assert len(set(found.tolist())) == 2


def test_a_correction_like_a_golden_message_is_never_learned(shop: Shop) -> None:
    golden = shop.sets["golden"]["text"][0]
    sets = shop.build(
        shop.batch(
            "b1", [row(0, golden.upper() + "!!"), *(row(n, sentence(500 + n)) for n in range(1, 9))]
        )
    )
    assert "f000" not in sets["train"]["id"].to_list()
    aside = dict(sets["set_aside"].select("id", "why").iter_rows())
    assert "golden" in aside["f000"]


def test_frozen_ham_comes_from_the_corpus_and_teaches_nothing(shop: Shop) -> None:
    frozen = shop.sets["frozen_ham"]
    shop.sets["train"] = pl.concat([shop.sets["train"], frozen.head(3)])  # added again by a user
    rows = [row(0, frozen["text"][5].upper()), *(row(n, sentence(500 + n)) for n in range(1, 9))]
    sets = shop.build(shop.batch("b1", rows))
    assert messages.read(shop.folder / "dataset/frozen_ham.parquet").equals(frozen)
    learned = pl.concat([sets["train"], messages.read(shop.folder / "dataset/base.parquet")])
    assert not set(learned["text"]) & set(frozen["text"])
    assert "f000" not in learned["id"].to_list()


def test_a_built_dataset_opens_by_its_directory_with_hugging_faces_datasets(shop: Shop) -> None:
    shop.build(shop.batch("b1", [row(n, sentence(600 + n)) for n in range(20)]))
    built = shop.folder / "dataset"
    opened = datasets.load_dataset(str(built), cache_dir=str(shop.folder / "hf"))
    filled = {name: each.messages for name, each in shop.facts.counts.items() if each.messages}
    assert {name: split.num_rows for name, split in opened.items()} == filled
    assert "time_forward" not in filled, "an empty set is no split"
    train = messages.read(built / "train.parquet")
    assert opened["train"]["text"][:] == train["text"].to_list()
    assert opened["train"]["label"][:] == train["label"].to_list()


def test_what_taught_never_judges_and_near_duplicates_stay_on_one_side(shop: Shop) -> None:
    flood = [row(n, f"{sentence(900)} code {n}") for n in range(6)]
    rows = [*flood, *(row(n, sentence(600 + n)) for n in range(10, 60))]
    sets = shop.build(shop.batch("b1", rows))
    parts = [sets[name] for name in ("train", "fresh", "old_errors", "golden", "valid")]
    together = pl.concat(parts)
    roots = campaigns(together["text"])
    sides: dict[int, set[int]] = {}
    start = 0
    for side, part in enumerate(parts):
        for root in roots[start : start + part.height]:
            sides.setdefault(int(root), set()).add(side)
        start += part.height
    assert sets["fresh"].height > 0
    assert all(len(of_campaign) == 1 for of_campaign in sides.values())


def test_every_acknowledged_batch_teaches_again_and_its_held_out_part_stays_out(
    shop: Shop,
) -> None:
    first = shop.batch("b1", [row(n, sentence(600 + n)) for n in range(40)])
    before = shop.build(first)
    second = shop.batch("b2", [row(n, sentence(700 + n)) for n in range(100, 140)])
    after = shop.build(first, second)
    judged = set(before["fresh"]["id"])
    assert set(after["old_errors"]["id"]) == judged
    assert not judged & set(after["train"]["id"])
    assert set(before["train"].filter(pl.col("source") == "feedback")["id"]) <= set(
        after["train"]["id"]
    )


def test_replay_is_at_least_twice_the_corrections_with_both_classes(shop: Shop) -> None:
    sets = shop.build(shop.batch("b1", [row(n, sentence(600 + n)) for n in range(20)]))
    replayed = sets["train"].filter(pl.col("source") == "test")
    taught = sets["train"].filter(pl.col("source") == "feedback")
    assert replayed.height >= 2 * taught.height
    assert set(replayed["label"]) == {0, 1}


def test_the_same_inputs_give_the_same_bytes(shop: Shop) -> None:
    batch = shop.batch("b1", [row(n, sentence(600 + n)) for n in range(20)])
    shop.build(batch)
    first = shop.facts.digests
    shop.build(batch)
    assert shop.facts.digests == first


def test_the_dataset_says_which_base_corpus_teaches(shop: Shop) -> None:
    batch = shop.batch("b1", [row(n, sentence(500 + n)) for n in range(30)])
    shop.build(batch)
    before = shop.facts.corpus
    shop.sets["golden"] = base(350, 40, 10)
    shop.build(batch)
    assert shop.facts.corpus == before, "what judges does not teach"
    shop.sets["train"] = base(0, 81, 30)
    shop.build(batch)
    assert shop.facts.corpus != before


def test_a_changed_batch_file_is_refused_by_its_digest(shop: Shop) -> None:
    batch = shop.batch("b1", [row(n, sentence(600 + n)) for n in range(20)])
    (shop.store.root / batch["uri"]).write_bytes(b"something else")
    with pytest.raises(ArtifactCorrupt):
        shop.build(batch)


def test_a_label_nobody_knows_stops_the_step_and_is_never_read_as_ham(shop: Shop) -> None:
    with pytest.raises(Invalid, match="none of ham, spam"):
        shop.build(shop.batch("b1", [row(1, sentence(1), label="harmless")]))


def test_a_message_reported_both_ways_follows_trust_and_a_tie_is_set_aside() -> None:
    rows = [
        row(1, "one", trust=0.9, label="spam"),
        row(2, "one", trust=0.1, label="ham"),
        row(3, "two", trust=0.5, label="spam"),
        row(4, "two", trust=0.5, label="ham"),
    ]
    settled, aside = settle(table(rows), Caps())
    assert settled.select("text", "label").rows() == [("one", 1)]
    assert sorted(aside["id"].to_list()) == ["f002", "f003", "f004"]


def test_new_accounts_do_not_outvote_a_reporter_with_a_record() -> None:
    known = row(0, "one", trust=0.9)
    new = [row(n, "one", trust=0.22, label="ham") for n in range(1, 4)]
    settled, aside = settle(table([known, *new]), Caps())
    assert settled["label"].to_list() == [1]
    assert aside.height == 3


def disputes(many: int = 6, **liar: Any) -> list[dict[str, Any]]:
    """Return scams that three report and a fourth calls harmless, and one that only he has."""
    rows = [
        row(10 * n + voice, f"scam {n}", reporter=f"r{voice}", trust=0.7)
        for n in range(many)
        for voice in range(3)
    ]
    other = {"label": "ham", "reporter": "liar", "trust": 0.4, **liar}
    rows += [row(10 * n + 9, f"scam {n}", **other) for n in range(many)]
    return [*rows, row(999, "a scam that nobody else has met", **other)]


def test_who_loses_the_votes_does_not_teach_what_nobody_else_has_met() -> None:
    settled, aside = settle(table(disputes()), Caps())
    assert settled["text"].to_list() == [f"scam {n}" for n in range(6)]
    assert aside.height == 7
    assert set(aside["why"]) == {WRONG_REPORTER}
    settled, _ = settle(table(disputes()), Caps(), check_reporters=False)
    assert settled.height == 7


def test_who_loses_the_votes_has_no_voice_where_others_are_few() -> None:
    lone = row(500, "met by two", trust=0.3)
    against = row(501, "met by two", trust=0.4, label="ham", reporter="liar")
    settled, _ = settle(table([*disputes(), lone, against]), Caps())
    assert settled.filter(pl.col("text") == "met by two")["label"].to_list() == [1]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (disputes(4), "four lost votes say little"),
        (disputes(trust=0.85), "nobody doubts a trusted reporter by machine"),
        (disputes(reporter=""), "the anonymous are many"),
    ],
)
def test_who_has_lost_few_votes_goes_on_teaching(rows: list[dict[str, Any]], why: str) -> None:
    settled, _ = settle(table(rows), Caps())
    assert "a scam that nobody else has met" in settled["text"].to_list(), why


def test_an_honest_reporter_who_errs_now_and_then_goes_on_teaching() -> None:
    agreed = [
        row(10 * n + voice, f"scam {n}", reporter=f"r{voice}", trust=0.7)
        for n in range(20)
        for voice in range(3)
    ]
    # Each message has its opponent, so that every vote counts; r0 is on the wrong side of four.
    for n in range(20):
        place = 3 * n if n < 4 else None
        if place is None:
            agreed.append(row(10 * n + 9, f"scam {n}", label="ham", reporter=f"x{n}", trust=0.2))
        else:
            agreed[place] |= {"label": "ham"}
    settled, aside = settle(table(agreed), Caps())
    assert settled["label"].to_list() == [1] * 20
    assert WRONG_REPORTER not in aside["why"].to_list()


def test_no_reporter_teaches_more_than_the_cap() -> None:
    rows = [row(n, sentence(n), reporter="loud") for n in range(30)]
    settled, aside = settle(table(rows), Caps(per_reporter=10))
    assert (settled.height, aside.height) == (10, 20)


@pytest.mark.parametrize(
    "text", ["😀" * 30, "שלום עולם זה מבחן", "a" * 100_000, "mixed кириллица latin ﷽"]
)
def test_odd_messages_are_taken_as_they_are(shop: Shop, text: str) -> None:
    rows = [row(0, text), *(row(n, sentence(600 + n)) for n in range(1, 12))]
    shop.build(shop.batch("b1", rows))
    assert sum(count.messages for count in shop.facts.counts.values()) > 0


def test_an_empty_message_is_set_aside_and_listed(shop: Shop) -> None:
    rows = [row(0, "  \n "), *(row(n, sentence(600 + n)) for n in range(1, 12))]
    sets = shop.build(shop.batch("b1", rows))
    assert sets["set_aside"].rows(named=True)[0]["why"] == "empty message"


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as `read_batches` gives them."""
    return pl.DataFrame(rows).with_columns(
        label=(pl.col("label") == "spam").cast(pl.Int8),
        source=pl.lit("feedback"),
        trust=pl.col("trust").cast(pl.Float32),
        batch=pl.lit("b1"),
    )


def test_a_week_after_many_weeks_still_teaches_most_of_its_corrections(shop: Shop) -> None:
    def week(first: int, count: int, days: int) -> list[dict[str, Any]]:
        return [
            row(n, sentence(5000 + n), scanned_at=NOW + timedelta(days=days, minutes=n))
            for n in range(first, first + count)
        ]

    earlier = shop.batch("earlier", week(0, 400, 0))
    small = shop.batch("small", week(400, 30, 7))
    taught = shop.build(earlier, small)["train"].filter(pl.col("source") == "feedback")
    assert taught.filter(pl.col("scanned_at") >= NOW + timedelta(days=7)).height >= 15


def test_the_newest_tenth_of_a_large_batch_judges_and_one_moment_is_not_cut(shop: Shop) -> None:
    rows = [row(n, sentence(7000 + n), scanned_at=NOW + timedelta(minutes=n)) for n in range(500)]
    forward = shop.build(shop.batch("late", rows))["time_forward"]
    held = forward.filter(pl.col("source") == "feedback")
    watched = pl.read_parquet(shop.folder / "dataset" / "watched.parquet")
    assert 20 <= held.height + watched.height <= 60
    assert min(held.height, watched.height) >= 10
    assert not set(held["campaign"]) & set(watched["campaign"])
    assert held.filter(pl.col("scanned_at") <= NOW + timedelta(minutes=400)).is_empty()
    at_once = [each | {"scanned_at": NOW} for each in rows]
    sets = shop.build(shop.batch("at-once", at_once))
    assert sets["time_forward"].filter(pl.col("source") == "feedback").height == 0
    assert sets["train"].filter(pl.col("source") == "feedback").height > 300


def test_a_batch_is_compared_with_what_taught_before_and_the_card_says_so(shop: Shop) -> None:
    earlier = shop.batch("earlier", [row(n, sentence(8000 + n)) for n in range(30)])
    known = [row(100 + n, f"{sentence(8000 + n)}!") for n in range(10)]
    new = [row(200 + n, sentence(8100 + n, words=60)) for n in range(30)]
    shop.build(earlier, shop.batch("now", [*known, *new]))
    shift = shop.facts.beside_before
    assert shift is not None
    assert shift.messages == 40
    assert shift.new_campaigns == pytest.approx(0.75, abs=0.05)
    assert shift.length_shift is not None
    assert shift.length_shift > 0.25
    assert len(shift.warnings) == 2, "one class alone, and other lengths"
    assert "never seen before" in (shop.folder / "card.html").read_text()


def test_the_same_stream_is_no_shift() -> None:
    rng = np.random.default_rng(0)
    assert stability(rng.normal(80, 20, 2000), rng.normal(80, 20, 2000)) < 0.05
    assert stability(rng.normal(80, 20, 2000), rng.normal(120, 20, 2000)) > 1
    empty = base(0, 0).with_columns(batch=pl.lit("b"))
    assert compared(empty, base(0, 10)) == BatchShift(messages=0)


def test_the_dataset_of_a_run_is_built_again_by_hand(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.build(shop.batch("b", [row(n, sentence(900 + n)) for n in range(5)]))
    monkeypatch.setenv("SHIELD_ARTIFACTS_ROOT", str(shop.folder / "store"))
    again = shop.folder / "again"
    assert main([str(shop.folder / "inputs.json"), str(again)]) == 0
    assert capsys.readouterr().out == f"{again}: {shop.facts.taught} corrections teach.\n"
    assert pl.read_parquet(again / "train.parquet").height > 0
