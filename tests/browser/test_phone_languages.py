"""The phone in its reader's language: told, helped and heard, by taps, in both directions."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Request, expect

from shield.labels import ModelType
from shield.wire import ReviewAction
from tests.browser.keyboard import runs_out
from tests.browser.tongues import (
    LANGUAGES,
    SCAMS,
    Words,
    both,
    connected,
    english_on,
    judge_in_words,
)
from tests.browser.world import on_the_phone, scan, violations, world
from tests.support.api import RunningApi
from tests.support.arms import deploy, judges_by_word, model_server
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@both
def test_a_person_is_told_helped_and_heard_in_their_language(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, locale=locale) as page:
        assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [
            language,
            "rtl" if language == "ar" else "ltr",
        ]
        judge_in_words(page, words, SCAMS[language])
        card = page.get_by_role("article", name=words("verdict.scam"))
        expect(card).to_contain_text(words("certainty.sure"))
        expect(card.get_by_role("region", name=words("now.title"))).to_be_visible()
        expect(card.get_by_role("region", name=words("card.why")).locator("li")).not_to_have_count(
            0
        )
        card.get_by_text(words("happened.title")).tap()
        card.get_by_role("radio", name=words("happened.paid")).tap()
        steps = card.locator(".steps li")
        expect(steps.first).to_have_text(words("step.bank"))
        expect(steps.last).to_have_text(words("step.recovery"))
        card.get_by_role("button", name=words("share.button")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("share.copied"))
        warning = page.evaluate("navigator.clipboard.readText()")
        assert words("share.link") in warning
        assert ".example" not in warning
        assert violations(page) == []
        card.get_by_role("button", name=words("feedback.wrong")).tap()
        dialog = page.get_by_role("dialog", name=words("dialog.title"))
        expect(dialog.get_by_role("radio", name=words("dialog.harmless"))).to_be_checked()
        dialog.get_by_role("button", name=words("dialog.send")).tap()
        expect(card).to_contain_text(words("feedback.said.harmless"))
        expect(card).to_contain_text(words("feedback.sent"))
        expect(steps.first).to_be_visible()  # what was opened stays open
        if language != "en":
            assert english_on(page, words) == []
        page.go_back()
        expect(page.get_by_role("heading", name=words("history.title"))).to_be_visible()
        expect(page.locator("#recent-list")).to_contain_text(words("row.sent"))
        assert violations(page) == []
        if language != "en":
            assert english_on(page, words) == []


@both
def test_a_failed_scan_leaves_no_former_answer_and_says_what_happened(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, locale=locale) as page:
        judge_in_words(page, words, "Lunch at noon?")
        expect(page.get_by_role("article", name=words("verdict.harmless"))).to_be_visible()
        page.get_by_role("button", name=words("again")).tap()
        page.context.set_offline(True)
        judge_in_words(page, words, SCAMS[language])
        failed = page.get_by_role("article", name=words("card.problem"))
        expect(failed).to_contain_text(words("failed.offline"))
        expect(page.get_by_text(words("verdict.harmless"))).to_have_count(0)
        expect(page.get_by_label(words("input.label"))).to_have_value(SCAMS[language])
        assert violations(page) == []
        page.context.set_offline(False)
        page.route("**/api/v2/scans", lambda route: route.fulfill(status=503, json={}))
        page.get_by_role("button", name=words("retry")).tap()
        expect(failed).to_contain_text(words("failed.notYet"))
        page.unroute("**/api/v2/scans")
        page.get_by_role("button", name=words("retry")).tap()
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()


@both
def test_scans_are_deleted_one_by_one_or_all_and_the_server_deletes_them_too(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with (
        api.client("ada") as ada,
        connected(chromium, api, words, locale=locale, service_workers="block") as page,
    ):
        for text in ("Lunch at noon?", SCAMS[language]):
            judge_in_words(page, words, text)
            page.get_by_role("button", name=words("again")).tap()
        page.get_by_role("button", name="Lunch at noon?").tap()
        page.get_by_role("button", name=words("history.delete")).tap()
        question = page.get_by_role("dialog", name=words("history.delete"))
        expect(question).to_contain_text(words("history.deleteQuestion"))
        question.get_by_role("button", name=words("history.delete")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("history.deleted"))
        assert [each.text for each in ada.scans()] == [SCAMS[language]]
        # Offline: gone here at once, and there when the network is back.
        page.context.set_offline(True)
        page.get_by_role("button", name=words("history.clear")).tap()
        page.get_by_role("dialog").get_by_role("button", name=words("history.clear")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("history.deletedHere"))
        expect(page.locator("#recent-list li")).to_have_count(0)
        assert len(ada.scans().items) == 1
        page.context.set_offline(False)
        wait_until(lambda: ada.scans().items == [], "the server keeps what was deleted", page=page)


def test_another_language_is_chosen_and_everything_is_said_in_it(
    chromium: Browser, api: RunningApi
) -> None:
    german = Words("de")
    with on_the_phone(chromium, api) as page:
        scan(page, SCAMS["en"])
        expect(page.locator(".why")).to_contain_text("It asks you to pay")
        page.get_by_role("button", name="Your account").tap()
        page.get_by_role("dialog").get_by_label("Language").select_option("de")
        expect(page.get_by_role("dialog", name=german("account.title"))).to_be_visible()
        page.get_by_label(german("account.country")).select_option("AT")
        page.get_by_role("button", name=german("done")).tap()
        card = page.get_by_role("article", name=german("verdict.scam"))
        expect(card.locator(".why")).to_contain_text("Sie sollen zahlen")
        expect(card.locator(".advice")).to_contain_text("watchlist-internet.at")
        page.reload()  # it is kept
        expect(page.get_by_role("heading", name=german("title"))).to_be_visible()
        assert english_on(page, german) == []


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API that judges messages, mails and links."""
    with (
        world(tmp_path) as api,
        model_server(ModelType.PHISHING, judge=judges_by_word) as arm,
    ):
        deploy(api.services.rollouts, arm, version="phishing-v1", model_type=ModelType.PHISHING)
        wait_until(lambda: api.services.router.split(ModelType.PHISHING), "the split is not seen")
        yield api


