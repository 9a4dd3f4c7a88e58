"""The phone's client, by taps."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from shield.wire import ReviewAction
from tests.browser.world import on_the_phone, report, scan, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def feedback_of(api: RunningApi, user: str = "ada") -> list[tuple[str, str | None]]:
    with api.client("rita", "reviewer") as reviewer:
        return [(item.corrected_label, item.comment) for item in reviewer.pending().items]


def wait_until_sent(page: Page) -> None:
    expect(page.locator(".opinion.sent")).to_be_visible()


def test_a_scan_shows_its_verdict_and_asks_whether_it_is_right(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        card = page.locator("article.result")
        expect(card.get_by_role("heading", level=1)).to_have_text("Looks like a scam")
        expect(card.locator("header")).to_contain_text("We are sure.")
        expect(card).not_to_contain_text("%")
        expect(card.get_by_text("Judged by sms-v1")).to_be_visible()
        expect(card.get_by_role("button", name="Correct")).to_be_visible()
        expect(card.get_by_role("button", name="Wrong")).to_be_visible()


def test_a_verdict_is_explained_and_says_what_to_do_now(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "You win! Royal Mail: pay the fee today https://royalmail-fee.example/x")
        card = page.locator("article.result")
        why = card.get_by_role("region", name="Why")
        expect(why.get_by_role("listitem").filter(has_text="pay or send money")).to_be_visible()
        expect(why).to_contain_text("royalmail-fee.example is not an address of theirs")
        expect(card.locator(".advice")).to_contain_text("Do not")
        page.reload()  # kept on the phone with the scan
        page.get_by_role("button", name="Royal Mail").tap()
        expect(why).to_contain_text("pay or send money")


def test_what_is_too_close_to_call_is_said_to_be(chromium: Browser, tmp_path: Path) -> None:
    with world(tmp_path, judge=lambda text: 0.6) as api, on_the_phone(chromium, api) as page:
        scan(page, "Is this still for sale?")
        card = page.locator("article.result")
        expect(card.get_by_role("heading", level=1)).to_have_text("We are not sure")
        expect(card).to_contain_text("closer to a scam")
        page.get_by_role("button", name="It is harmless").tap()
        wait_until_sent(page)
        expect(page.locator(".opinion.sent")).to_contain_text("You said: it is harmless.")
        assert feedback_of(api) == [("ham", None)]


def test_correct_sends_a_confirmation(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator("#toasts")).to_contain_text("Thanks for your feedback!")
        wait_until_sent(page)
    assert feedback_of(api) == [("spam", None)]


def test_wrong_asks_for_the_right_label_and_a_comment(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        page.get_by_role("button", name="Wrong").tap()
        dialog = page.get_by_role("dialog", name="What is it really?")
        expect(dialog.get_by_role("radio", name="It is harmless")).to_be_checked()
        dialog.get_by_label("Comment").fill("My own team")
        dialog.get_by_role("button", name="Send").tap()
        expect(page.locator("#toasts")).to_contain_text("Thanks for your feedback!")
        wait_until_sent(page)
    assert feedback_of(api) == [("ham", "My own team")]


def test_cancel_sends_nothing(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Wrong").tap()
        page.get_by_role("button", name="Cancel").tap()
        expect(page.get_by_role("button", name="Wrong")).to_be_visible()
    assert feedback_of(api) == []


def test_an_opinion_may_be_changed_while_it_waits_for_review(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        wait_until_sent(page)
        page.get_by_role("button", name="Change").tap()
        page.get_by_role("radio", name="It is harmless").check()
        page.get_by_role("button", name="Send").tap()
        expect(page.locator(".opinion.sent")).to_contain_text("harmless")
    assert feedback_of(api) == [("ham", None)]


@pytest.mark.parametrize("status", [200, 403])
def test_a_network_that_asks_to_sign_in_first_swallows_no_feedback(
    chromium: Browser, api: RunningApi, status: int
) -> None:
    page_of_the_hotel = {"status": status, "content_type": "text/html", "body": "<p>Wi-Fi"}
    with on_the_phone(chromium, api, service_workers="block") as page:
        scan(page, "We win together, see you at practice")
        page.route("**/api/v2/feedback", lambda route: route.fulfill(**page_of_the_hotel))
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        page.unroute("**/api/v2/feedback")
        page.evaluate("window.dispatchEvent(new Event('online'))")
        wait_until_sent(page)
    assert feedback_of(api) == [("spam", None)]


def test_feedback_given_offline_is_sent_once_when_the_network_is_back(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        page.context.set_offline(True)
        page.get_by_role("button", name="Wrong").tap()
        page.get_by_role("button", name="Send").tap()
        expect(page.locator("#connection")).to_contain_text("1 answer waits to be sent.")
        assert feedback_of(api) == []
        page.context.set_offline(False)
        wait_until_sent(page)
        expect(page.locator("#connection")).to_be_hidden()
    assert feedback_of(api) == [("ham", None)]


def test_the_app_opens_without_a_network_and_keeps_what_was_said(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        page.context.set_offline(True)
        page.get_by_role("button", name="Wrong").tap()
        page.get_by_role("button", name="Send").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        page.reload()
        expect(page.locator("#recent-list")).to_contain_text("your answer waits to be sent")
        page.context.set_offline(False)
        expect(page.locator("#recent-list")).to_contain_text("your answer was sent")
    assert feedback_of(api) == [("ham", None)]


@pytest.mark.parametrize("status", [408, 425])
def test_an_answer_that_says_nothing_against_the_feedback_keeps_it(
    chromium: Browser, api: RunningApi, status: int
) -> None:
    answers = [status]

    def pass_by_once(route: Route) -> None:
        route.fulfill(status=answers.pop(), json={}) if answers else route.continue_()

    # The page alone sends: what a service worker asks for is not seen here.
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/feedback", pass_by_once)
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        wait_until_sent(page)  # by itself, after a pause
    assert answers == []
    assert feedback_of(api) == [("spam", None)]


def test_nothing_is_sent_before_the_pause_that_the_server_asks_for_is_over(
    chromium: Browser, api: RunningApi
) -> None:
    asked: list[str] = []

    def too_many(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=429, json={}, headers={"Retry-After": "3600"})

    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/feedback", too_many)
        for text in ("Reply now to win a holiday", "We win together, see you at practice"):
            scan(page, text)
            page.get_by_role("button", name="Correct").tap()
            expect(page.locator(".opinion.waiting")).to_be_visible()
        page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(page.locator("#connection")).to_contain_text("2 answers wait")
    assert len(asked) == 1


def test_a_fault_over_one_answer_does_not_hold_up_the_others(
    chromium: Browser, api: RunningApi
) -> None:
    first: list[str | None] = []

    def fail_the_first(route: Route) -> None:
        key = route.request.headers.get("idempotency-key")
        first[:] = first or [key]
        route.fulfill(status=500, json={}) if key == first[0] else route.continue_()

    # The page alone sends: what a service worker asks for is not seen here.
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/feedback", fail_the_first)
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        scan(page, "We win together, see you at practice")
        page.get_by_role("button", name="Correct").tap()
        wait_until_sent(page)
        assert len(feedback_of(api)) == 1
        page.unroute("**/api/v2/feedback")
        expect(page.locator("#connection")).to_be_hidden()
    assert len(feedback_of(api)) == 2


def test_a_lost_answer_does_not_count_the_feedback_twice(
    chromium: Browser, api: RunningApi
) -> None:
    keys: list[str | None] = []

    def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()  # the server has it, the phone never hears of it
        route.abort("connectionreset")

    with on_the_phone(chromium, api, service_workers="block") as page:
        scan(page, "We win together, see you at practice")
        page.route("**/api/v2/feedback", lose_the_answer)
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator(".opinion.waiting")).to_be_visible()
        with page.expect_request("**/api/v2/feedback") as again:
            page.unroute("**/api/v2/feedback")
            page.evaluate("() => window.dispatchEvent(new Event('online'))")
        keys.append(again.value.headers.get("idempotency-key"))
        wait_until_sent(page)
    assert len(keys) >= 2
    assert len(set(keys)) == 1
    assert feedback_of(api) == [("spam", None)]


def test_a_decided_report_can_no_longer_be_changed(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        page.get_by_role("button", name="Correct").tap()
        wait_until_sent(page)
        with api.client("rita", "reviewer") as reviewer:
            waiting = reviewer.pending().items[0]
            reviewer.review(waiting.id, ReviewAction.APPROVE)
        page.get_by_role("button", name="Change").tap()
        page.get_by_role("radio", name="It is harmless").check()
        page.get_by_role("button", name="Send").tap()
        expect(page.locator(".opinion.failed")).to_contain_text("can no longer be changed")


def test_an_expired_token_asks_to_sign_in_and_loses_nothing(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        api.clock.move_on(40 * 86400)
        page.get_by_role("button", name="Correct").tap()
        expect(page.get_by_text("Your access has ended.")).to_be_visible()
        expect(page.locator("#connection")).to_contain_text("1 answer waits")
        page.get_by_label("Code or access token").fill(api.token("ada"))
        page.get_by_role("button", name="Connect").tap()
        wait_until_sent(page)
    assert feedback_of(api) == [("spam", None)]


def test_scanning_offline_keeps_the_message_in_the_field(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        page.context.set_offline(True)
        page.get_by_label("The message").fill("Is this true?")
        page.get_by_role("button", name="Scan", exact=True).tap()
        failed = page.get_by_role("article", name="Not scanned")
        expect(failed).to_contain_text("You are offline")
        expect(page.get_by_label("The message")).to_have_value("Is this true?")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").tap()
        expect(page.get_by_role("heading", name="Looks harmless")).to_be_visible()


def test_a_message_is_text_and_never_markup(chromium: Browser, api: RunningApi) -> None:
    nasty = "<img src=x onerror=alert(1)><script>alert(2)</script> win"
    with on_the_phone(chromium, api) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        scan(page, nasty)
        expect(page.locator("article.result img")).to_have_count(0)


def test_signing_out_clears_the_phone(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Lunch at noon?")
        page.get_by_role("button", name="Your account").tap()
        expect(page.get_by_text("Signed in as ada.")).to_be_visible()
        page.get_by_role("button", name="Sign out and clear this phone").tap()
        expect(page.get_by_role("heading", name="Connect this phone")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Lunch at noon?")).to_have_count(0)


def test_another_phone_shows_earlier_scans_and_what_reviewers_decided(
    chromium: Browser, api: RunningApi
) -> None:
    sent = report(api, "ada", "win a car")
    with api.client("rita", "reviewer") as reviewer:
        reviewer.review(sent.id, ReviewAction.APPROVE)
    with on_the_phone(chromium, api) as page:
        expect(page.locator("#recent-list")).to_contain_text("a person agreed with you")
        page.get_by_role("button", name="win a car").tap()
        expect(page.locator(".opinion.approved")).to_contain_text("A person has looked and agrees")
        expect(page.get_by_role("button", name="Change")).to_have_count(0)


def test_erasing_oneself_leaves_nothing_here_or_there(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        wait_until_sent(page)
        page.get_by_role("button", name="Your account").tap()
        page.get_by_role("button", name="Erase everything about me").tap()
        question = page.get_by_role("dialog", name="Erase everything about me")
        question.get_by_role("button", name="Erase everything about me").tap()
        expect(page.get_by_role("heading", name="Connect this phone")).to_be_visible()
    assert feedback_of(api) == []
    with api.client("ada") as ada:
        assert ada.scans().items == []


def test_agreeing_to_the_audit_sample_reaches_the_server(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        page.get_by_role("button", name="Your account").tap()
        box = page.get_by_role("checkbox", name="Let people look")
        box.check()
        expect(page.locator("#toasts")).to_contain_text("Thank you.")
        page.get_by_role("button", name="Done").tap()
        page.reload()
        page.get_by_role("button", name="Your account").tap()
        expect(box).to_be_checked()


def test_a_wrong_token_is_refused_with_a_sentence(chromium: Browser, api: RunningApi) -> None:
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{api.url}/app")
        page.get_by_label("Code or access token").fill("not-a-token")
        page.get_by_role("button", name="Connect").tap()
        expect(page.get_by_role("alert")).to_contain_text("This token is not valid.")


def test_the_token_of_the_link_does_not_stay_in_the_address(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        assert page.url == f"{api.url}/app"


def test_the_app_is_installable(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        session = page.context.new_cdp_session(page)
        faults = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # A private profile, as tests have one, cannot install anything.
        assert [fault["errorId"] for fault in faults] in ([], ["in-incognito"])


def test_reports_reach_the_queue_of_the_reviewer(chromium: Browser, api: RunningApi) -> None:
    report(api, "bob", "win a car", "never asked for it")
    assert feedback_of(api) == [("ham", "never asked for it")]


def test_a_message_shared_from_another_app_waits_in_the_field(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        # What the share sheet of a phone does with an installed app.
        page.evaluate(
            """() => {
                const form = document.createElement('form');
                Object.assign(form, { method: 'post', action: '/app/share' });
                form.enctype = 'multipart/form-data';
                const field = Object.assign(document.createElement('textarea'), { name: 'text' });
                field.value = 'Is this your parcel? http://fee.example';
                form.append(field);
                document.body.append(form);
                form.submit();
            }"""
        )
        expect(page.get_by_label("The message")).to_have_value(
            "Is this your parcel? http://fee.example"
        )
        assert page.url == f"{api.url}/app"
        page.get_by_role("button", name="Scan", exact=True).tap()
        expect(page.locator("article.result blockquote")).to_contain_text("Is this your parcel?")


def test_a_message_that_was_begun_outlives_a_reload(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        expect(page.get_by_role("heading", name="How it works")).to_be_visible()
        page.get_by_label("The message").fill("Half a mess")
        page.reload()
        expect(page.get_by_label("The message")).to_have_value("Half a mess")
        scan(page, "A whole message")
        page.reload()
        expect(page.get_by_label("The message")).to_have_value("")
        expect(page.get_by_role("heading", name="How it works")).to_be_hidden()


def test_a_comment_survives_a_dialog_that_was_closed_and_a_change(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "We win together, see you at practice")
        page.get_by_role("button", name="Wrong").tap()
        page.get_by_label("Comment").fill("My own team")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Wrong").tap()
        expect(page.get_by_label("Comment")).to_have_value("My own team")
        page.get_by_role("button", name="Send").tap()
        wait_until_sent(page)
        page.get_by_role("button", name="Change").tap()
        expect(page.get_by_label("Comment")).to_have_value("My own team")
        page.get_by_label("Comment").fill("My own team, since May")
        page.get_by_role("button", name="Send").tap()
        expect(page.locator("#connection")).to_be_hidden()
        # The card says "sent" of the first claim until the second has arrived.
        changed = [("ham", "My own team, since May")]
        wait_until(lambda: feedback_of(api) == changed, lambda: feedback_of(api), page=page)


def test_a_link_asks_whose_account_it_is_before_it_connects_a_phone(
    chromium: Browser, api: RunningApi
) -> None:
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{api.url}/app#token={api.token('mallory')}")
        dialog = page.get_by_role("dialog", name="Connect this phone as mallory?")
        expect(dialog).to_contain_text("goes to this account")
        dialog.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Connect this phone")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Connect this phone")).to_be_visible()


def test_a_link_does_not_replace_the_account_of_a_connected_phone(
    chromium: Browser, api: RunningApi
) -> None:
    with on_the_phone(chromium, api) as page:
        page.goto(f"{api.url}/app#token={api.token('mallory')}")
        dialog = page.get_by_role("dialog", name="This phone stays with ada")
        expect(dialog).to_contain_text("belongs to mallory")
        dialog.get_by_role("button", name="Close").click()
        scan(page, "Reply now to win a holiday")
        page.goto(f"{api.url}/app#token={api.token('ada')}")  # of the same person: it is renewed
        page.reload()
        expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()
    with api.client("mallory") as mallory, api.client("ada") as ada:
        assert mallory.scans().items == []
        assert len(ada.scans().items) == 1


def test_over_plain_http_a_tap_is_kept_and_sent_and_the_page_says_what_is_missing(
    chromium: Browser, api: RunningApi
) -> None:
    there = api.url.replace("127.0.0.1", "phone.lan")
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{there}/app#token={api.token('ada')}")
        assert page.evaluate("[isSecureContext, 'randomUUID' in crypto, 'locks' in navigator]") == [
            False,
            False,
            False,
        ]
        page.get_by_role("button", name="Connect as ada").click()
        expect(page.get_by_role("note")).to_contain_text("not opened over HTTPS")
        scan(page, "Reply now to win a holiday")
        page.get_by_role("button", name="Correct").tap()
        expect(page.locator("#toasts")).to_contain_text("Thanks for your feedback!")
        wait_until_sent(page)
    assert feedback_of(api) == [("spam", None)]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("QuotaExceededError", "This phone has no room left for it. Free some space"),
        ("InvalidStateError", "Something went wrong on this phone. Reload this page"),
    ],
)
def test_a_tap_that_cannot_be_kept_says_so(
    chromium: Browser, api: RunningApi, fault: str, told: str
) -> None:
    with on_the_phone(chromium, api) as page:
        scan(page, "Reply now to win a holiday")
        page.wait_for_load_state("networkidle")  # what the page still keeps by itself is kept
        page.evaluate(
            "(name) => { IDBObjectStore.prototype.put ="
            " () => { throw new DOMException('The disk is odd.', name); }; }",
            fault,
        )
        page.get_by_role("button", name="Correct").tap()
        alert = page.locator(".opinion.unkept").get_by_role("alert")
        expect(alert).to_have_text(f"This could not be kept: {told}, then try again.")
    assert feedback_of(api) == []


def test_a_code_shown_at_the_desk_connects_a_phone_once(chromium: Browser, api: RunningApi) -> None:
    with open_page(chromium) as (_, desk):
        desk.goto(f"{api.url}/login?next=/review#token={api.token('rita', 'reviewer')}")
        desk.get_by_role("button", name="Sign in as rita").click()
        expect(desk.get_by_role("heading", name="Queue")).to_be_visible()
        desk.goto(f"{api.url}/login?next=/app")
        desk.get_by_role("button", name="Show a code for another phone").click()
        expect(desk.get_by_role("img", name="QR code")).to_be_visible()
        code = desk.locator("#code").inner_text()
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{api.url}/app")
        page.get_by_label("Code or access token").fill(code)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{api.url}/app#code={code}")
        expect(page.locator("#toasts")).to_contain_text("A code is good once")


def test_an_invitation_is_one_link_that_works_once(chromium: Browser, api: RunningApi) -> None:
    with api.client("rita", "admin") as rita:
        link = f"{api.url}/app#code={rita.invite('ben').code}"
    with open_page(chromium, PHONE) as (_, page):
        page.goto(link)
        page.get_by_role("button", name="Connect as ben").tap()
        expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()
    with open_page(chromium, PHONE) as (_, page):
        page.goto(link)
        expect(page.locator("#toasts")).to_contain_text("A code is good once")
