"""Finding one's work at the desk by clicks: filters, orders, named queues, one's own pace."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from shield.wire import ReviewAction
from tests.browser.world import at_the_desk, report, shown, violations, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
OLDEST = "Shall we have lunch at the usual place on Friday?"
LARGEST = "Your parcel waits at customs, pay the fee of 1.99 at http://m.post-pay.example/a1"
NEWEST = "Hola mam\u00e1, este es mi nuevo n\u00famero, el otro tel\u00e9fono se ha roto"


def _judge(text: str) -> float:
    return 0.55 if text == NEWEST else 0.02


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningApi]:
    """Three messages wait: the oldest, one of three reports, one of which the model is unsure."""
    with world(tmp_path, _judge, second_review_share=1.0) as api:
        report(api, "ann", OLDEST)
        api.clock.move_on(3600)
        for number in range(3):
            report(api, f"parcel-{number}", LARGEST)
        api.clock.move_on(3600)
        report(api, "sam", NEWEST)
        yield api


def listed(page: Page) -> list[str]:
    """Return the messages in the line, in its order."""
    return page.locator("a.entry .entry-text").all_inner_texts()


def search(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Search", exact=True).click()


@pytest.mark.parametrize(
    ("filter_", "value", "found"),
    [
        ("language", "es", [NEWEST]),
        ("tactic", "parcel-fee", [LARGEST]),
        ("host", "post-pay.example", [LARGEST]),
        ("version", "sms-v1", [NEWEST, LARGEST, OLDEST]),
        ("version", "sms-v9", []),
        ("older_hours", "4", []),
    ],
)
def test_a_filter_by_clicks_leaves_what_it_names(
    chromium: Browser, desk: RunningApi, filter_: str, value: str, found: list[str]
) -> None:
    with at_the_desk(chromium, desk) as page:
        expect(page.locator("a.entry")).to_have_count(3)
        page.locator("summary", has_text="Filters").click()
        field = page.locator(f".filters-grid [name={filter_}]")
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
        search(page)
        expect(page.get_by_text("1 on")).to_be_visible()
        assert listed(page) == found
        page.locator(".saved").get_by_role("link", name="Clear").click()
        expect(page.locator("a.entry")).to_have_count(3)


def test_what_waits_longer_than_four_hours_is_found_when_it_does(
    chromium: Browser, desk: RunningApi
) -> None:
    desk.clock.move_on(3 * 3600)  # five hours since the first
    with at_the_desk(chromium, desk) as page:
        page.locator("summary", has_text="Filters").click()
        page.get_by_label("Waits longer than").select_option("4")
        search(page)
        assert sorted(listed(page)) == sorted([OLDEST, LARGEST])


def test_all_of_one_reporter_is_one_click_away_and_can_be_asked_for(
    chromium: Browser, desk: RunningApi
) -> None:
    report(desk, "ann", "Our choir sings again on Sunday at five")
    with at_the_desk(chromium, desk) as page:
        page.get_by_role("link", name=OLDEST).click()
        expect(page.locator("#message")).to_have_text(OLDEST)
        page.get_by_text("Reporter (1)").click()
        reporter = page.get_by_role("group", name="Reporters").get_by_role("link")
        name = reporter.get_attribute("href")
        assert name is not None
        pseudonym = name.rpartition("=")[2]
        reporter.click()
        expect(page.locator("a.entry")).to_have_count(2)
        page.goto(f"{desk.url}/review")
        page.locator("summary", has_text="Filters").click()
        page.get_by_label("Reporter", exact=True).fill(pseudonym)
        search(page)
        assert set(listed(page)) == {OLDEST, "Our choir sings again on Sunday at five"}


def test_what_needs_a_second_look_is_found_and_hides_the_first(
    chromium: Browser, desk: RunningApi
) -> None:
    # A lone reviewer decides alone: from Rita's first decision on, Paul has a colleague.
    with desk.client("rita", "reviewer") as rita, desk.client("paul", "reviewer") as paul:
        first = next(one for one in rita.pending() if one.scan.text == OLDEST)
        rita.review(first.id, ReviewAction.REJECT)
        second = next(one for one in paul.pending() if one.scan.text == NEWEST)
        paul.review(second.id, ReviewAction.APPROVE)
    with at_the_desk(chromium, desk) as page:
        expect(page.locator("a.entry")).to_have_count(2)
        page.locator("summary", has_text="Filters").click()
        page.get_by_label("needs a second look").check()
        search(page)
        assert listed(page) == [NEWEST]
        expect(page.locator("article.item")).to_contain_text("the first answer is hidden")
        expect(page.locator(".settled, .proposal")).to_have_count(0)


def test_each_order_is_the_one_that_it_says(chromium: Browser, desk: RunningApi) -> None:
    with at_the_desk(chromium, desk) as page:
        # What the model is unsure of teaches most, then what many report.
        assert listed(page) == [NEWEST, LARGEST, OLDEST]
        page.get_by_label("Order").select_option("oldest first")
        search(page)
        assert listed(page) == [OLDEST, LARGEST, NEWEST]
        page.get_by_label("Order").select_option("most reports first")
        search(page)
        assert listed(page)[0] == LARGEST
        expect(page.locator("a.entry").first).to_contain_text("3 reports")
        page.get_by_label("Order").select_option("most valuable first")
        search(page)
        assert listed(page) == [NEWEST, LARGEST, OLDEST]


def test_a_lead_makes_queues_and_who_works_in_one_begins_there(
    chromium: Browser, desk: RunningApi
) -> None:
    with at_the_desk(chromium, desk, "lea", "admin") as page:
        page.get_by_role("link", name="Make queues").click()
        page.get_by_label("Name", exact=True).fill("Spanish")
        page.get_by_label("Spanish", exact=True).check()
        page.get_by_label("Who works in it").fill("rita, team-less")
        page.get_by_role("button", name="Make this queue").click()
        row = page.get_by_role("row").filter(has_text="Spanish")
        expect(row).to_contain_text("rita, team-less")
        expect(page.get_by_role("row").filter(has_text="In no queue")).to_contain_text("2")
        assert violations(page) == []
        page.get_by_text("Change Spanish").click()
        page.get_by_label("Who works in it").first.fill("rita")
        page.get_by_role("button", name="Change it").click()
        expect(row).not_to_contain_text("team-less")
    with at_the_desk(chromium, desk, "rita", "reviewer") as page:
        expect(page.get_by_role("link", name="Spanish 1")).to_have_attribute("aria-current", "true")
        assert listed(page) == [NEWEST]
        assert violations(page) == []
        shown(page)
        page.keyboard.press("/")
        page.keyboard.type("lunch")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
        expect(page.get_by_role("link", name="Look in what was decided")).to_be_visible()
        expect(page.locator("a.entry")).to_have_count(0)
        page.get_by_role("link", name="All that waits").click()
        expect(page.locator("a.entry")).to_have_count(3)
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_text("Admins make queues")).to_be_visible()
        expect(page.get_by_text("Make a queue")).to_have_count(0)
    with desk.client("lea", "admin") as admin:
        entries = admin.audit(action="queue.set").items
    assert [(one.actor, one.details["left"]) for one in entries] == [
        ("lea", ["team-less"]),
        ("lea", []),
    ]


def test_what_is_given_to_somebody_is_told_beside_their_queue(
    chromium: Browser, desk: RunningApi
) -> None:
    httpx.put(
        f"{desk.url}/api/v2/review/queues/Spanish",
        json={"languages": ["es"], "members": ["rita"]},
        headers={"Authorization": f"Bearer {desk.token('lea', 'admin')}"},
        timeout=PATIENCE_SECONDS,
    ).raise_for_status()
    with at_the_desk(chromium, desk, "paul", "reviewer") as page:
        page.get_by_role("link", name=OLDEST).click()
        expect(page.locator("#message")).to_have_text(OLDEST)
        page.get_by_text("Give it to somebody").click()
        page.get_by_label("To", exact=True).select_option("rita")
        page.get_by_role("button", name="Hand over").click()
        expect(page.get_by_text("Given to rita")).to_be_visible()
    with at_the_desk(chromium, desk, "rita", "reviewer") as page:
        assert listed(page) == [NEWEST]
        page.get_by_role("link", name="Given to you 1").click()
        expect(page.locator("#message")).to_have_text(OLDEST)


def test_a_pace_counts_the_time_of_reading_in_front_and_nothing_else(
    chromium: Browser, desk: RunningApi
) -> None:
    with at_the_desk(chromium, desk) as page:
        page.clock.install()
        page.reload()
        expect(page.locator("html.scripted")).to_be_attached()
        page.clock.pause_at("2100-01-01T10:00:00")
        shown(page)
        page.keyboard.press("j")  # what is read anew is measured anew
        page.keyboard.press("k")
        expect(page.locator("#message")).to_have_text(NEWEST)
        page.clock.fast_forward(12_000)
        page.keyboard.press("s")
        expect(page.locator("#message")).to_have_text(LARGEST)
        page.clock.fast_forward(2_000)
        _front(page, hidden=True)
        page.clock.fast_forward(90_000)  # another window is in front
        _front(page, hidden=False)
        page.clock.fast_forward(1_000)
        page.keyboard.press("s")
        expect(page.locator("#message")).to_have_text(OLDEST)
        pace = page.locator("#pace-told")
        page.keyboard.press("?")
        told = "Your last 2 decisions: half within 12.0 s, nine in ten within 12.0 s."
        expect(pace).to_have_text(told)
        page.keyboard.press("?")
        page.clock.fast_forward(11 * 60_000)  # nobody reads for so long
        page.keyboard.press("h")
        page.keyboard.press("?")
        expect(pace).to_have_text(told)
        expect(page.locator("#tally")).to_contain_text("3 decided")
        kept = page.evaluate("JSON.parse(localStorage.getItem('antispam-shield-pace'))")
        assert [each["seconds"] for each in kept] == [12, 3]


def _front(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


LONG = " ".join(
    f"Sentence {number} of a letter that one has to read wholly." for number in range(60)
)


@pytest.mark.parametrize(("size", "letters"), [(PHONE, 100), ((360, 640), 100), (PHONE, 200)])
def test_on_a_phone_half_of_the_screen_is_for_the_message_also_at_200_percent(
    chromium: Browser, desk: RunningApi, size: tuple[int, int], letters: int
) -> None:
    report(desk, "zoe", LONG)
    with desk.client("rita", "reviewer") as rita:
        item = next(one for one in rita.pending() if one.scan.text == LONG)
    with at_the_desk(chromium, desk, size=size) as page:
        page.goto(f"{desk.url}/review?item={item.id}")
        expect(page.locator("#message")).to_have_text(LONG)
        expect(page.locator("html.scripted")).to_be_attached()
        page.evaluate("of => { document.documentElement.style.fontSize = `${of}%` }", letters)
        page.locator("#message").evaluate("each => each.scrollIntoView({ block: 'start' })")
        message = page.locator("#message").bounding_box()
        buttons = page.locator(".decision-buttons").bounding_box()
        assert message is not None
        assert buttons is not None
        # What lies over the message at the top, or over its end at the bottom, shows nothing of it.
        over = page.locator("header.top").evaluate(
            "each => getComputedStyle(each).position === 'sticky' ? each.offsetHeight : 0"
        )
        top = max(message["y"], over)
        end = min(message["y"] + message["height"], buttons["y"], size[1])
        assert end - top >= size[1] / 2, (message, buttons, over)
        assert buttons["y"] + buttons["height"] <= size[1], "what decides stays in reach"
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
