"""What the server refuses, and what fails on the phone, is told in the reader's language."""

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.tongues import SCAMS, Words, both, connected, english_on, judge_in_words
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@both
def test_a_refused_answer_is_told_in_words_of_the_phone(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    """The server has deleted the scan, by way of another phone."""
    words = Words(language)
    with connected(chromium, api, words, locale=locale, service_workers="block") as page:
        judge_in_words(page, words, SCAMS[language])
        card = page.get_by_role("article", name=words("verdict.scam"))
        expect(card).to_be_visible()
        with api.client("ada") as ada:
            ada.erase_scan(ada.scans().items[0].id)
        card.get_by_role("button", name=words("feedback.correct")).tap()
        failed = page.locator(".opinion.failed")
        expect(failed).to_contain_text(words("feedback.failed", reason=words("error.gone")))
        if language != "en":
            assert english_on(page, words) == []


def test_a_refusal_that_only_a_newer_server_knows_is_told_in_general_words(
    chromium: Browser, api: RunningApi
) -> None:
    words = Words("ar")
    problem = {
        "type": "/problems/moon-phase",
        "status": 451,
        "detail": "Wait for the full moon.",
        "message": "Wait for the full moon.",
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=451, json=problem, content_type="application/problem+json")

    with connected(chromium, api, words, locale="ar-SA", service_workers="block") as page:
        page.route("**/api/v2/scans", refuse)
        judge_in_words(page, words, SCAMS["ar"])
        failed = page.get_by_role("article", name=words("card.problem"))
        why = words("error.unknown", status="451")
        expect(failed).to_contain_text(words("failed.other", why=why))
        expect(page.locator("body")).not_to_contain_text("moon")


def test_a_code_that_is_typed_without_a_network_is_answered_in_words_of_the_phone(
    chromium: Browser, api: RunningApi
) -> None:
    words = Words("ar")
    with open_page(chromium, PHONE, locale="ar-SA") as (context, page):
        page.goto(f"{api.url}/app")
        page.get_by_label(words("connect.label")).fill("ABCDE-12345")
        context.set_offline(True)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        expect(page.locator("#pair-problem")).to_have_text(words("error.offline"))
