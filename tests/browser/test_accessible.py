"""The phone by the rules of WCAG 2.2 AA: in every language and both themes, by key, at 200 %."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shield.labels import ModelType
from tests.browser.keyboard import enlarge_text, runs_out, tab_faults
from tests.browser.tongues import LANGUAGES, SCAMS, Words, both, judge_in_words
from tests.browser.world import violations, world
from tests.support.api import RunningApi
from tests.support.arms import deploy, model_server
from tests.support.browser import PHONE, open_page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def judged(text: str) -> float:
    """Say "win" and it is a scam, "perhaps" and nobody knows."""
    return 0.99 if "win" in text else 0.6 if "perhaps" in text else 0.02


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """An API that judges messages and mails, one of them with certainty."""
    with (
        world(tmp_path, judge=judged) as running,
        model_server(ModelType.PHISHING, judge=judged) as arm,
    ):
        deploy(running.services.rollouts, arm, version="phishing-v1", model_type=ModelType.PHISHING)
        yield running


def faults(page: Page, where: str) -> list[str]:
    """Return what is wrong in either theme; only colours depend on it."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += violations(page, "color-contrast", "link-in-text-block")
    page.emulate_media(color_scheme="light")
    return [f"{where}: {fault}" for fault in found]


def test_every_state_is_accessible_in_every_language_and_theme(
    chromium: Browser, api: RunningApi
) -> None:
    found: list[str] = []
    with open_page(chromium, PHONE) as (context, page):
        page.goto(f"{api.url}/app")
        for language in LANGUAGES:
            page.locator("#pair-language").select_option(language)
            expect(page.locator("#pairing-title")).to_have_text(Words(language)("connect.title"))
            found += faults(page, f"{language} connect")
        page.locator("#pair-token").fill(api.token("ada"))
        page.locator("#pair-form button").tap()
        expect(page.locator("label[data-type=phishing]")).to_be_visible()
        for language in LANGUAGES:
            speak(page, language, found)
            found += faults(page, f"{language} start")
        for text in (SCAMS["en"], "perhaps it is so"):
            judge_in_words(page, Words(language), text)
            page.locator("button.back").tap()
        for language in LANGUAGES:
            words = Words(language)
            speak(page, language)
            context.set_offline(True)
            judge_in_words(page, words, "Lunch at noon?")
            expect(page.locator("#failure article")).to_contain_text(words("card.problem"))
            found += faults(page, f"{language} failed, history")
            context.set_offline(False)
            for row, verdict in (("scam", "scam"), ("unsure", "unsure")):
                page.locator(f"#recent-list .row.{row}").tap()
                expect(
                    page.get_by_role("article", name=words(f"verdict.{verdict}"))
                ).to_be_visible()
                found += faults(page, f"{language} {verdict}")
                page.locator("button.back").tap()
    assert found == []


def speak(page: Page, language: str, found: list[str] | None = None) -> None:
    """Choose a language in the settings; note what is wrong with them."""
    page.locator("#account-button").tap()
    page.locator("#language").select_option(language)
    expect(page.locator("#account-title")).to_have_text(Words(language)("account.title"))
    if found is not None:
        found += faults(page, f"{language} settings")
    page.locator("#account-close").tap()
    expect(page.locator("#account")).to_be_hidden()


def test_a_target_that_a_thumb_misses_is_found(chromium: Browser) -> None:
    """The tests above would notice: of the two rows of buttons, one is too small."""
    with open_page(chromium, PHONE) as (_, page):
        page.set_content(
            "<!doctype html><html lang=en><title>t</title><main><h1>t</h1>"
            "<p><button style='width:44px;height:44px'>a</button></p>"
            "<p><button class=small>b</button><button class=small>c</button></p>"
            "<style>.small { width: 15px; height: 15px; padding: 0; border: 0 }</style>"
        )
        found = violations(page)
        assert len(found) == 2, found
        assert all(fault.startswith("target-size") for fault in found)