def test_a_picture_of_a_qr_code_is_read_on_the_device(chromium: Browser, mails: RunningApi) -> None:
    picture = io.BytesIO()
    segno.make("https://win-a-phone.example/now").save(picture, kind="png", scale=6, border=4)
    sent: list[Request] = []
    with on_the_phone(chromium, mails) as page:
        expect(page.get_by_role("radio", name="Mail or link")).to_be_visible()
        page.on("request", lambda request: sent.append(request))
        file = page.locator("#file")
        file.set_input_files(
            {"name": "qr.png", "mimeType": "image/png", "buffer": picture.getvalue()}
        )
        expect(page.locator("#toasts")).to_contain_text("Read from the QR code.")
        expect(page.get_by_label("The message")).to_have_value("https://win-a-phone.example/now")
        expect(page.get_by_role("radio", name="Mail or link")).to_be_checked()
        assert [each.url for each in sent if each.method != "GET"] == []
        file.set_input_files({"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"})
        expect(page.locator("#toasts")).to_contain_text("cannot be opened")
        page.get_by_role("button", name="Scan", exact=True).tap()
        expect(page.get_by_text("Judged by phishing-v1")).to_be_visible()
        expect(page.get_by_role("heading", name="Looks like a scam")).to_be_visible()


@both
def test_people_hear_what_became_of_their_report_once_and_offline_too(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, locale=locale) as page:
        judge_in_words(page, words, "We win together, see you at practice")
        page.get_by_role("button", name=words("feedback.wrong")).tap()
        page.get_by_role("button", name=words("dialog.send")).tap()
        expect(page.locator(".opinion.sent")).to_be_visible()
        with api.client("rita", "reviewer") as rita:
            rita.review(rita.pending().items[0].id, ReviewAction.APPROVE)
        notice = page.locator("#inbox article")

        def told() -> bool:
            page.reload()
            page.locator("#recent-list li").first.wait_for()
            page.wait_for_load_state("networkidle")
            return notice.count() == 1

        wait_until(told, "nobody was told", page=page)
        expect(notice.get_by_role("button", name=words("inbox.open"))).to_be_visible()
        assert violations(page) == []
        if language != "en":
            assert english_on(page, words) == []
        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        page.context.set_offline(True)
        page.reload()
        expect(notice).to_be_visible()
        notice.get_by_role("button", name=words("inbox.read")).tap()
        expect(notice).to_have_count(0)
        page.reload()
        expect(page.locator("#recent-list li")).to_have_count(1)
        expect(notice).to_have_count(0)
        page.context.set_offline(False)
        with api.client("ada") as ada:
            wait_until(lambda: ada.inbox().unread == 0, "the mark was never sent", page=page)


def test_every_language_fits_a_narrow_phone_in_both_themes(
    chromium: Browser, api: RunningApi
) -> None:
    """At 320 px, which is 1280 px at 400 %, nothing runs out of the page."""
    with on_the_phone(chromium, api, color_scheme="dark") as page:
        scan(page, SCAMS["ar"])
        page.set_viewport_size({"width": 320, "height": 640})
        for language in LANGUAGES:
            words = Words(language)
            page.locator("#account-button").tap()
            page.locator("#language").select_option(language)
            account = page.get_by_role("dialog", name=words("account.title"))
            expect(account).to_be_visible()
            assert runs_out(page) == [], language
            account.get_by_role("button", name=words("done"), exact=True).tap()
            expect(page.get_by_role("heading", name=words("verdict.scam"))).to_be_visible()
            assert runs_out(page) == [], language
            page.get_by_role("button", name=words("again")).tap()
            expect(page.get_by_role("heading", name=words("title"))).to_be_visible()
            assert runs_out(page) == [], language
            page.locator("#recent-list button").tap()
        assert violations(page) == []
