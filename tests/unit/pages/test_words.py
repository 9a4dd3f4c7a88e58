"""The phone's sentences: a build in which a language lacks one, or says another thing, fails."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.pages.build import ASSETS, node_folder
from api.pages.scan_types import SCRIPT
from api.pages.templates import FOLDER
from shield.book import read_book
from shield.reasons.sentences import sentences

Table = dict[str, Any]


def checked(words: Path) -> str:
    """Return what `words.mjs` says of the tables in a folder; nothing if they fit together."""
    sources = [str(ASSETS / "src"), str(FOLDER)]
    program = (
        f"import {{ readWords }} from {json.dumps(str(ASSETS / 'words.mjs'))};"
        f"await readWords({json.dumps(str(words))}, {json.dumps(sources)});"
    )
    done = subprocess.run(
        [node_folder() / "node", "--input-type=module", "--eval", program],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def changed(key: str, value: Any) -> Callable[[Table], None]:
    return lambda table: table.__setitem__(key, value)


def without(key: str) -> Callable[[Table], None]:
    return lambda table: table.__delitem__(key)


def test_every_language_of_the_book_has_every_sentence() -> None:
    words = {file.stem for file in (ASSETS / "src/words").glob("*.json")}
    assert words == {*read_book().languages} == {*sentences()["reads-harmless"]}
    assert checked(ASSETS / "src/words") == ""


@pytest.mark.parametrize(
    ("language", "change", "told"),
    [
        pytest.param("ar", without("verdict.scam"), '"verdict.scam" is missing', id="missing"),
        pytest.param("de", changed("verdict.maybe", "Na ja"), "is not in en.json", id="surplus"),
        pytest.param("fr", changed("offline", " "), '"offline" is empty', id="empty"),
        pytest.param("it", changed("card.scanned", "Quando"), "has the parts [", id="lost part"),
        pytest.param(
            "nl", changed("card.scanned", "{when} {who}"), "{when} {who}", id="more parts"
        ),
        pytest.param(
            "ar", changed("waiting", {"other": "{count}"}), 'plural form "few"', id="plural"
        ),
        pytest.param(
            "id",
            changed("waiting", {"one": "{count}", "other": "{count}"}),
            "which id does not know",
            id="surplus plural",
        ),
        pytest.param("hi", changed("waiting", "x"), "must have plural forms", id="no plural"),
        pytest.param("en", changed("unused", "x"), "is not used", id="unused"),
    ],
)
def test_a_table_that_does_not_fit_fails_the_build_and_is_named(
    tmp_path: Path, language: str, change: Callable[[Table], None], told: str
) -> None:
    words = tmp_path / "words"
    shutil.copytree(ASSETS / "src/words", words)
    file = words / f"{language}.json"
    table = json.loads(file.read_text())
    change(table)
    file.write_text(json.dumps(table))
    faults = checked(words)
    assert told in faults
    assert f"src/words/{language}.json" in faults


def test_no_text_stands_in_the_template_of_the_phone() -> None:
    template = (FOLDER / "app.html").read_text()
    assert SCRIPT.exists()
    body = template.partition("{% block body %}")[2]
    outside_of_tags = [
        piece.partition(">")[2].strip()
        for piece in body.replace("{#", "<").replace("#}", ">").split("<")
    ]
    texts = [piece for piece in outside_of_tags if piece and not piece.startswith("{")]
    assert texts == []
