import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from components.baseline.step import run as train_baseline
from components.evaluate.probes import name_of
from components.evaluate.redact import common_words, redact
from components.evaluate.scoring import score
from components.evaluate.slices import length_of, obfuscation_of, script_of, slices_of
from components.evaluate.step import run
from shield.comparison import Answers
from shield.errors import Invalid, PackageCorrupt, PackageInvalid
from shield.gates import Comparison, GateInput, GateLimits, decide
from shield.labels import ModelType
from shield.linear import LinearModel
from shield.packages import pack
from shield.run_files import DATASET, DatasetFacts
from tests.support.packages import CHAT, LURES, copied_package, signed_package

pytestmark = pytest.mark.xdist_group("training")

AWKWARD = {
    "emoji": "🎉🎁💰💰",
    "right to left": "مرحبا كيف حالك اليوم؟ אני בבית",
    "mixed": "Привет hello γειά 你好",
    "empty": "",
    "100 kB": "win a prize now " * 6400,
    "one long word": "a" * 100_000,
    "zero width": "fr\u200bee pr\u200bize",
    "control": "hi\x00 there\x1b[31m",
    "markup": "<script>alert(1)</script> & you",
}


def messages(texts: list[str], scam: int, prefix: str, **columns: str) -> list[dict[str, object]]:
    return [
        {
            "id": f"{prefix}-{row}",
            "text": text,
            "label": scam,
            "campaign": f"{prefix}-{row}",
            "source": "test",
        }
        | columns
        for row, text in enumerate(texts)
    ]


def write(folder: Path, sets: dict[str, list[dict[str, object]]], fresh_feedback: int = 80) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in sets.items():
        schema: dict[str, Any] = {"id": pl.String, "text": pl.String, "label": pl.Int8}
        schema |= {key: pl.String for row in rows for key in row if key not in schema}
        pl.DataFrame(rows, schema=schema).write_parquet(folder / f"{name}.parquet")
    facts = DatasetFacts(
        model_type=ModelType.SMS, fresh_feedback=fresh_feedback, golden_digest="sha256:golden"
    )
    facts.write(folder / DATASET)
    return folder


def ordinary(folder: Path) -> Path:
    golden = messages(LURES, 1, "g-scam") + messages(CHAT, 0, "g-ham")
    fresh = messages(LURES[:4], 1, "f", reporter="p-1") + messages(CHAT[:2], 0, "h", reporter="p-2")
    train = messages([f"{t} {n}" for t in LURES for n in range(6)], 1, "t-scam")
    train += messages([f"{t} {n}" for t in CHAT for n in range(6)], 0, "t-ham")
    sets = {"golden": golden, "fresh": fresh, "train": train, "valid": golden, "old_errors": []}
    return write(folder, sets)


def judge(folder: Path, dataset: Path, champion: Path | None = None, **more: Any) -> GateInput:
    challenger = signed_package(1).package.path
    return run(
        dataset, challenger, champion, folder / "evaluations.json", folder / "r.html", **more
    ).gate_input


def test_both_models_are_judged_by_the_files_that_serve(tmp_path: Path) -> None:
    champion = signed_package(0).package
    given = judge(tmp_path, ordinary(tmp_path / "data"), champion.path)
    assert given.champion == champion.digest
    assert given.challenger == signed_package(1).package.digest
    assert given.golden.challenger.n == 20
    assert given.golden.challenger.scams == 10
    assert given.int8_compared == 20
    assert given.corrections.challenger.n == 6
    assert {group.kind for group in given.groups} == {"reporter", "campaign"}
    assert given.budget == 0.01
    # The models separate these texts by construction; a swapped class would show here.
    assert given.metrics["goldenAuc"] > 0.95
    assert given.metrics["goldenPositives"] == 10
    gain = given.metrics["goldenRecall"] - given.metrics["goldenChampionRecall"]
    assert given.metrics["goldenRecallGain"] == pytest.approx(gain)
    assert given.metrics["goldenRecallGainLow"] <= gain <= given.metrics["goldenRecallGainHigh"]
    written = GateInput.model_validate_json((tmp_path / "evaluations.json").read_bytes())
    assert written == given


