"""The reviewer's desk when things go wrong, or go on meanwhile: nothing is lost, nothing hidden."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from shield.wire import ReviewAction
from tests.browser.world import (
    TEXTS,
    at_the_desk,
    report,
    shown,
    statuses,
    violations,
    world,
)
from tests.support.api import RunningApi
from tests.support.browser import open_page
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
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Not sent: You are offline.")
        expect(page.locator("a.entry[data-state=failed]")).to_have_count(1)
        page.context.set_offline(False)
        page.get_by_role("link", name=text).click()
        expect(page.get_by_label("Note")).to_have_value("ask Ruth first")
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
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
        page.keyboard.press("h")
        again = page.get_by_role("button", name="Try again")
        expect(again).to_be_visible()
        page.context.set_offline(False)
        again.click()
        expect(page.locator("#toasts")).to_contain_text("Decided: harmless.")
        expect(page.locator("a.entry[data-state=harmless]")).to_have_count(1)
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
        page.keyboard.press("s")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("a.entry[data-state=scam]")).to_have_count(1)
        expect(page.locator("#waiting")).to_have_text("2")
    assert statuses(queue)[text] == "approved"


def test_a_session_that_ends_loses_no_decision(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.get_by_label("Note").fill("looked it up")
        page.get_by_label("Tactic, if it is a scam").select_option("bank-alert")
        page.keyboard.press("Escape")
        page.context.clear_cookies()
        page.locator("#message").click()
        page.keyboard.press("s")
        page.get_by_role("link", name="Sign in again").click()
        # Somebody else at the same screen is offered nothing.
        page.get_by_label("Access token").fill(queue.token("paul", "reviewer"))
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#message")).to_be_visible()
        expect(page.get_by_text("had not arrived")).to_be_hidden()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Access token").fill(queue.token("rita", "reviewer", "admin"))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("1 decision of yours had not arrived: scam.")).to_be_visible()
        assert statuses(queue)[text] == "pending"
        page.get_by_role("button", name="Send \u201cscam\u201d").click()
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
        page.reload()
        expect(page.get_by_text("had not arrived")).to_be_hidden()
    assert statuses(queue)[text] == "approved"
    with queue.client("rita", "reviewer", "admin") as admin:
        (entry,) = [one for one in admin.audit().items if one.action == "feedback.approve"]
    assert (entry.reason, entry.details["tactic"]) == ("looked it up", "bank-alert")


def test_what_was_chosen_and_not_decided_outlives_a_session(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        page.get_by_role("link", name=TEXTS[1]).click()
        expect(page.locator("#message")).to_have_text(TEXTS[1])
        page.get_by_label("Note").fill("half a thou")
        page.get_by_label("Tactic, if it is a scam").select_option("wrong-number")
        page.context.clear_cookies()
        page.reload()
        page.get_by_label("Access token").fill(queue.token("rita", "reviewer", "admin"))
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#message")).to_have_text(TEXTS[1])
        expect(page.get_by_label("Note")).to_have_value("half a thou")
        expect(page.get_by_label("Tactic, if it is a scam")).to_have_value("wrong-number")


def test_a_link_that_signs_in_asks_and_names_whom(chromium: Browser, queue: RunningApi) -> None:
    with open_page(chromium) as (_, page):
        page.goto(f"{queue.url}/login#token={queue.token('mallory', 'reviewer')}")
        expect(page.get_by_text("This link signs you in as mallory")).to_be_visible()
        page.goto(f"{queue.url}/review")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page).to_have_url(re.compile("/login"))


def test_a_pace_is_told_and_stays_in_the_browser(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.post_data or ""))
        shown(page)
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
        page.keyboard.press("?")
        pace = page.locator("#pace-told")
        expect(pace).to_contain_text("Your last decision: half within")
        page.get_by_role("button", name="Forget it").click()
        expect(pace).to_contain_text("Nothing is measured yet")
    assert not any("seconds" in body for body in asked)


def test_a_team_that_wants_a_reason_gets_one(chromium: Browser, tmp_path: Path) -> None:
    wanted = ["asks for money", "false sender"]
    with world(tmp_path, review_reasons=wanted) as api:
        report(api, "user-0", TEXTS[0])
        with at_the_desk(chromium, api) as page:
            shown(page)
            page.keyboard.press("s")
            expect(page.locator("#toasts")).to_contain_text("Choose a reason first")
            page.locator("#message").click()
            page.keyboard.press("2")
            page.keyboard.press("s")
            expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
        with api.client("root", "admin") as admin:
            (entry,) = admin.audit(action="feedback.approve").items
            assert entry.details["chosen"] == "false sender"


def test_guidelines_open_beside_the_item(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        expect(page.locator("#claim")).to_contain_text("yours for")  # the page listens by now
        page.keyboard.press("g")
        expect(page.get_by_role("heading", name="Scam or harmless?")).to_be_visible()
        page.get_by_label("Tactic, if it is a scam").select_option("road-toll")
        expect(page.locator(".tactics .chosen dt")).to_have_text("Unpaid road toll")
        assert violations(page) == []


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
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("paul is looking at")
        expect(page.locator("a.entry[data-state=taken]")).to_have_count(1)
    assert statuses(queue)[item.scan.text] == "pending"


def test_the_undo_button_stays_when_the_message_is_gone(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        expect(page.locator("#undo")).to_be_hidden()
        text = shown(page)
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
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
        expect(settled).to_contain_text("Harmless, decided by rita")
        expect(settled).to_contain_text("plainly wrong")
        expect(page.get_by_role("button", name="Scam")).to_have_count(0)
        settled.get_by_role("button", name="Undo this decision").click()
        expect(page.get_by_role("button", name="Scam")).to_be_visible()
    assert statuses(queue)[item.scan.text] == "pending"


def test_a_decided_campaign_is_proposed_and_never_applied(
    chromium: Browser, api: RunningApi
) -> None:
    first = report(api, "user-0", "Your parcel waits, pay the fee at http://fee.example/1")
    with api.client("rita", "reviewer") as rita:
        rita.review(first.id, ReviewAction.APPROVE)
    report(api, "user-1", "Your parcel waits, pay the fee at http://fee.example/2")
    with at_the_desk(chromium, api) as page:
        expect(page.locator(".proposal")).to_contain_text("Decided before: scam.")
        expect(page.locator("a.entry")).to_contain_text("proposed: scam")
        expect(page.locator("button.proposed")).to_contain_text("Scam")
        similar = page.locator(".similar-row")
        expect(similar).to_contain_text("http://fee.example/1")
        expect(similar).to_contain_text("a scam")
        expect(page.locator("#waiting")).to_have_text("1")


def test_a_disguise_is_pointed_out(chromium: Browser, api: RunningApi) -> None:
    report(api, "eve", "Your p\u0430ypal is locked: http://paypal.example@198.51.100.7/x win")
    with at_the_desk(chromium, api) as page:
        traits = page.get_by_role("list", name="Worth knowing about this message")
        expect(traits).to_contain_text("reads paypal, but contains a Cyrillic letter (\u0430)")
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
