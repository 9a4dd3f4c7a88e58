"""The reviewer's desk when things go wrong, or go on meanwhile: nothing is lost, nothing hidden."""

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from shield.wire import ReviewAction
from tests.browser.world import at_the_desk, report, shown, statuses
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_note_outlives_a_walk_a_reload_and_a_failure(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.get_by_label("Note").fill("ask Ruth first")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        expect(page.locator("#message")).not_to_have_text(text)
        page.keyboard.press("k")
        expect(page.get_by_label("Note")).to_have_value("ask Ruth first")
        page.reload()
        expect(page.get_by_label("Note")).to_have_value("ask Ruth first")
        page.context.set_offline(True)
        page.keyboard.press("a")
        expect(page.locator("#toasts")).to_contain_text("Not sent: You are offline.")
        expect(page.locator("a.entry[data-state=failed]")).to_have_count(1)
        page.context.set_offline(False)
        page.get_by_role("link", name=text).click()
        expect(page.get_by_label("Note")).to_have_value("ask Ruth first")
        page.keyboard.press("a")
        expect(page.locator("#toasts")).to_contain_text("approved")
    assert statuses(queue)[text] == "approved"
    with queue.client("rita", "reviewer", "admin") as admin:
        entries = [one for one in admin.audit().items if one.action == "feedback.approve"]
    assert [entry.reason for entry in entries] == ["ask Ruth first"]


def test_a_decision_that_was_not_sent_can_be_sent_again(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.context.set_offline(True)
        page.keyboard.press("r")
        again = page.get_by_role("button", name="Try again")
        expect(again).to_be_visible()
        page.context.set_offline(False)
        again.click()
        expect(page.locator("#toasts")).to_contain_text("rejected")
        expect(page.locator("a.entry[data-state=rejected]")).to_have_count(1)
    assert statuses(queue)[text] == "rejected"


def test_a_decision_whose_answer_got_lost_counts_once(chromium: Browser, queue: RunningApi) -> None:
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if not lost:
            lost.append(route.request.url)
            route.fetch()  # the server has it, the page never hears of it
            route.abort("connectionreset")
        else:
            route.continue_()

    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.route("**/decision", lose_the_first_answer)
        page.keyboard.press("a")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("a.entry[data-state=approved]")).to_have_count(1)
        expect(page.locator("#waiting")).to_have_text("2")
    assert statuses(queue)[text] == "approved"


def test_a_session_that_ends_keeps_what_was_written(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.get_by_label("Note").fill("looked it up")
        page.keyboard.press("Escape")
        page.context.clear_cookies()
        page.keyboard.press("a")
        page.get_by_role("link", name="Sign in again").click()
        page.get_by_label("Access token").fill(queue.token("rita", "reviewer", "admin"))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name=text).click()
        expect(page.get_by_label("Note")).to_have_value("looked it up")
    assert statuses(queue)[text] == "pending"


def test_a_claim_is_seen_by_both_and_ends_by_leaving(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        expect(page.locator("#claim")).to_contain_text("yours for 9:5")
        text = shown(page)
        with queue.client("paul", "reviewer") as paul:
            assert text not in {item.scan.text for item in paul.pending()}
            page.keyboard.press("j")
            expect(page.locator("#message")).not_to_have_text(text)
            expect(page.locator("#claim")).to_contain_text("yours for")
            assert text in {item.scan.text for item in paul.pending()}


def test_an_item_that_another_holds_says_who_and_until_when(
    chromium: Browser, queue: RunningApi
) -> None:
    with queue.client("paul", "reviewer") as paul:
        item = next(iter(paul.pending()))
    httpx.post(
        f"{queue.url}/api/v2/feedback/{item.id}/claim",
        headers={"Authorization": f"Bearer {queue.token('paul', 'reviewer')}"},
        timeout=PATIENCE_SECONDS,
    ).raise_for_status()
    with at_the_desk(chromium, queue) as page:
        page.goto(f"{queue.url}/review?item={item.id}")
        expect(page.locator("#claim")).to_contain_text("paul is reviewing it until")
        expect(page.locator("#claim")).to_contain_text("Take the next one.")
        page.keyboard.press("a")
        expect(page.locator("#toasts")).to_contain_text("paul is looking at")
        expect(page.locator("a.entry[data-state=taken]")).to_have_count(1)
    assert statuses(queue)[item.scan.text] == "pending"


def test_the_undo_button_stays_when_the_message_is_gone(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        expect(page.locator("#undo")).to_be_hidden()
        text = shown(page)
        page.keyboard.press("a")
        expect(page.locator("#toasts")).to_contain_text("approved")
        expect(page.locator("#tally")).to_have_text("1 decided")
        page.locator("#undo").click()
        expect(page.locator("#message")).to_have_text(text)
        expect(page.locator("#tally")).to_be_hidden()
    assert statuses(queue)[text] == "pending"


def test_a_decided_item_shows_its_decision_and_can_be_undone(
    chromium: Browser, queue: RunningApi
) -> None:
    with queue.client("rita", "reviewer") as rita:
        item = next(iter(rita.pending()))
        rita.review(item.id, ReviewAction.REJECT, "plainly wrong")
    with at_the_desk(chromium, queue) as page:
        page.goto(f"{queue.url}/review?item={item.id}")
        settled = page.locator(".settled")
        expect(settled).to_contain_text("Rejected by rita")
        expect(settled).to_contain_text("plainly wrong")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        settled.get_by_role("button", name="Undo this decision").click()
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
    assert statuses(queue)[item.scan.text] == "pending"


def test_a_decided_campaign_is_proposed_and_never_applied(
    chromium: Browser, api: RunningApi
) -> None:
    first = report(api, "user-0", "Your parcel waits, pay the fee at http://fee.example/1")
    with api.client("rita", "reviewer") as rita:
        rita.review(first.id, ReviewAction.APPROVE)
    report(api, "user-1", "Your parcel waits, pay the fee at http://fee.example/2")
    with at_the_desk(chromium, api) as page:
        expect(page.locator(".proposal")).to_contain_text("Decided before: approve.")
        expect(page.locator("a.entry")).to_contain_text("proposed: approve")
        expect(page.locator("button.proposed")).to_contain_text("Approve")
        similar = page.locator(".similar-row")
        expect(similar).to_contain_text("http://fee.example/1")
        expect(similar).to_contain_text("a scam")
        expect(page.locator("#waiting")).to_have_text("1")


def test_a_disguise_is_pointed_out(chromium: Browser, api: RunningApi) -> None:
    report(api, "eve", "Your p\u0430ypal is locked: http://paypal.example@198.51.100.7/x win")
    with at_the_desk(chromium, api) as page:
        traits = page.get_by_role("list", name="Worth knowing about this message")
        expect(traits).to_contain_text("reads paypal: look-alike letters")
        expect(traits).to_contain_text("leads to 198.51.100.7")


def test_an_empty_queue_fills_by_itself(chromium: Browser, api: RunningApi) -> None:
    with at_the_desk(chromium, api) as page:
        expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
        report(api, "ada", "You win a prize")
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#message")).to_have_text("You win a prize")


def test_new_arrivals_are_offered_while_one_works(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        shown(page)
        report(queue, "ada", "Something that nobody has seen before, win")
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        page.get_by_role("link", name="Show 1 new item").click()
        expect(page.locator("a.entry")).to_have_count(4)
