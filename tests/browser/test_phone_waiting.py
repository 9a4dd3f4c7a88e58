"""What waits on the phone: deletions, pauses of any length, and a phone that has no room left."""

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from shield.labels import ScanType
from tests.browser.world import on_the_phone, scan
from tests.support.api import RunningApi
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FILL = """([stores, methods]) => {
  window.isFull = true;
  for (const method of methods) {
    const real = IDBObjectStore.prototype[method];
    IDBObjectStore.prototype[method] = function (...given) {
      if (window.isFull && stores.includes(this.name))
        throw new DOMException("full", "QuotaExceededError");
      return real.apply(this, given);
    };
  }
}"""
"""Lets writing into these stores fail, until `isFull` is false."""
COUNT_SYNCS = """() => {
  window.syncs = 0;
  const sync = { register: async () => { window.syncs += 1; } };
  navigator.serviceWorker.getRegistration = async () => ({ sync });
}"""
"""Counts how often the service worker is asked to send, in `syncs`."""
ONLINE = "window.dispatchEvent(new Event('online'))"
FULL = "This phone has no room left for it. Free some space, then try again."


def delete_shown(page: Page) -> None:
    page.get_by_role("button", name="Delete this scan").tap()
    question = page.get_by_role("dialog", name="Delete this scan")
    question.get_by_role("button", name="Delete this scan").tap()


def texts_of(api: RunningApi) -> list[str | None]:
    with api.client("ada") as client:
        return [each.text for each in client.scans()]


def feedback_count(api: RunningApi) -> int:
    with api.client("rita", "reviewer") as reviewer:
        return len(reviewer.pending().items)


@pytest.mark.parametrize("status", [503, 429, 500, None])
def test_a_deletion_that_waits_is_tried_again_by_itself(
    chromium: Browser, api: RunningApi, status: int | None
) -> None:
    answers = [status]

    def fail_once(route: Route) -> None:
        if route.request.method != "DELETE" or not answers:
            return route.continue_()
        said = answers.pop()
        if said is None:
            return route.abort("connectionreset")
        return route.fulfill(status=said, json={}, headers={"Retry-After": "1"})

    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/scans/*", fail_once)
        scan(page, "Lunch at noon?")
        delete_shown(page)
        expect(page.locator("#toasts")).to_contain_text("Deleted here.")
        wait_until(lambda: texts_of(api) == [], page=page, pause_seconds=0.2)
    assert answers == []


def test_a_deletion_that_the_server_fails_over_holds_up_no_feedback(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route(
            "**/api/v2/scans/*",
            lambda route: (
                route.fulfill(status=500, json={})
                if route.request.method == "DELETE"
                else route.continue_()
            ),
        )
        scan(page, "Lunch at noon?")
        delete_shown(page)
        expect(page.locator("#toasts")).to_contain_text("Deleted here.")
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.sent")).to_be_visible()
        assert feedback_count(api) == 1
        page.unroute("**/api/v2/scans/*")
        wait_until(
            lambda: texts_of(api) == ["Reply now to win a holiday"], page=page, pause_seconds=0.2
        )


def test_nothing_that_is_written_later_overtakes_the_deletion_of_everything(
    chromium: Browser, api: RunningApi
) -> None:
    def fail(route: Route) -> None:
        if route.request.method == "DELETE":
            return route.fulfill(status=500, json={})
        return route.continue_()

    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/scans*", fail)
        scan(page, "Lunch at noon?")
        page.get_by_role("button", name="Scan another").tap()
        page.get_by_role("button", name="Delete all").tap()
        page.get_by_role("dialog").get_by_role("button", name="Delete all").tap()
        expect(page.locator("#toasts")).to_contain_text("Deleted here.")
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        assert feedback_count(api) == 0


@pytest.mark.parametrize("clock", ["2020-01-01T12:00:00Z", "2099-01-01T12:00:00Z"])
def test_a_repeated_deletion_of_everything_leaves_what_was_scanned_since(
    chromium: Browser, api: RunningApi, clock: str
) -> None:
    """Its answer is lost, and whatever the phone takes the time for."""
    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        if route.request.method != "DELETE":
            return route.continue_()
        if not lost:
            route.fetch()
        lost.append(route.request.url)
        return route.abort("connectionreset")

    with on_the_phone(chromium, api, service_workers="block") as page, api.client("ada") as ada:
        page.clock.set_system_time(clock)
        page.route("**/api/v2/scans*", lose_the_answer)
        scan(page, "Lunch at noon?")
        page.get_by_role("button", name="Scan another").tap()
        page.get_by_role("button", name="Delete all").tap()
        page.get_by_role("dialog").get_by_role("button", name="Delete all").tap()
        expect(page.locator("#toasts")).to_contain_text("Deleted here.")
        assert texts_of(api) == []
        page.wait_for_timeout(2500)  # the phone knows the server's clock to a second or two
        ada.scan(ScanType.TEXT, "See you at eight")
        page.unroute("**/api/v2/scans*")
        with page.expect_response(lambda each: each.request.method == "DELETE") as again:
            page.reload()
        assert again.value.ok
        expect(page.locator("#recent-list")).to_contain_text("See you at eight")
    assert texts_of(api) == ["See you at eight"]


