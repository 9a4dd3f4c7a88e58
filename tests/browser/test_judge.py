"""The judge on the phone, by taps: offline, asked for, reported, in two languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages import push
from shield.wire import ReviewAction
from tests.browser.world import scan, violations
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.judge import make_stable, version_with_judge
from tests.support.judging_phone import (
    choose,
    choose_asking,
    connect,
    judging_world,
    sign_in,
    texts_in,
    wait_for_judge,
    wait_for_known,
)
from tests.support.packages import CHAT, LURES, linear_package
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """An API whose stable version brings a judge."""
    with judging_world(tmp_path) as running:
        yield running


def test_a_phone_in_flight_mode_judges_by_itself(chromium: Browser, api: RunningApi) -> None:
    with open_page(chromium, PHONE) as (context, page):
        sent = connect(page, api)
        context.set_offline(True)
        page.reload()  # from nothing: the page, its words and the judge are on the phone
        scan(page, LURES[0])
        card = page.locator("article.result")
        expect(card.get_by_role("heading", level=1)).to_have_text("Looks like a scam")
        expect(card).to_contain_text("Judged on this phone by sms-v1")
        expect(card).to_contain_text("Nothing was sent.")
        expect(card.locator("section.why li").first).to_be_visible()
        expect(card.locator("section.advice p").first).to_contain_text("Do not answer, pay, call")
        assert violations(page) == []
        scan(page, CHAT[0])
        expect(card.locator("section.why")).to_contain_text("There is no link in it.")
        expect(card.get_by_role("heading", level=1)).to_have_text("Looks harmless")
        scan(page, "\U0001f389\U0001f389")
        expect(card.get_by_role("heading", level=1)).to_have_text("We are not sure")
        context.set_offline(False)
        assert texts_in(sent, LURES[0], CHAT[0]) == []


def test_a_text_goes_to_the_server_when_its_owner_asks(chromium: Browser, api: RunningApi) -> None:
    text = "You win the pub quiz, see you there"
    with open_page(chromium, PHONE) as (_, page):
        sent = connect(page, api)
        scan(page, text)
        assert texts_in(sent, text) == []
        page.get_by_role("button", name="Ask the server").tap()
        card = page.locator("article.result")
        expect(card).not_to_contain_text("on this phone")
        expect(card).to_contain_text("Judged by sms-v1")
        assert texts_in(sent, text) == [f"{api.url}/api/v2/scans"]
        choose_asking(page, "always")
        scan(page, LURES[1])
        expect(card).to_contain_text("Judged by sms-v1")
        assert len(texts_in(sent, LURES[1])) == 1
    with api.client("rita", "reviewer") as reviewer:
        assert reviewer.device_counts()[0].judged_again == 2


def test_never_means_never_also_where_the_phone_has_no_judge(
    chromium: Browser, api: RunningApi, tmp_path: Path
) -> None:
    with open_page(chromium, PHONE) as (_, page):
        sent = connect(page, api)
        choose_asking(page, "never")
        for text in (*LURES[:3], *CHAT[:3]):
            scan(page, text)
        page.locator("button.back").tap()
        page.locator("label[data-type=voice]").tap()
        page.get_by_label("The message").fill(LURES[4])
        page.get_by_role("button", name="Scan", exact=True).tap()
        expect(page.locator("#failure")).to_contain_text("you chose that nothing is sent")
        assert texts_in(sent, *LURES, *CHAT) == []
        page.reload()
        page.locator("#account-button").click()
        expect(page.locator("#asking input[value=never]")).to_be_checked()


def test_a_report_on_the_phones_verdict_is_judged_again(chromium: Browser, api: RunningApi) -> None:
    text = "Are you coming to win the quiz with us tonight? I made soup"
    with open_page(chromium, PHONE) as (context, page):
        connect(page, api)
        context.set_offline(True)
        scan(page, text)
        card = page.locator("article.result")
        told = card.get_by_role("heading", level=1).inner_text()
        if told == "We are not sure":
            page.get_by_role("button", name="It is harmless").tap()
        else:
            page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        context.set_offline(False)
        expect(page.locator(".opinion.sent")).to_be_visible()
        page.reload()
        page.locator("#recent-list button").first.tap()
        expect(card).to_contain_text("Judged on this phone by sms-v1")
        assert page.locator("#recent-list li").count() == 1, "the server's copy is no second scan"
    with api.client("rita", "reviewer") as reviewer:
        (item,) = reviewer.pending().items
        assert (item.corrected_label, item.scan.text) == ("ham", text)
        (row,) = reviewer.device_counts()
        assert (row.judged_again, row.disagreed) == (1, 1)


@pytest.mark.parametrize("button", ["Delete this scan", "Delete all"])
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_deleted_message_is_deleted_on_the_server_though_its_report_was_under_way(
    chromium: Browser, api: RunningApi, button: str, is_lost: bool
) -> None:
    """It has arrived, and its answer is lost; or it arrives once the message is deleted here."""
    held: list[Route] = []

    def meet(route: Route) -> None:
        if is_lost and not held:
            route.fetch()
        held.append(route)
        if is_lost:
            route.abort("connectionreset")

    with (
        open_page(chromium, PHONE, service_workers="block") as (_, page),
        api.client("ada") as ada,
    ):
        sign_in(page, api)
        wait_for_judge(page, "sms-v1")
        page.route("**/api/v2/device/reports", meet)
        scan(page, LURES[0])
        page.get_by_role("button", name="Correct").tap()
        wait_until(lambda: len(held) > 0, page=page)
        if button == "Delete all":
            page.get_by_role("button", name="Scan another").tap()
        page.get_by_role("button", name=button).tap()
        page.get_by_role("dialog").get_by_role("button", name=button).tap()
        expect(page.locator("#recent-list li")).to_have_count(0)
        expect(page.locator("#home")).to_be_visible()
        assert len(ada.scans().items) == int(is_lost)
        with page.expect_response(
            lambda each: each.request.method == "DELETE" and "before" not in each.url
        ):
            if not is_lost:
                held.pop().continue_()
            page.unroute("**/api/v2/device/reports")
            page.evaluate("window.dispatchEvent(new Event('online'))")
        wait_until(lambda: ada.scans().items == [], page=page, pause_seconds=0.2)
        expect(page.locator("#recent-list li")).to_have_count(0)


def test_a_scam_that_reviewers_have_decided_is_known_in_flight_mode_until_it_is_taken_back(
    chromium: Browser, api: RunningApi
) -> None:
    decided = "Are you coming for lunch? Your seat 4711 waits at https://seat-pay.example/a today"
    copy = "ARE you coming for lunch?? Your seat 12 waits at http://x.seat-pay.example/zz, today"
    elsewhere = decided.replace("seat-pay", "lunch")
    with api.client("rita", "reviewer") as rita, api.client("otto", "reviewer") as otto:
        for user, reviewer in (("ben", rita), ("cat", otto)):
            with api.client(user) as client:
                found = client.scan(ScanType.TEXT, decided)
                said = client.send_feedback(found.id, FeedbackType.FALSE_NEGATIVE)
            reviewer.review(said.id, ReviewAction.APPROVE)
        (entry,) = rita.known()
        with open_page(chromium, PHONE) as (context, page):
            sent = connect(page, api)
            context.set_offline(True)
            page.reload()
            card = page.locator("article.result")
            scan(page, copy)
            expect(card.get_by_role("heading", level=1)).to_have_text("Looks like a scam")
            expect(card).to_contain_text("People have looked at messages like this one")
            expect(card).to_contain_text("People reported this message, and reviewers found a scam")
            expect(card).not_to_contain_text("Nothing single gives it away")
            expect(card).to_contain_text("Nothing was sent.")
            assert violations(page) == []
            scan(page, elsewhere)
            expect(card).not_to_contain_text("reviewers found a scam")
            choose_in_arabic(page)
            page.locator("#recent-list button").last.tap()
            expect(card).to_contain_text("ووجد المراجعون أنها احتيال")
            assert violations(page) == []
            context.set_offline(False)
            assert texts_in(sent, decided, copy, elsewhere) == []
            api.clock.move_on(60)
            rita.undo_known(entry.id, "it was lunch")
            page.reload()
            wait_for_known(page, 0)
            context.set_offline(True)
            page.locator("#message").fill(copy)
            page.locator("#scan").tap()
            expect(card.locator("blockquote")).to_have_text(copy)
            expect(card).not_to_contain_text("ووجد المراجعون أنها احتيال")
            context.set_offline(False)


def choose_in_arabic(page: Page) -> None:
    page.locator("button.back").tap()
    choose(page, "language", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")


def test_an_undo_reaches_the_phone_when_it_is_opened(
    chromium: Browser, api: RunningApi, tmp_path: Path
) -> None:
    better = version_with_judge(tmp_path / "better", random=True).package
    none = linear_package(tmp_path / "none").package
    stable = api.services.rollouts.get("sms").status.stable
    assert stable is not None
    with open_page(chromium, PHONE) as (context, page), api.client("ada", "admin") as admin:
        connect(page, api)
        first = version_with_judge(tmp_path / "first").package
        assert first.digest == stable.digest
        for name, package in (("sms-v2", better), ("sms-v3", none)):
            push(api.services.artifacts, package.path)
            make_stable(api.services.rollouts, name, package, before=first)
            page.wait_for_timeout(500)
            page.reload()
            wait_for_judge(page, "sms-v2" if package is better else None)
        admin.undo_rollout(ModelType.SMS, "it errs")
        page.reload()
        wait_for_judge(page, "sms-v1")
        shown_in_arabic(page, context)


def shown_in_arabic(page: Page, context: BrowserContext) -> None:
    choose(page, "language", "ar")
    context.set_offline(True)
    page.locator("#message").fill(LURES[0])
    page.locator("#scan").tap()
    card = page.locator("article.result")
    expect(card).to_contain_text("اسأل الخادم")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert violations(page) == []
    context.set_offline(False)
