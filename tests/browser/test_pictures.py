"""Text in a screenshot is read on the phone, by taps, in both directions, offline too."""

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Request, Route, expect
from rapidfuzz.fuzz import ratio

from tests.browser.tongues import Words, both, connected, judge_in_words
from tests.browser.world import violations
from tests.support.api import RunningApi
from tests.support.screenshots import Look, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MESSAGES = {
    "en": "You win! Your parcel is held. Pay the fee today at https://win-pay.example/x",
    "ar": "مبروك! طردك محتجز في المستودع. ادفع الرسوم اليوم: https://win-pay.example/x",
}


def pick(page: Page, picture: bytes) -> None:
    page.locator("#file").set_input_files(
        FilePayload(name="screenshot.png", mimeType="image/png", buffer=picture)
    )


@both
def test_a_screenshot_is_read_on_the_phone_and_without_a_network_too(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, text = Words(language), MESSAGES[language]
    bright, dark = (screenshot(chromium, text, look) for look in (Look(), Look(dark=True)))
    sent: list[Request] = []
    with connected(chromium, api, words, locale=locale) as page:
        page.context.on("request", lambda request: sent.append(request))
        field = page.get_by_label(words("input.label"))
        pick(page, bright)
        dialog = page.get_by_role("dialog", name=words("picture.title"))
        expect(dialog.get_by_label(words("picture.language"))).to_have_value(language)
        expect(dialog.locator("#picture-size")).not_to_have_text(words("picture.ready"))
        assert violations(page) == []
        assert not any("picture" in request.url for request in sent), "fetched before it was wanted"

        dialog.get_by_role("button", name=words("cancel")).tap()
        expect(field).to_have_value("")
        pick(page, bright)
        dialog.get_by_role("button", name=words("picture.read")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("picture.done"))
        assert ratio(field.input_value(), text) >= 92, field.input_value()
        assert "https://win-pay.example/x" in field.input_value()

        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        page.context.set_offline(True)
        page.reload()
        field.fill("")
        pick(page, dark)
        expect(dialog.locator("#picture-size")).to_have_text(words("picture.ready"))
        dialog.get_by_role("button", name=words("picture.read")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("picture.done"))
        assert ratio(field.input_value(), text) >= 90, field.input_value()
        assert [each.url for each in sent if each.method != "GET"] == []

        page.context.set_offline(False)
        judge_in_words(page, words, field.input_value())
        expect(page.get_by_role("heading", name=words("verdict.scam"))).to_be_visible()


def test_loading_is_cancelled_and_what_cannot_be_loaded_or_read_is_said(
    chromium: Browser, api: RunningApi
) -> None:
    words = Words("en")
    blank, held = screenshot(chromium, " "), list[Route]()
    with connected(chromium, api, words, locale="en-GB", service_workers="block") as page:
        dialog = page.get_by_role("dialog", name=words("picture.title"))
        read = dialog.get_by_role("button", name=words("picture.read"))
        page.route("**/picture-engine-*", lambda route: held.append(route))
        pick(page, blank)
        read.tap()
        expect(dialog.get_by_role("status")).to_have_text(words("picture.loading"))
        dialog.get_by_role("button", name=words("cancel")).tap()
        expect(dialog).to_be_hidden()

        page.unroute("**/picture-engine-*")
        page.context.set_offline(True)
        pick(page, blank)
        read.tap()
        expect(dialog.get_by_role("alert")).to_have_text(words("picture.failed"))
        page.context.set_offline(False)
        read.tap()
        expect(page.locator("#toasts")).to_contain_text(words("picture.none"))
        expect(dialog).to_be_hidden()


def test_the_worker_may_run_web_assembly_and_reach_nobody(
    chromium: Browser, api: RunningApi
) -> None:
    with connected(chromium, api, Words("en"), locale="en-GB") as page:
        with page.expect_request("**/app/pictures/*") as worker:
            pick(page, screenshot(chromium, "Lunch at twelve?"))
            page.get_by_role("button", name=Words("en")("picture.read")).tap()
        expect(page.get_by_label(Words("en")("input.label"))).to_have_value("Lunch at twelve?")
        policy = page.request.get(worker.value.url).headers["content-security-policy"]
        assert policy == "default-src 'none'; script-src 'wasm-unsafe-eval'"
        app = page.request.get(f"{api.url}/app").headers["content-security-policy"]
        assert "wasm" not in app
        assert page.request.get(f"{api.url}/app/pictures/other.js").status == 404
