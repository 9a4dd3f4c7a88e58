"""Files between steps: one spelling, the former one is read too, and errors name what is wrong."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from shield import run_files
from shield.errors import Invalid
from shield.labels import ModelType
from shield.run_files import (
    AddedMessages,
    BatchReference,
    Corpus,
    CorpusSet,
    DatasetFacts,
    GoldenFigures,
    Outcome,
    PhraseCounts,
    RunFile,
    RunInputs,
    SetCounts,
    read_history,
    write_history,
)
from shield.wire import RunOutcome

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FILES: list[RunFile] = [
    RunInputs(
        model_type=ModelType.SMS,
        run_id="r-1",
        batch=BatchReference(id="b", digest="sha256:0", uri="b.parquet", count=3, sealed_at=AT),
        corpus=Corpus(
            model_type=ModelType.SMS,
            hold_back=0.2,
            sets={"time_forward": CorpusSet(digest="sha256:1", messages=4)},
        ),
        history=[
            GoldenFigures(
                version="sms-v1", golden_digest="sha256:1", golden_accuracy=0.9, golden_fpr=0.01
            )
        ],
    ),
    DatasetFacts(
        model_type=ModelType.SMS,
        fresh_feedback=3,
        golden_digest="sha256:1",
        sealed_at=AT,
        set_aside={"empty message": 2},
        phrases=PhraseCounts(looked_at=4),
        counts={"old_errors": SetCounts(messages=2, scams=1)},
    ),
    Outcome(outcome=RunOutcome.REFUSED, message="golden-recall", report_uri="reports/x.html"),
]


def test_what_a_corpus_teaches_changes_with_what_is_added_and_removed() -> None:
    sets = {"train": CorpusSet(digest="sha256:1"), "golden": CorpusSet(digest="sha256:2")}
    corpus = Corpus(model_type=ModelType.SMS, sets=sets)
    added = AddedMessages(key="k", digest="sha256:3")
    others = [
        corpus.model_copy(update=update)
        for update in ({}, {"added": [added]}, {"removed": ["book"]}, {"relabelled": {"m1": "ham"}})
    ]
    digests = [each.teaching() for each in others]
    assert digests[0] == corpus.teaching() == digests[3]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("file", FILES, ids=lambda file: type(file).__name__)
def test_a_file_is_written_in_one_spelling_and_read_in_both(file: RunFile, tmp_path: Path) -> None:
    file.write(tmp_path / "there" / "file.json")
    written = json.loads((tmp_path / "there" / "file.json").read_bytes())
    assert all("_" not in name for name in written)
    assert type(file).read(tmp_path / "there" / "file.json") == file
    former = file.model_dump_json(by_alias=False).encode()
    assert type(file).parse(former, "a file of an earlier release") == file


def test_a_member_of_an_earlier_release_that_nobody_reads_is_ignored() -> None:
    raw = b'{"modelType": "sms", "runId": "r", "batch": null, "fromChampion": true}'
    inputs = RunInputs.parse(raw, "inputs.json")
    assert "fromChampion" not in json.loads(inputs.as_json())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"\xff", "the file"),
        (b'{"modelType": "fax", "runId": "r"}', "modelType"),
        (b'{"modelType": "sms", "runId": "r", "batch": {"id": "b"}}', r"batch\.digest"),
    ],
)
def test_a_bad_file_is_named_with_the_member_that_is_wrong(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "inputs.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=rf"inputs\.json.*{said}.*Run the step again"):
        RunInputs.read(path)


def test_the_history_is_a_list_and_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.json"
    write_history(path, [])
    assert read_history(path) == []
    path.write_text('[{"goldenDigest": "sha256:0"}]')
    with pytest.raises(Invalid, match="goldenAccuracy"):
        read_history(path)


def test_every_member_of_every_file_is_camel_case_outside() -> None:
    def members(kind: type[BaseModel]) -> Any:
        return [field.alias or name for name, field in kind.model_fields.items()]

    kinds = [kind for kind in vars(run_files).values() if isinstance(kind, type)]
    files = [kind for kind in kinds if issubclass(kind, RunFile)]
    assert len(files) > 10
    assert not [name for kind in files for name in members(kind) if "_" in name]
