"""The reviewer's queue, by keys, by clicks, by touch, and without scripts."""

import random
from string import ascii_lowercase

import pytest
from playwright.sync_api import Browser, Route, expect

from shield.wire import ReviewAction
from tests.browser.world import (
    TEXTS,
    at_the_desk,
    expect_statuses,
    report,
    shown,
    statuses,
    violations,
)
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_key_means_the_same_on_every_item(chromium: Browser, queue: RunningApi) -> None:
    # One was reported as a scam, one as harmless: what was claimed is no matter.
    with at_the_desk(chromium, queue) as page:
        for text, key, word in ((TEXTS[0], "s", "scam"), (TEXTS[2], "s", "scam")):
            page.get_by_role("link", name=text).click()
            expect(page.locator("#message")).to_have_text(text)
            page.keyboard.press(key)
            expect(page.locator("#toasts")).to_contain_text(f"Decided: {word}.")
        last = shown(page)
        page.keyboard.press("h")
        expect(page.locator("#toasts")).to_contain_text("Decided: harmless.")
        expect_statuses(queue, "approved", "rejected", "rejected")
        page.keyboard.press("u")
        expect(page.locator("#message")).to_have_text(last)
        expect(page.locator("#toasts")).to_contain_text("taken back")
        assert statuses(queue)[last] == "pending"


def test_an_answer_that_was_overtaken_does_not_replace_what_is_said_of_the_latest_decision(
    chromium: Browser, queue: RunningApi
) -> None:
    # Its "Undo" would take back the latest decision under the words of an earlier one.
    held: list[Route] = []
    with at_the_desk(chromium, queue) as page:
        first = page.locator("a.entry[aria-current]").get_attribute("data-item")
        page.route(f"**/review/items/{first}/decision", lambda route: held.append(route))
        shown(page)
        page.keyboard.press("s")
        expect(page.locator("a.entry[aria-current]")).not_to_have_attribute(
            "data-item", first or ""
        )
        shown(page)
        page.keyboard.press("h")
        expect(page.locator("#toasts")).to_contain_text("Decided: harmless.")
        with page.expect_response(f"**/review/items/{first}/decision") as answered:
            held[0].continue_()
        answered.value.finished()
        page.wait_for_load_state("networkidle")
        expect(page.locator("#toasts")).to_contain_text("Decided: harmless.")
        page.keyboard.press("u")
        expect(page.locator("#toasts")).to_contain_text("taken back")
        assert sorted(statuses(queue).values()).count("pending") == 2


