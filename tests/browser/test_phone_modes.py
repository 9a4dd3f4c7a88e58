"""Who judges one's messages (never, ask, always), reports, dates and deleting, in two languages.

A proxy sees all that leaves the phone, what its service worker sends included.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.tongues import Words, both, connected, english_on, judge_in_words
from tests.browser.world import violations
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.judging_phone import choose_asking, judging_world, sign_in, wait_for_judge
from tests.support.looks import look
from tests.support.packages import CHAT, LURES
from tests.support.tap import Tap, tapped
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """An API whose stable version brings a judge for text messages, and none for calls."""
    with judging_world(tmp_path_factory.mktemp("modes")) as running:
        yield running


def judged(page: Page, words: Words, text: str, by: str) -> Locator:
    """Scan a message, and wait for the card that says who judged it."""
    back = page.get_by_role("button", name=words("again"))
    if page.locator("#result").is_visible():
        back.tap()
    judge_in_words(page, words, text)
    card = page.locator("article.result")
    expect(card.locator("blockquote")).to_have_text(text)
    expect_judged(card, words, by)
    return card


def expect_judged(card: Locator, words: Words, by: str) -> None:
    """Wait for who judged, and no more: Arabic has "on this phone" behind the version."""
    told = re.compile(f"(^| · ){re.escape(words(by, version='sms-v1'))}$")
    expect(card.locator("[part=version]")).to_have_text(told)


@both
def test_who_judges_is_asked_remembered_and_kept_to(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, user = Words(language), f"mo-{language}"
    with (
        tapped() as tap,
        connected(chromium, api, words, user, locale=locale, proxy=tap.proxy) as page,
    ):
        wait_for_judge(page, "sms-v1")
        _asks_by_itself(page, words, tap, language)
        _always_sends(page, words, tap, language)
        _never_sends(page, words, tap, language)
        assert {f"http://{host}" for host in tap.hosts} == {api.url}


def _asks_by_itself(page: Page, words: Words, tap: Tap, language: str) -> None:
    page.locator("#account-button").tap()
    expect(page.get_by_role("radio", name=words("asking.ask"))).to_be_checked()
    page.get_by_role("button", name=words("done"), exact=True).tap()
    card = judged(page, words, LURES[0], "card.version.device")
    expect(card.get_by_role("heading", level=1)).to_have_text(words("verdict.scam"))
    expect(card).to_contain_text(words("feedback.nothing-sent"))
    look(page, f"mode-ask-{language}")
    assert tap.sent_any(LURES[0]) == []
    card.get_by_role("button", name=words("feedback.ask-server")).tap()
    expect_judged(card, words, "card.version")
    assert tap.sent_any(LURES[0]) == [LURES[0]], "the proxy does not see what is sent"


def _always_sends(page: Page, words: Words, tap: Tap, language: str) -> None:
    page.get_by_role("button", name=words("again")).tap()
    page.locator("#account-button").tap()
    page.get_by_role("group", name=words("asking.title")).get_by_text(words("asking.always")).tap()
    said = page.get_by_role("dialog").get_by_text(words("account.saved"))
    expect(said).to_be_visible()  # behind the dialog nobody would hear it
    look(page, f"mode-account-{language}")
    assert violations(page) == []
    page.reload()
    page.locator("#account-button").tap()
    expect(page.get_by_role("radio", name=words("asking.always"))).to_be_checked()
    page.get_by_role("button", name=words("done"), exact=True).tap()
    judged(page, words, CHAT[0], "card.version")
    assert tap.sent_any(CHAT[0]) == [CHAT[0]]
    page.context.set_offline(True)
    judged(page, words, CHAT[1], "card.version.device")
    page.context.set_offline(False)
    assert tap.sent_any(CHAT[1]) == []


def _never_sends(page: Page, words: Words, tap: Tap, language: str) -> None:
    ask = page.get_by_role("button", name=words("feedback.ask-server"))
    expect(ask).to_be_visible()
    choose_asking(page, "never")
    expect(ask).to_have_count(0)  # of the answer that is open, too
    page.reload()
    for text in (LURES[1], CHAT[2]):
        card = judged(page, words, text, "card.version.device")
        expect(card).to_contain_text(words("feedback.stays-here"))
        expect(card).not_to_contain_text(words("feedback.nothing-sent"))
        expect(card).to_contain_text(words("feedback.report-sends"))
        expect(ask).to_have_count(0)
    look(page, f"mode-never-{language}")
    assert violations(page) == []
    page.get_by_role("button", name=words("again")).tap()
    page.locator("label[data-type=voice]").tap()
    judge_in_words(page, words, LURES[4])
    failed = page.get_by_role("article", name=words("card.problem"))
    expect(failed).to_contain_text(words("failed.nobodyHere"))
    look(page, f"mode-never-nobody-{language}")
    page.wait_for_load_state("networkidle")
    assert tap.sent_any(LURES[1], CHAT[2], LURES[4]) == []


CHANGE = """([name, version, stores]) => new Promise((done, failed) => {
  const open = indexedDB.open(name, version);
  open.onupgradeneeded = () => stores.forEach(([store, ...kept]) => {
    const made = open.result.createObjectStore(store);
    if (kept.length) made.put(...kept);
  });
  open.onsuccess = () => done(open.result.close());
  open.onerror = () => failed(open.error);
})"""
"""Opens a database as another release does."""


def test_where_the_choice_cannot_be_read_nothing_leaves_until_it_can_be(
    chromium: Browser, api: RunningApi
) -> None:
    words, judge = Words("en"), "antispam-shield-judge"
    with tapped() as tap, connected(chromium, api, words, "odd", proxy=tap.proxy) as page:
        wait_for_judge(page, "sms-v1")
        page.evaluate(CHANGE, [judge, 99, []])  # of a later release, which this page cannot open
        page.reload()
        judge_in_words(page, words, LURES[2])
        failed = page.get_by_role("article", name=words("card.problem"))
        expect(failed).to_contain_text(words("failed.nobodyHere"))
        page.wait_for_load_state("networkidle")
        assert tap.sent_any(LURES[2]) == []
        page.evaluate(
            """(name) => new Promise((done, failed) => Object.assign(
                indexedDB.deleteDatabase(name), { onsuccess: () => done(), onerror: failed }))""",
            judge,
        )
        judge_in_words(page, words, CHAT[3])
        expect_judged(page.locator("article.result"), words, "card.version")
        assert tap.sent_any(CHAT[3]) == [CHAT[3]]


def test_a_phone_of_an_earlier_release_keeps_its_choice_and_both_releases_can_read_it(
    chromium: Browser, api: RunningApi
) -> None:
    words, judge = Words("en"), "antispam-shield-judge"
    stores = [["shelves"], ["known"], ["settings", "never", "asking"]]
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{api.url}/healthz")
        page.evaluate(CHANGE, [judge, 2, stores])
        sign_in(page, api)
        wait_for_judge(page, "sms-v1")
        page.locator("#account-button").tap()
        expect(page.get_by_role("radio", name=words("asking.never"))).to_be_checked()
        page.get_by_role("button", name=words("done"), exact=True).tap()
        judged(page, words, LURES[0], "card.version.device")
        page.evaluate(CHANGE, [judge, 2, []])  # a page of the earlier release opens it again


def judged_again(api: RunningApi) -> int:
    """Return how often the server has judged what a phone had judged."""
    with api.client("rita", "reviewer") as rita:
        return sum(row.judged_again for row in rita.device_counts())


@both
def test_a_report_on_the_phones_own_verdict_is_sent_once_online_and_answered(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, user, before = Words(language), f"rep-{language}", judged_again(api)
    text = f"Are you coming to win the quiz with us tonight? I made soup ({language})"
    with (
        tapped() as tap,
        connected(chromium, api, words, user, locale=locale, proxy=tap.proxy) as page,
    ):
        wait_for_judge(page, "sms-v1")
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.context.set_offline(True)
        card = judged(page, words, text, "card.version.device")
        if card.get_by_role("heading", level=1).inner_text() == words("verdict.unsure"):
            card.get_by_role("button", name=words("dialog.harmless")).tap()
        else:
            card.get_by_role("button", name=words("feedback.wrong")).tap()
            dialog = page.get_by_role("dialog", name=words("dialog.title"))
            dialog.get_by_label(words("dialog.comment")).fill("☂ quiz")
            dialog.get_by_role("button", name=words("dialog.send")).tap()
        expect(card).to_contain_text(words("feedback.waiting"))
        look(page, f"report-waiting-{language}")
        assert tap.sent_any(text) == []
        page.context.set_offline(False)
        expect(card).to_contain_text(words("feedback.sent"))
        if language != "en":
            assert english_on(page, words) == []
        assert bytes(tap.sent).count(text[:20].encode()) == 1
        with api.client(user) as reporter, api.client("rita", "reviewer") as rita:
            (there,) = reporter.scans().items
            assert there.text == text
            assert judged_again(api) == before + 1
            assert text in [item.scan.text for item in rita.pending().items]
            page.get_by_role("button", name=words("history.delete")).tap()
            question = page.get_by_role("dialog", name=words("history.delete"))
            question.get_by_role("button", name=words("history.delete")).tap()
            expect(page.locator("#recent-list li")).to_have_count(0)
            kept = "the report outlives the message on the server"
            wait_until(lambda: reporter.scans().items == [], kept, page=page)
            assert text not in [item.scan.text for item in rita.pending().items]


DATES = {
    "en": ("today, 09:30", "yesterday, 18:05", "2 March", "24 December 2025"),
    "ar": ("اليوم، ٩:٣٠ ص", "أمس، ٦:٠٥ م", "٢ مارس", "٢٤ ديسمبر ٢٠٢٥"),
}


@both
def test_earlier_scans_say_when_they_were_and_go_one_by_one_or_all(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    options = {"locale": locale, "timezone_id": "Europe/Berlin"}
    with connected(chromium, api, words, f"old-{language}", **options) as page:
        wait_for_judge(page, "sms-v1")
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.context.set_offline(True)
        moments = ("2025-12-24T12:00", "2026-03-02T23:30", "2026-03-10T18:05", "2026-03-11T09:30")
        for moment, text in zip(moments, CHAT, strict=False):
            page.clock.set_fixed_time(f"{moment}:00+01:00")
            judged(page, words, text, "card.version.device")
        page.get_by_role("button", name=words("again")).tap()
        rows = page.locator("#recent-list li")
        for number, (text, date) in enumerate(zip(CHAT[3::-1], DATES[language], strict=True)):
            expect(rows.nth(number)).to_contain_text(text)
            expect(rows.nth(number)).to_contain_text(date)
        look(page, f"history-{language}")
        assert violations(page) == []
        rows.nth(3).get_by_role("button").tap()
        card = page.locator("article.result")
        expect(card).to_contain_text(words("card.scanned", when=DATES[language][3]))
        page.get_by_role("button", name=words("history.delete")).tap()
        question = page.get_by_role("dialog", name=words("history.delete"))
        expect(question).to_contain_text(words("history.deleteQuestion"))
        look(page, f"history-delete-one-{language}")
        question.get_by_role("button", name=words("cancel")).tap()
        expect(card).to_be_visible()
        page.get_by_role("button", name=words("history.delete")).tap()
        question.get_by_role("button", name=words("history.delete")).tap()
        expect(rows).to_have_count(3)
        expect(page.locator("#recent-list")).not_to_contain_text(CHAT[0])
        page.get_by_role("button", name=words("history.clear")).tap()
        question = page.get_by_role("dialog", name=words("history.clear"))
        expect(question).to_contain_text(words("history.clearQuestion"))
        look(page, f"history-delete-all-{language}")
        question.get_by_role("button", name=words("history.clear")).tap()
        expect(rows).to_have_count(0)
        expect(page.get_by_role("heading", name=words("how.title"))).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name=words("how.title"))).to_be_visible()
        page.context.set_offline(False)