@pytest.mark.parametrize("asked", ["31536000", "Fri, 01 Jan 2100 00:00:00 GMT", "1e300"])
def test_no_pause_is_longer_than_a_day(chromium: Browser, api: RunningApi, asked: str) -> None:
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.clock.install()
        sent: list[Request] = []
        page.route(
            "**/api/v2/feedback",
            lambda route: route.fulfill(status=429, json={}, headers={"Retry-After": asked}),
        )
        page.on("request", lambda each: sent.append(each) if "/feedback" in each.url else None)
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        page.evaluate(ONLINE)
        page.clock.fast_forward("23:59:00")
        expect(page.locator("#connection")).to_contain_text("1 answer waits")
        assert len(sent) == 1
        page.unroute("**/api/v2/feedback")

        def is_sent_a_little_later() -> bool:
            page.clock.fast_forward("01:30")  # a timer may have been set just now
            return page.locator(".opinion.sent").is_visible()

        wait_until(is_sent_a_little_later, page=page, pause_seconds=0.5)
        assert len(sent) == 2
    assert feedback_count(api) == 1


def test_a_pause_reckoned_by_a_clock_that_was_wrong_is_over(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.clock.install(time="2099-01-01T12:00:00Z")
        page.route("**/api/v2/feedback", lambda route: route.fulfill(status=503, json={}))
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        page.unroute("**/api/v2/feedback")
        page.clock.set_system_time("2026-06-01T12:00:00Z")
        page.evaluate(ONLINE)
        expect(page.locator(".opinion.sent")).to_be_visible()
    assert feedback_count(api) == 1


@pytest.mark.parametrize("stores", [["scans"], ["outbox"], ["scans", "outbox"]])
def test_on_a_full_phone_nothing_is_sent_twice_and_its_owner_is_told(
    chromium: Browser, api: RunningApi, stores: list[str]
) -> None:
    """Once it was tapped; what becomes of it cannot be written."""
    held: list[Route] = []
    with on_the_phone(chromium, api, service_workers="block") as page:
        sent: list[Request] = []
        page.on("request", lambda each: sent.append(each) if "/feedback" in each.url else None)
        scan(page, "Reply now to win a holiday")
        page.wait_for_load_state("networkidle")
        page.clock.install()
        page.route("**/api/v2/feedback", lambda route: held.append(route))
        page.get_by_role("button", name="Correct").tap()
        wait_until(lambda: len(held) == 1, page=page)
        page.evaluate(COUNT_SYNCS)
        page.evaluate(FILL, [stores, ["put", "delete"]])
        held.pop().continue_()
        expect(page.locator("#toasts")).to_contain_text(FULL)
        page.unroute("**/api/v2/feedback")
        for _ in range(3):
            page.evaluate(ONLINE)
        page.clock.fast_forward("01:01")
        page.wait_for_load_state("networkidle")
        assert len(sent) == 1
        # The service worker does not know what this page remembers.
        assert page.evaluate("window.syncs") == 0
        page.evaluate("window.isFull = false")

        def is_noted_by_itself() -> bool:
            page.clock.fast_forward("01:01")
            return page.locator(".opinion.sent").is_visible()

        wait_until(is_noted_by_itself, page=page, pause_seconds=0.5)
        expect(page.locator("#connection")).to_be_hidden()
        assert len(sent) == 1
    assert feedback_count(api) == 1


def test_what_is_kept_is_sent_although_the_list_cannot_be_written(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api, service_workers="block") as page:
        scan(page, "Reply now to win a holiday")
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
        page.evaluate(FILL, [["scans"], ["put"]])
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        expect(page.locator("#connection")).to_contain_text("1 answer waits to be sent.")
        page.evaluate("window.isFull = false")
        page.context.set_offline(False)
        expect(page.locator(".opinion.sent")).to_be_visible()
    assert feedback_count(api) == 1


def test_an_answer_that_cannot_be_kept_is_not_blamed_on_the_server(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.wait_for_load_state("networkidle")
        page.evaluate(FILL, [["scans"], ["put"]])
        page.get_by_label("The message").fill("Lunch at noon?")
        page.get_by_role("button", name="Scan", exact=True).tap()
        expect(page.locator("#failure")).to_contain_text(FULL)
        expect(page.locator("#failure")).not_to_contain_text("The server")
        expect(page.get_by_label("The message")).to_have_value("Lunch at noon?")
