"""What the phone makes of known scams: the sketches that Python makes, and copies alone."""

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from api.pages.build import node_folder
from shield.device.known import NORMALISER, host_number, sketch_of
from shield.device.tables import tables_json
from shield.labels import ScanType
from shield.similarity import form
from shield.wire import KnownScam, KnownStatement
from tests.support.judge import bundler
from tests.support.odd_texts import odd_texts

RUNNER = Path(__file__).parents[2] / "support" / "known.mjs"
SALT = 0xC0FFEE11
SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = (
    "YOUR p\u0430rcel 99 is being held at our depot, pay 3.49 at http://x.post-pay.example/zz today"
)
FORGED = "Your parcel 4711 is held at our depot. Pay 1.99 at https://royal-post.example/a today"
FRIEND = "Hi mum this is my new number please text me back there when you see this message"
SHORTENED = "Dear customer your account was closed today, open it again at bit.ly/Ab1 now please"


def entry(text: str, *, any_host: bool = False) -> KnownScam:
    sketch = sketch_of(text, SALT)
    assert sketch is not None
    return KnownScam(
        sketch=sketch,
        hosts=[host_number(host, SALT) for host in form(text).hosts],
        any_host=any_host,
        reporters=3,
        decided_on=date(2026, 3, 3),
    )


def on_phone(entries: list[KnownScam], texts: list[str], work: Path) -> list[dict[str, Any]]:
    bundler()
    known = KnownStatement(
        scan_type=ScanType.TEXT,
        number=1,
        until="2030-01-01T00:00:00+00:00",
        normaliser=NORMALISER,
        salt=SALT,
        entries=entries,
    )
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
    told = on_phone([], texts, tmp_path)
    expected = [sketch_of(text, SALT) for text in texts]
    assert [each["sketch"] for each in told] == expected
    assert sum(sketch is not None for sketch in expected) > 100
    assert expected[-1] is None


def test_copies_are_known_and_the_same_words_with_another_host_are_not(tmp_path: Path) -> None:
    said = {
        SCAM: "confirmed",
        COPY: "confirmed",
        FORGED: None,
        SCAM.replace("https://post-pay.example/a", "at the desk"): None,
        "Your parcel is held. Collect it from our depot at https://post-pay.example/a": None,
        FRIEND: "confirmed",
        FRIEND.upper().replace("THERE", "here"): "confirmed",
        f"{FRIEND} https://example.org/x": "checking",
        SHORTENED: "confirmed",
        SHORTENED.replace("Ab1", "Cd2"): None,
        "Hi mum, I have landed, see you at home": None,
    }
    known = [entry(SCAM), entry(FRIEND, any_host=True), entry(SHORTENED)]
    told = on_phone(known, list(said), tmp_path)
    assert dict(zip(said, (each["standing"] for each in told), strict=True)) == said


def test_hosts_are_known_by_what_they_lie_below(tmp_path: Path) -> None:
    (told,) = on_phone(
        [], ["See www.pay.post.example/x/, or write to me@mail.example.org."], tmp_path
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
    *others, copy = on_phone([entry(FRIEND)], texts, tmp_path)
    assert {each["standing"] for each in others} == {None}
    assert copy["standing"] == "confirmed"
    assert sketch_of(FRIEND, SALT + 1) != sketch_of(FRIEND, SALT)
