"""Links are cut out of a message before somebody warns others with it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from api.pages.build import node_folder
from tests.support.judge import bundler

RUNNER = Path(__file__).parents[2] / "support/links.mjs"
UNITS = ("a-", "a.", "a.b-", "1.", "-", "a", "http:/", "a/", "hxxp://")
SHORT, LONG = 2_500, 20_000
FAULT, NOISE_SECONDS = 3.0, 0.05


def cut(texts: list[str]) -> list[dict[str, Any]]:
    bundler()
    done = subprocess.run(
        [node_folder() / "node", RUNNER],
        input=json.dumps(texts),
        check=True,
        capture_output=True,
        text=True,
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_what_a_phone_would_open_is_cut_and_words_stay() -> None:
    told = {
        "pay at https://a.example/x?y=1 now": "pay at [link] now",
        "pay at hxxps://a.example now": "pay at [link] now",
        "www.a-b.example/x, or else": "[link] or else",
        "(a.example)": "([link])",
        "ask ada@bank.example": "ask ada@[link]",
        "see...evil.example": "[link]",
        "b\u00fccher.example!": "[link]!",
        "1.99 today, 24/7 and 3.5. Yes": "1.99 today, 24/7 and 3.5. Yes",
    }
    assert [answer["cut"] for answer in cut(list(told))] == list(told.values())


def test_a_hostile_message_freezes_no_phone() -> None:
    for _ in range(3):  # a busy machine may disturb one measurement, not three
        texts = [(unit * size)[:size] + "!" for unit in UNITS for size in (SHORT, LONG)]
        took = [answer["seconds"] for answer in cut(texts)]
        slow = [
            unit
            for unit, short, long in zip(UNITS, took[::2], took[1::2], strict=True)
            if long > NOISE_SECONDS + FAULT * LONG / SHORT * short
        ]
        if not slow:
            return
    assert slow == []
