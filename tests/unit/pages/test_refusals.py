"""Every refusal of the API has a sentence on the phone, in the reader's language."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from api.pages.build import ASSETS, node_folder
from shield.errors import ShieldError
from tests.support.judge import bundler

PROGRAM = """
const { buildSync } = require("esbuild");
const options = { entryPoints: ["src/app/refusals.ts"], bundle: true, format: "cjs", write: false };
const module = { exports: {} };
new Function("module", buildSync(options).outputFiles[0].text)(module);
process.stdout.write(JSON.stringify(module.exports.REFUSALS));
"""


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Return slug -> key of the sentence, as the phone has it."""
    bundler()
    done = subprocess.run(
        [node_folder() / "node", "-e", PROGRAM],
        cwd=ASSETS,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def slugs(root: type[ShieldError] = ShieldError) -> Iterator[str]:
    if root.__module__ == ShieldError.__module__:
        yield root.slug
    for child in root.__subclasses__():
        yield from slugs(child)


def test_every_problem_that_the_api_names_has_a_sentence(told: dict[str, str]) -> None:
    """All of them: any endpoint may be refused by what lies below it."""
    missing = set(slugs()) - set(told)
    assert not missing, f"Give them a sentence in src/app/refusals.ts: {sorted(missing)}"
    assert set(told) == set(slugs()), "the phone has a sentence for a problem that is no more"


@pytest.mark.parametrize("language", sorted(f.stem for f in (ASSETS / "src/words").glob("*.json")))
def test_a_refusal_is_told_in_each_language_without_words_for_developers(
    told: dict[str, str], language: str
) -> None:
    table = json.loads((ASSETS / f"src/words/{language}.json").read_text())
    english = json.loads((ASSETS / "src/words/en.json").read_text())
    for key in {*told.values(), "error.unknown", "error.here", "error.full"}:
        assert not [word for word in ("HTTP", "JSON", "API", "/", "_") if word in table[key]], key
        assert (table[key] == english[key]) == (language == "en"), f"{key} is not translated"