def test_where_few_corrections_are_held_out_those_that_taught_are_asked(tmp_path: Path) -> None:
    dataset, champion = ordinary(tmp_path / "data"), signed_package(0).package.path
    assert judge(tmp_path, dataset, champion).taught == Comparison(), "none has taught"
    told = messages(LURES, 1, "c", reporter="p-1", source="feedback")
    write(dataset, {"train": told + messages(CHAT, 0, "t")})
    given = judge(tmp_path, dataset, champion)
    assert given.taught.challenger.n == len(LURES)
    assert {(each.kind, each.name) for each in given.taught_groups} >= {("reporter", "p-1")}


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    dataset, champion = ordinary(tmp_path / "data"), signed_package(0).package.path
    for place in ("one", "two"):
        judge(tmp_path / place, dataset, champion)
    for file in ("evaluations.json", "r.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_champion_is_moved_to_the_budget_of_its_challenger(tmp_path: Path) -> None:
    """Made before there was one operating point, it flags nothing: a challenger must not gain."""
    dataset = ordinary(tmp_path / "data")
    with copied_package(tmp_path, 0) as copy:
        strict = copy.package.manifest.model_copy(update={"threshold": 0.999999})
        deaf = pack(copy.package.path, strict)
        given = judge(tmp_path, dataset, deaf.path)
    assert given.golden.champion.recall == 1.0
    assert given.golden.champion.fp == 0


def test_golden_labels_that_every_model_contradicts_are_for_reviewers(
    tmp_path: Path,
) -> None:
    dataset = ordinary(tmp_path / "data")
    wrong = messages(LURES[:1], 0, "mislabelled") + messages(LURES[1:], 1, "g")
    write(dataset, {"golden": wrong + messages(CHAT, 0, "h")})
    given = judge(tmp_path, dataset, signed_package(0).package.path)
    assert any("with confidence: 1. Reviewers" in warning for warning in given.warnings)
    assert not any("mislabelled-0" in warning for warning in given.warnings)
    page = (tmp_path / "r.html").read_text()
    assert "<code>mislabelled-0" not in page, "reviewers may read it, and are asked blind"
    assert "every model contradicts: 1." in page
    assert list(given.disputed) == ["mislabelled-0"]
    assert given.disputed["mislabelled-0"] > 0.95, "by which reviewers are shown the verdict"


def test_a_golden_set_that_nobody_was_judged_on_is_told(tmp_path: Path) -> None:
    dataset, champion = ordinary(tmp_path / "data"), signed_package(0).package.path
    history = tmp_path / "history.json"

    def warned(digest: str) -> bool:
        row = {"version": "sms-v1", "goldenDigest": digest, "goldenAccuracy": 0.9, "goldenFpr": 0.0}
        history.write_text(json.dumps([row]))
        given = judge(tmp_path, dataset, champion, history=history)
        return any("golden set is another one" in warning for warning in given.warnings)

    assert warned("sha256:before")
    assert not warned("sha256:golden")


def test_a_directory_without_manifest_is_no_champion(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    given = judge(tmp_path, ordinary(tmp_path / "data"), tmp_path / "none")
    assert given.champion is None
    assert given.golden.lost == given.golden.won == 0


def test_the_gate_can_decide_on_what_is_written(tmp_path: Path) -> None:
    given = judge(tmp_path, ordinary(tmp_path / "data"), signed_package(0).package.path)
    decision = decide(given, GateLimits(min_feedback=81))
    assert decision.outcome == "enough-feedback"
    assert len(decision.findings) == 13


def test_the_report_needs_nothing_else_and_shows_no_private_word(tmp_path: Path) -> None:
    private = "Rumpelstiltskin wants 4711 at rumpel@example.org https://rumpel.example/x"
    dataset = ordinary(tmp_path / "data")
    # Under both labels, so that whatever the model says, one of them is an error and shown.
    golden = messages([private], 1, "p") + messages([private], 0, "q") + messages(CHAT, 1, "c")
    write(dataset, {"golden": golden})
    judge(tmp_path, dataset, signed_package(0).package.path)
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page
    assert "src=" not in page
    assert page.count("<svg") >= 3
    assert "new errors" in page
    words = page[page.index("Errors of the challenger") :]  # the plots above are full of digits
    assert "Rumpelstiltskin" not in page
    for hidden in ("Rumpelstiltskin", "4711", "rumpel@example.org", "rumpel.example"):
        assert hidden not in words
    assert "[address]" in page


@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_messages_are_judged_and_shown(kind: str, tmp_path: Path) -> None:
    dataset = ordinary(tmp_path / "data")
    golden = messages([AWKWARD[kind]], 1, "a") + messages(CHAT[:2], 0, "b")
    write(dataset, {"golden": golden})
    given = judge(tmp_path, dataset)
    assert given.golden.challenger.n == 3
    assert "<script>alert" not in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("label", [0, 1])
def test_a_one_class_golden_set_gives_counts_and_a_warning_but_no_curve(
    label: int, tmp_path: Path
) -> None:
    dataset = write(tmp_path / "data", {"golden": messages(CHAT, label, "x")})
    given = judge(tmp_path, dataset)
    assert "goldenAuc" not in given.metrics
    assert any("one class only" in warning for warning in given.warnings)
    assert decide(given).outcome == "first-model"


def test_an_empty_golden_set_is_refused_with_the_cure(tmp_path: Path) -> None:
    dataset = write(tmp_path / "data", {"golden": []})
    with pytest.raises(Invalid, match="shieldctl corpus add"):
        judge(tmp_path, dataset)
    assert not (tmp_path / "evaluations.json").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": 2}, "neither 0 nor 1"),
        ({"text": None}, "have no text"),
        ({"id": "b-1"}, "occur twice"),
    ],
)
def test_a_spoilt_set_is_refused_by_name(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    rows = [{"id": f"b-{n}", "text": "hello", "label": 0} for n in range(3)]
    rows[0] |= change
    dataset = write(tmp_path / "data", {"golden": rows})
    with pytest.raises(Invalid, match=says) as refused:
        judge(tmp_path, dataset)
    assert "golden.parquet" in refused.value.message


def test_a_file_that_is_no_parquet_and_facts_that_lack_are_refused(tmp_path: Path) -> None:
    dataset = ordinary(tmp_path / "data")
    (dataset / "golden.parquet").write_bytes(b"id,text,label\n1,\xff,0\n")
    with pytest.raises(Invalid, match="cannot be read as Parquet"):
        judge(tmp_path, dataset)
    (dataset / "dataset.json").write_text("{}")
    with pytest.raises(Invalid, match="goldenDigest"):
        judge(tmp_path, dataset)


def test_a_damaged_package_is_refused_by_digest(tmp_path: Path) -> None:
    dataset = ordinary(tmp_path / "data")
    with copied_package(tmp_path, 0) as copy:
        served = copy.package.path / "model.int8.onnx"
        raw = bytearray(served.read_bytes())
        raw[len(raw) // 2] ^= 1
        served.unlink()
        served.write_bytes(raw)
        with pytest.raises(PackageCorrupt):
            run(dataset, copy.package.path, None, tmp_path / "e.json", tmp_path / "r.html")


def test_scores_that_are_no_numbers_stop_the_step_with_advice() -> None:
    class Diverged:
        def probabilities(self, texts: object) -> np.ndarray:
            return np.array([0.5, np.nan])

    with pytest.raises(PackageInvalid, match="lower learning rate"):
        score(Diverged(), "challenger", ["a", "b"])


def test_progress_counts_each_text_once() -> None:
    class Even:
        def probabilities(self, texts: Sequence[str]) -> np.ndarray:
            return np.full(len(texts), 0.5)

    parts: list[int] = []
    texts = [*["again"] * 300, *(f"text {number}" for number in range(299))]
    assert len(score(Even(), "challenger", texts, parts.append)) == 599
    assert parts == [256, 44]


def test_frozen_ham_sets_the_operating_point_and_judges_nobody(tmp_path: Path) -> None:
    """Its messages are scams in truth: a champion that is put there lets golden scams pass."""
    dataset = ordinary(tmp_path / "data")
    before = judge(tmp_path, dataset, signed_package(0).package.path)
    write(dataset, {"frozen_ham": messages([f"{text} today" for text in LURES], 0, "f")})
    given = judge(tmp_path, dataset, signed_package(0).package.path)
    assert given.golden.champion.tp < before.golden.champion.tp == 10
    assert given.golden.challenger == before.golden.challenger, "it serves as it was trained"
    assert not any("frozenHam" in name for name in given.metrics)


def test_the_best_ever_comes_from_the_same_golden_set_only(tmp_path: Path) -> None:
    dataset, history = ordinary(tmp_path / "data"), tmp_path / "history.json"
    versions = [
        {"version": "v1", "goldenDigest": "sha256:golden", "goldenAccuracy": 0.9, "goldenFpr": 0.0},
        {"version": "v0", "goldenDigest": "sha256:golden", "goldenAccuracy": 0.95, "goldenFpr": 0},
        {"version": "v3", "goldenDigest": "sha256:other", "goldenAccuracy": 1.0, "goldenFpr": 0.0},
    ]
    history.write_text(json.dumps(versions))
    given = judge(tmp_path, dataset, signed_package(0).package.path, history=history)
    assert given.record is not None
    assert (given.record.versions, given.record.first, given.record.best) == (2, "v1", "v0")
    history.write_text('[{"goldenDigest": "sha256:golden"}]')
    with pytest.raises(Invalid, match=r"goldenAccuracy.*Run the step again"):
        judge(tmp_path, dataset, history=history)


def test_phrases_that_teach_are_put_behind_golden_scams_and_go_by_a_digest(
    tmp_path: Path,
) -> None:
    dataset = ordinary(tmp_path / "data")
    listed = [
        {"text": "see you at the lighthouse", "carriers": 9, "without_it": 0.4, "suspected": False},
        {"text": "never learned", "carriers": 30, "without_it": 0.9, "suspected": True},
    ]
    (dataset / "phrases.json").write_text(json.dumps(listed))
    given = judge(tmp_path, dataset, signed_package(0).package.path)
    assert [(probe.name, probe.carriers) for probe in given.phrases] == [
        (name_of("see you at the lighthouse"), 9)
    ]
    assert given.phrases[0].comparison.challenger.scams == 10
    assert "lighthouse" not in (tmp_path / "evaluations.json").read_text()
    assert judge(tmp_path, dataset).phrases == []
    (dataset / "phrases.json").write_text('{"not": "a list"}')
    with pytest.raises(Invalid, match="Run build_dataset again"):
        judge(tmp_path, dataset, signed_package(0).package.path)


def test_the_baseline_is_judged_beside_and_its_victory_is_a_warning(tmp_path: Path) -> None:
    dataset, model = ordinary(tmp_path / "data"), tmp_path / "baseline.safetensors"
    train_baseline(dataset, model)
    given = judge(tmp_path, dataset, baseline=model)
    assert given.metrics["goldenBaselineRecall"] > 0.5
    assert any("linear baseline" in warning for warning in given.warnings) == (
        given.metrics["goldenBaselineRecallAtBudget"] >= given.metrics["goldenRecallAtBudget"]
    )
    assert isinstance(LinearModel.load(model), LinearModel)


def test_kinds_of_messages() -> None:
    assert length_of("x" * 40) == "up to 40 characters"
    assert length_of("x" * 501) == "over 500 characters"
    assert script_of(AWKWARD["emoji"]) == "none"
    assert script_of("Привет, как дела") == "cyrillic"
    assert script_of(AWKWARD["mixed"]) == "mixed"
    assert obfuscation_of("free prize") == "none"
    assert obfuscation_of("fr\u200bee") == "invisible characters"
    assert obfuscation_of("p\u0430ypal") == "look-alike letters"
    assert obfuscation_of("w i n n e r now") == "spaced letters"
    assert obfuscation_of("fr33ly w1nner") == "digits for letters"
    assert obfuscation_of("Привет") == "none"


def test_tactics_languages_and_channels_are_rows_of_the_report_and_the_unknown_is_none() -> None:
    table = pl.DataFrame(
        {
            "text": ["pay the fee", "your parcel comes", "hallo"],
            "tactic": ["parcel-fee", "parcel-fee", ""],
            "language": ["en", "en", "de"],
            "channel": ["sms", None, "sms"],
        }
    )
    found = {(name, value): int(mask.sum()) for name, value, mask in slices_of(table)}
    told = {key: count for key, count in found.items() if key[0] in table.columns}
    assert told == {
        ("tactic", "parcel-fee"): 2,
        ("language", "en"): 2,
        ("language", "de"): 1,
        ("channel", "sms"): 2,
    }


def test_redaction_keeps_common_words_only() -> None:
    common = common_words(["call me now"] * 5 + ["Rosalind call"])
    assert redact("Rosalind, call 555-1234 now: www.a.example/b?c", common) == (
        "········, call 000-0000 now: [link]"
    )
    assert len(redact("now " * 200, common)) == 160


def test_what_the_book_judges_is_shown_by_kind_and_decides_nothing(tmp_path: Path) -> None:
    parts = {"language": "de", "channel": "sms"}
    judging = messages(LURES[:4], 1, "b", tactic="parcel-fee", **parts)
    judging += messages(CHAT[:3], 0, "t", tactic="parcel-fee", **parts)
    judging += messages(CHAT[3:5], 0, "e", tactic="", **parts)
    judging += messages(LURES[4:6], 1, "held", tactic="chat-dating-sexy", **parts)
    dataset = ordinary(tmp_path / "data")
    plain = judge(tmp_path, dataset)
    given = judge(tmp_path, write(dataset, {"judge": judging}))
    rows = {(each.dimension, each.value): each.comparison.challenger for each in given.judge}
    assert rows["kind", "scam"].scams == rows["language", "de"].scams == 6
    assert rows["kind", "harmless twin"].hams == 3
    assert rows["kind", "everyday"].hams == 2
    assert rows["its tactic was", "taught"].scams == 4
    assert rows["its tactic was", "never taught"].scams == 2
    assert given.metrics["judgeRecall"] == rows["kind", "scam"].recall
    assert "harmless twin" in (tmp_path / "r.html").read_text()
    assert decide(given, GateLimits()) == decide(plain, GateLimits())
    assert given.slices == plain.slices


def test_the_report_begins_with_what_the_gates_say(tmp_path: Path) -> None:
    dataset = ordinary(tmp_path / "data")
    champion = signed_package(0).package.path
    for least, beside, heading in (
        (0, None, "Promoted"),
        (81, champion, "Refused: enough-feedback</h1>\n<p>80 approved"),
    ):
        limits = GateLimits(min_feedback=least, first_recall=0.0)
        judge(tmp_path, dataset, beside, limits=limits)
        page = (tmp_path / "r.html").read_text()
        assert page.partition("<body>")[2].startswith(f"<h1>{heading}")


def test_the_report_holds_what_was_said_of_each_message_but_those_of_users(tmp_path: Path) -> None:
    dataset = ordinary(tmp_path / "data")
    of_users = messages(["my own words"], 0, "u", source="feedback")
    write(dataset, {"time_forward": of_users})
    given = judge(tmp_path, dataset, signed_package(0).package.path)
    answers = Answers.of_report((tmp_path / "r.html").read_bytes(), "it")
    assert answers.challenger == given.challenger
    assert set(answers.sets) == {"golden"}
    flagged = [score >= 0.5 for score in answers.scores]
    found = sum(yes and scam for yes, scam in zip(flagged, answers.scam, strict=True))
    assert found == given.golden.tp
    assert "latin" in answers.kinds["script"]
    assert not any("my own words" in text for text in answers.texts)
