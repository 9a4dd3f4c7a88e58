"""What the phone makes of known scams: the sketches that Python makes, and copies alone."""

import json
import subprocess
from pathlib import Path
from typing import Any

from api.pages.build import node_folder
from shield.device.known import sketch_of
from shield.device.tables import tables_json
from shield.wire import KnownStatement
from tests.support.judge import bundler
from tests.support.known_scams import COPY, FRIEND, KNOWN, SAID, SALT, SCAM, entry, statement
from tests.support.odd_texts import odd_texts

RUNNER = Path(__file__).parents[2] / "support" / "known.mjs"


def on_phone(known: KnownStatement, texts: list[str], work: Path) -> list[dict[str, Any]]:
    bundler()
    files = [work / name for name in ("characters.json", "known.json", "texts.json", "told.json")]
    files[0].write_bytes(tables_json())
    files[1].write_text(known.model_dump_json(by_alias=True))
    files[2].write_text(json.dumps(texts))
    subprocess.run(
        [node_folder() / "node", RUNNER, *files], check=True, capture_output=True, text=True
    )
    told: list[dict[str, Any]] = json.loads(files[3].read_text())
    return told


def test_every_text_has_the_sketch_that_python_gives_it(tmp_path: Path) -> None:
    texts = [*odd_texts(3, 600), SCAM, COPY, FRIEND, "word " * 4_000, "one two three four"]
    told = on_phone(statement([]), texts, tmp_path)
    expected = [sketch_of(text, SALT) for text in texts]
    assert [each["sketch"] for each in told] == expected
    assert sum(sketch is not None for sketch in expected) > 100
    assert expected[-1] is None


def test_copies_are_known_and_the_same_words_with_another_host_are_not(tmp_path: Path) -> None:
    told = on_phone(KNOWN, list(SAID), tmp_path)
    assert dict(zip(SAID, (each["standing"] for each in told), strict=True)) == SAID


def test_hosts_are_known_by_what_they_lie_below(tmp_path: Path) -> None:
    (told,) = on_phone(
        statement([]), ["See www.pay.post.example/x/, or write to me@mail.example.org."], tmp_path
    )
    assert told["hosts"] == [
        ["mail.example.org", "example.org", "mail.example.org"],
        [
            "www.pay.post.example",
            "pay.post.example",
            "post.example",
            "www.pay.post.example/x",
        ],
    ]


def test_other_messages_share_few_bands(tmp_path: Path) -> None:
    texts = [*odd_texts(5, 300), FRIEND.replace("my", "our")]
    *others, copy = on_phone(statement([entry(FRIEND)]), texts, tmp_path)
    assert {each["standing"] for each in others} == {None}
    assert copy["standing"] == "confirmed"
    assert sketch_of(FRIEND, SALT + 1) != sketch_of(FRIEND, SALT)