@both
def test_a_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with open_page(chromium, PHONE, locale=locale) as (context, page):
        page.goto(f"{api.url}/app")
        expect(page.locator("#pairing")).to_be_visible()
        found = {"connect": tab_faults(page)}
        page.locator("#pair-token").fill(api.token("ada"))
        page.keyboard.press("Enter")
        expect(page.locator("label[data-type=phishing]")).to_be_visible()
        found["start"] = tab_faults(page)
        page.locator("textarea#message").focus()
        page.keyboard.type(SCAMS[language])
        page.keyboard.press("Control+Enter")
        card = page.get_by_role("article", name=words("verdict.scam"))
        expect(card.locator("#heading")).to_be_focused()
        wrong = card.get_by_role("button", name=words("feedback.wrong"))
        expect(wrong).to_be_visible()
        found["verdict"] = tab_faults(page)
        card.locator("summary").press("Enter")
        card.get_by_role("radio", name=words("happened.clicked")).focus()
        page.keyboard.press("ArrowDown")
        expect(card.locator(".steps li").first).to_be_visible()
        found["what happened"] = tab_faults(page)
        wrong.press("Enter")
        dialog = page.get_by_role("dialog", name=words("dialog.title"))
        expect(dialog).to_be_visible()
        found["objection"] = tab_faults(page)
        page.keyboard.press("Escape")
        expect(wrong).to_be_focused()
        page.locator("#account-button").press("Enter")
        expect(page.locator("#who")).to_contain_text("ada")
        found["settings"] = tab_faults(page)
        page.keyboard.press("Escape")
        expect(page.locator("#account-button")).to_be_focused()
        page.locator("button.back").press("Enter")
        expect(page.locator("textarea#message")).to_be_focused()
        context.set_offline(True)
        page.keyboard.type("Lunch at noon?")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#failure #heading")).to_be_focused()
        found["failed, history"] = tab_faults(page)
        page.locator("#clear").press("Enter")
        expect(page.locator("#ask")).to_be_visible()
        found["question"] = tab_faults(page)
        page.keyboard.press("Escape")
        expect(page.locator("#clear")).to_be_focused()
        context.set_offline(False)
    assert {where: faults for where, faults in found.items() if faults} == {}


@both
def test_text_of_twice_the_size_is_read_without_loss(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with open_page(chromium, PHONE, locale=locale) as (context, page):
        page.goto(f"{api.url}/app")
        expect(page.locator("#pairing")).to_be_visible()
        small = sizes_of_text(page)
        session = enlarge_text(page, 200)
        expect(page.locator("#pairing-title")).to_have_css("font-size", "56px")
        large = sizes_of_text(page)
        assert large == [2 * size for size in small]
        found = {"connect": lost(page)}
        page.locator("#pair-token").fill(api.token("ada"))
        page.locator("#pair-form button").tap()
        expect(page.locator("label[data-type=phishing]")).to_be_visible()
        found["start"] = lost(page)
        judge_in_words(page, words, SCAMS[language])
        card = page.get_by_role("article", name=words("verdict.scam"))
        expect(card).to_be_visible()
        card.locator("summary").tap()
        card.get_by_role("radio", name=words("happened.paid")).tap()
        found["verdict"] = lost(page)
        card.get_by_role("button", name=words("feedback.wrong")).tap()
        expect(page.get_by_role("dialog", name=words("dialog.title"))).to_be_visible()
        found["objection"] = lost(page)
        page.keyboard.press("Escape")
        page.locator("#account-button").tap()
        expect(page.locator("#account")).to_be_visible()
        found["settings"] = lost(page)
        page.locator("#account-close").tap()
        page.locator("button.back").tap()
        judge_in_words(page, words, "perhaps it is so")
        expect(page.get_by_role("article", name=words("verdict.unsure"))).to_be_visible()
        found["unsure"] = lost(page)
        page.locator("button.back").tap()
        context.set_offline(True)
        judge_in_words(page, words, "Lunch at noon?")
        expect(page.locator("#failure article")).to_be_visible()
        found["failed, history"] = lost(page)
        context.set_offline(False)
        session.detach()
    assert {where: faults for where, faults in found.items() if faults} == {}


def lost(page: Page) -> list[str]:
    """Return what of the large text is cut off or out of the page."""
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "32px"
    return runs_out(page)


def sizes_of_text(page: Page) -> list[float]:
    """Return the size in CSS pixels of each piece of text that is shown."""
    found: list[float] = page.evaluate(
        """() => [...document.body.querySelectorAll("*")].filter(
          (each) => each.checkVisibility() && [...each.childNodes].some(
            (node) => node.nodeType === Node.TEXT_NODE && node.data.trim()))
          .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
    )
    return found
