"""The phone in its reader's language: its sentences, and the taps that every test begins with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page

TABLES = Path(__file__).parents[2] / "api/pages/assets/src/words"
SCAMS = {
    "en": "You win! Royal Mail: pay the fee of 1.99 today https://royalmail-fee.example/x",
    "ar": "win مبروك! طردك محتجز، ادفع رسوم 15 ريالًا اليوم عبر https://post-pay.example/x",
}
LANGUAGES = sorted(file.stem for file in TABLES.glob("*.json"))
both = pytest.mark.parametrize(("language", "locale"), [("en", "en-GB"), ("ar", "ar-SA")])


class Words:
    """The sentences of one language."""

    def __init__(self, language: str) -> None:
        self.table: dict[str, Any] = json.loads((TABLES / f"{language}.json").read_text())

    def __call__(self, key: str, **parts: str) -> str:
        sentence: str = self.table[key]
        return sentence.format(**parts) if parts else sentence


@contextmanager
def connected(
    chromium: Browser, api: RunningApi, words: Words, user: str = "ada", **options: Any
) -> Iterator[Page]:
    """Open the phone of somebody who was invited: with a code that works once."""
    with api.client(user, "reviewer") as desk:
        code = desk.pairing_code().code
    with open_page(chromium, PHONE, **options) as (context, page):
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{api.url}/app")
        expect(page.get_by_role("heading", name=words("connect.title"))).to_be_visible()
        page.get_by_label(words("connect.label")).fill(code)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        expect(page.get_by_role("heading", name=words("title"))).to_be_visible()
        yield page


def english_on(page: Page, words: Words) -> list[str]:
    """Return the English sentences that a page of another language shows."""
    shown: str = page.evaluate(
        """() => {
            const within = (each) => [each, ...each.querySelectorAll("*")]
                .flatMap((one) => [...(one.shadowRoot?.children ?? [])]);
            const said = (each) => [each.innerText, ...within(each).map(said)].join(" ");
            return said(document.body);
        }"""
    )
    return [
        text
        for key, text in Words("en").table.items()
        if isinstance(text, str) and len(text) > 3 and text != words.table[key] and text in shown
    ]


def judge_in_words(page: Page, words: Words, text: str) -> None:
    expect(page.locator("#home")).to_be_visible()  # "Scan another" leads there in its own time
    page.get_by_role("textbox", name=words("input.label"), exact=True).fill(text)
    page.get_by_role("button", name=words("input.scan"), exact=True).tap()