def test_j_and_k_walk_and_l_leaves_for_later(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        first = shown(page)
        page.keyboard.press("j")
        expect(page.locator("#message")).not_to_have_text(first)
        page.keyboard.press("k")
        expect(page.locator("#message")).to_have_text(first)
        page.keyboard.press("l")
        expect(page.locator("#message")).not_to_have_text(first)
        expect(page.locator("a.entry[data-state=skipped]")).to_have_count(1)
    assert set(statuses(queue).values()) == {"pending"}


def test_a_click_on_the_item_that_is_read_closes_nothing_in_it(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.get_by_text("Give it to somebody").click()
        page.get_by_role("link", name=text).click()
        page.wait_for_load_state("networkidle")
        expect(page.get_by_label("To", exact=True)).to_be_visible()


def test_the_end_of_the_queue_says_so(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        for left in (2, 1, 0):
            page.keyboard.press("h" if shown(page) == TEXTS[2] else "s")
            expect(page.locator("#waiting")).to_have_text(str(left))
            if left:
                shown(page)
        expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
        expect(page.locator("#toasts")).to_contain_text("Decided:")
        expect_statuses(queue, "approved", "approved", "approved")


def test_a_note_is_kept_and_keys_do_nothing_while_one_writes(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.keyboard.press("n")
        page.keyboard.type("a rare case, ask Ruth")
        assert shown(page) == text
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
    with queue.client("rita", "reviewer", "admin") as admin:
        entries = [one for one in admin.audit().items if one.action == "feedback.approve"]
    assert [entry.reason for entry in entries] == ["a rare case, ask Ruth"]


def test_question_mark_shows_the_keys_and_they_can_be_switched_off(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        expect(dialog).to_be_visible()
        dialog.get_by_role("checkbox").uncheck()
        dialog.get_by_role("button", name="Close").click()
        page.keyboard.press("s")
        page.reload()
        page.keyboard.press("s")
        assert shown(page) == text
    assert set(statuses(queue).values()) == {"pending"}


def test_question_mark_closes_the_keys_again_and_a_space_switches_nothing_off(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        dialog = page.get_by_role("dialog", name="Keys")
        page.keyboard.press("?")
        expect(dialog).to_be_visible()
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()
        page.keyboard.press("?")
        page.keyboard.press("Space")
        expect(dialog).to_be_hidden()
        page.keyboard.press("s")
        expect(page.locator("#message")).not_to_have_text(text)


def test_at_200_percent_half_of_the_screen_is_for_the_message(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue, size=(640, 400)) as page:
        shown(page)
        message = page.locator("#message").bounding_box()
        buttons = page.locator(".decision-buttons").bounding_box()
        assert message is not None
        assert buttons is not None
        assert buttons["y"] - message["y"] >= 200
        assert page.evaluate("document.documentElement.scrollWidth") == 640
        expect(page.get_by_role("link", name="Antispam Shield")).to_be_visible()


def test_o_opens_and_folds_the_details(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        shown(page)
        page.keyboard.press("o")
        expect(page.get_by_role("columnheader", name="Hours ahead")).to_be_visible()
        page.keyboard.press("o")
        expect(page.get_by_role("columnheader", name="Hours ahead")).to_be_hidden()


def test_an_item_shows_all_that_a_decision_needs(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue) as page:
        page.get_by_role("link", name=TEXTS[2]).click()
        expect(page.locator("#message")).to_have_text(TEXTS[2])
        item = page.locator("article.item")
        expect(item.locator(".versus")).to_contain_text("spam")
        # Blind: neither which version said it, nor how sure it was.
        expect(item.locator(".versus")).not_to_contain_text("sms-v1")
        expect(item.locator(".versus")).not_to_contain_text("sure")
        expect(item.locator(".versus")).to_contain_text("ham")
        expect(item).to_contain_text("comment 2")
        expect(item).to_contain_text("Here because:")
        # What the model found suspicious: it calls whatever says "win" a scam.
        expect(item.locator("mark")).to_have_text("win")


def test_one_decision_covers_a_campaign(chromium: Browser, api: RunningApi) -> None:
    for number in range(5):
        report(
            api, f"user-{number}", f"Your parcel waits, pay the fee at http://fee.example/{number}"
        )
    with at_the_desk(chromium, api) as page:
        expect(page.locator("a.entry")).to_have_count(1)
        expect(page.locator("article.item")).to_contain_text("All 5 waiting reports")
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("5 items of the campaign decided.")
    for number in range(5):
        with api.client(f"user-{number}") as client:
            assert [scan.feedback.status for scan in client.scans() if scan.feedback] == [
                "approved"
            ]


def test_c_decides_on_one_report_alone(chromium: Browser, api: RunningApi) -> None:
    for number in range(3):
        report(
            api, f"user-{number}", f"Your parcel waits, pay the fee at http://fee.example/{number}"
        )
    with at_the_desk(chromium, api) as page:
        shown(page)
        page.keyboard.press("c")
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
    with api.client("rita", "reviewer") as reviewer:
        assert len(reviewer.pending().items) == 2


def test_the_second_of_two_reviewers_learns_who_was_first(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        text = shown(page)
        expect(page.locator("#claim")).to_contain_text("yours for")
        queue.clock.move_on(700)  # what was claimed is free again
        with queue.client("paul", "reviewer") as paul:
            item = next(one for one in paul.pending() if one.scan.text == text)
            paul.review(item.id, ReviewAction.REJECT)
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("paul has rejected")
        expect(page.locator("a.entry[data-state=taken]")).to_contain_text("harmless, says paul")
    assert statuses(queue)[text] == "rejected"


def test_one_s_own_report_is_not_in_one_s_queue(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue, "user-0", "reviewer") as page:
        shown(page)
        expect(page.locator("a.entry")).to_have_count(2)
        expect(page.get_by_role("link", name=TEXTS[0])).to_have_count(0)


def test_the_line_goes_on_by_itself(chromium: Browser, api: RunningApi) -> None:
    chance = random.Random(0)
    for number in range(24):  # words of chance: each a campaign of its own
        words = ["".join(chance.choices(ascii_lowercase, k=7)) for _ in range(6)]
        report(api, f"user-{number}", " ".join(words))
    with at_the_desk(chromium, api) as page:
        expect(page.locator("a.entry")).to_have_count(20)
        for _ in range(18):
            text = shown(page)
            page.keyboard.press("j")
            expect(page.locator("#message")).not_to_have_text(text)
        expect(page.locator("a.entry")).to_have_count(24)


def test_a_message_is_text_and_never_markup(chromium: Browser, api: RunningApi) -> None:
    nasty = "<img src=x onerror=alert(1)> win </blockquote><script>alert(2)</script>"
    report(api, "eve", nasty, comment="<b>bold</b>")
    with at_the_desk(chromium, api) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        expect(page.locator("#message mark")).to_be_visible()
        assert page.locator("#message").inner_text() == nasty
        expect(page.locator("#message img, .comment b")).to_have_count(0)


def test_a_thumb_decides_on_a_phone(chromium: Browser, queue: RunningApi) -> None:
    with at_the_desk(chromium, queue, size=PHONE) as page:
        first = shown(page)
        page.get_by_role("button", name="Scam").tap()
        expect(page.locator("#message")).not_to_have_text(first)
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
        page.get_by_role("button", name="Undo (U)").tap()
        expect(page.locator("#message")).to_have_text(first)
    assert statuses(queue)[first] == "pending"


def test_a_search_is_kept_as_a_view_and_its_items_are_decided(
    chromium: Browser, queue: RunningApi
) -> None:
    with at_the_desk(chromium, queue) as page:
        shown(page)
        page.keyboard.press("/")
        page.keyboard.type("customs")
        page.keyboard.press("Enter")
        expect(page.locator("#searched")).to_contain_text("3 of 3 looked through, that is all")
        expect(page.locator("a.entry")).to_have_count(1)
        page.get_by_label("Name of this view").fill("at the customs")
        page.get_by_role("button", name="Keep it").click()
        page.goto(f"{queue.url}/review")
        expect(page.locator("a.entry")).to_have_count(3)
        page.get_by_role("link", name="at the customs", exact=True).click()
        expect(page.locator("#message")).to_have_text(TEXTS[0])
        assert violations(page) == []
        page.keyboard.press("s")
        expect(page.locator("#toasts")).to_contain_text("Decided: scam.")
        page.get_by_role("button", name="Remove the view at the customs").click()
        expect(page.get_by_role("link", name="at the customs", exact=True)).to_have_count(0)
        page.goto(f"{queue.url}/review?state=decided&q=depot")
        expect(page.locator(".settled")).to_contain_text("Scam, decided by rita")


def test_an_item_is_handed_over_and_a_reporter_muted(chromium: Browser, queue: RunningApi) -> None:
    with queue.client("paul", "reviewer") as paul:
        paul.undo_review(paul.review(next(iter(paul.pending())).id, ReviewAction.REJECT).id)
    with at_the_desk(chromium, queue) as page:
        page.get_by_role("link", name=TEXTS[0]).click()
        expect(page.locator("#message")).to_have_text(TEXTS[0])
        page.get_by_text("Give it to somebody").click()
        page.get_by_label("To", exact=True).select_option("paul")
        page.get_by_role("button", name="Hand over").click()
        expect(page.get_by_text("Given to paul")).to_be_visible()
        page.goto(f"{queue.url}/review")
        expect(page.locator("a.entry")).to_have_count(2)
        page.get_by_role("link", name=TEXTS[1]).click()
        expect(page.locator("#message")).to_have_text(TEXTS[1])
        page.get_by_text("Reporter (1)").click()
        page.get_by_label("Why the reporter is muted").fill("floods us")
        page.get_by_role("button", name="Mute", exact=True).click()
        expect(page.get_by_role("heading", name="Muted reporters")).to_be_visible()
        assert violations(page) == []
        page.goto(f"{queue.url}/review")
        expect(page.locator("a.entry")).to_have_count(1)
        page.goto(f"{queue.url}/review/muted")
        page.get_by_role("button", name="Unmute").click()
        page.get_by_role("dialog", name="Why?").get_by_label("Reason").fill("enough")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("Nobody is muted")).to_be_visible()


def test_all_of_it_works_without_scripts(chromium: Browser, queue: RunningApi) -> None:
    with open_page(chromium, java_script_enabled=False) as (_, page):
        page.goto(f"{queue.url}/review")
        page.get_by_label("Access token").fill(queue.token("rita", "reviewer"))
        page.get_by_role("button", name="Sign in").click()
        text = page.locator("#message").inner_text()
        page.get_by_label("Note").fill("seen")
        page.get_by_role("button", name="Scam").click()
        assert statuses(queue)[text] == "approved"
        page.get_by_role("button", name="Undo").click()
        assert page.locator("#message").inner_text() == text
        assert statuses(queue)[text] == "pending"
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
