"""A phone takes a judge whose signatures, digests and number hold, else keeps the former one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api.pages.build import node_folder
from tests.support.judge import bundler
from tests.support.releases import Step, Versions, tampered, told_in_order

RUNNER = Path(__file__).parents[2] / "support" / "follow.mjs"


def follow(
    versions: Versions, steps: list[Step], work: Path, *, webcrypto: bool = True
) -> list[dict[str, Any]]:
    bundler()
    document = {"pins": versions.pins, "steps": steps, "webcrypto": webcrypto}
    (work / "steps.json").write_text(json.dumps(document))
    subprocess.run(
        [node_folder() / "node", RUNNER, work / "steps.json", work / "told.json"],
        check=True,
        capture_output=True,
        text=True,
    )
    told: list[dict[str, Any]] = json.loads((work / "told.json").read_text())
    return told


@pytest.mark.parametrize("webcrypto", [True, False])
def test_a_phone_follows_promotions_and_undos_and_nothing_older(
    tmp_path: Path, webcrypto: bool
) -> None:
    made = Versions(tmp_path, 2)
    steps, expected = told_in_order(made)
    told = follow(made, steps, tmp_path, webcrypto=webcrypto)
    assert [(each["number"], each["current"], each["former"]) for each in told] == expected
    assert "number 10" in told[4]["error"]
    assert told[5]["fetched"] == 0, "an undo needs no download"


def test_what_was_tampered_with_is_refused_and_the_former_judge_stays(tmp_path: Path) -> None:
    made = Versions(tmp_path, 2)
    good, bad = made.step(11, 2), tampered(made, tmp_path)
    told = follow(made, [made.step(10, 1), *bad.values(), good], tmp_path)
    for what, kept in zip(bad, told[1:], strict=False):
        assert (kept["number"], kept["current"]) == (10, "sms-v1"), what
        assert kept["error"], what
        assert kept["error"].startswith("Untrusted"), (what, kept["error"])
    assert told[-1] | {"error": None} == told[-1]
    assert (told[-1]["number"], told[-1]["current"], told[-1]["former"]) == (11, "sms-v2", "sms-v1")
