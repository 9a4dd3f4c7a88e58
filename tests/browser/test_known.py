"""The story of a known campaign in a browser: objected, decided twice, answered, taken back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from shield.labels import FeedbackType, ScanType
from shield.wire import ReviewAction
from tests.browser.world import Reachable, at_the_desk, on_the_phone, scan, violations, world
from tests.support.api import RunningApi
from tests.support.browser import open_page
from tests.support.replicas import replicas
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOP = "You win a voucher with your order 4711 at our shop, see https://shop.example/v for terms"
SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = "YOUR p\u0430rcel 99 is being held at our depot, pay 3.49 at http://x.post-pay.example/zz"


def notice(page: Page, title: str) -> Locator:
    """Wait until the phone tells this on top of the page, and return it."""
    told = page.locator("#inbox article").filter(has_text=title)

    def there() -> bool:
        page.reload()
        page.locator("#recent-list li").first.wait_for()
        page.wait_for_load_state("networkidle")
        return told.count() == 1

    wait_until(there, f"the phone never said: {title}", page=page)
    return told


def heading(page: Page) -> str:
    return page.locator("article.result").get_by_role("heading", level=1).inner_text()


@contextmanager
def one_process(folder: Path) -> Iterator[list[Reachable]]:
    """One API over SQLite, where a day goes by in a moment."""
    with world(folder) as api:
        yield [api, api]


@contextmanager
def two_replicas(folder: Path) -> Iterator[list[Reachable]]:
    """Two API processes over PostgreSQL."""
    with replicas(folder, SHIELD_API_EMBEDDED="true") as both:
        yield [both.at(0), both.at(1)]


@pytest.mark.parametrize(
    "place",
    [one_process, pytest.param(two_replicas, marks=pytest.mark.xdist_group("postgres"))],
)
def test_what_two_reviewers_decide_warns_every_phone_until_it_is_taken_back(
    chromium: Browser,
    tmp_path: Path,
    place: Callable[[Path], AbstractContextManager[list[Reachable]]],
) -> None:
    with place(tmp_path) as (here, there):
        with there.client("cleo") as cleo:  # told so yesterday
            cleo.scan(ScanType.TEXT, COPY)
        if isinstance(here, RunningApi):
            here.clock.move_on(86400)
        with on_the_phone(chromium, here, "ann") as ann:
            scan(ann, SCAM)
            assert heading(ann) == "Looks harmless"
            ann.get_by_role("button", name="Wrong").tap()
            ann.get_by_role("button", name="Send").tap()
            expect(ann.locator(".opinion.sent")).to_be_visible()
        with here.client("cat") as cat:
            cat.send_feedback(cat.scan(ScanType.TEXT, SCAM).id, FeedbackType.FALSE_NEGATIVE)
        with at_the_desk(chromium, here) as rita:
            # One wording, two reports: rita decides the first alone, otto the other.
            rita.get_by_label("All 2 waiting reports").uncheck()
            rita.keyboard.press("s")
            expect(rita.locator("#toasts")).to_contain_text("marked as being checked")
        with there.client("bob") as bob:  # the other process hears of it
            wait_until(lambda: bob.scan(ScanType.TEXT, COPY).known is not None)
        with on_the_phone(chromium, there, "bob") as bob_s_phone:
            scan(bob_s_phone, COPY)
            assert heading(bob_s_phone) == "We are not sure"
            expect(bob_s_phone.locator("article.result")).to_contain_text("being checked")
        with there.client("otto", "reviewer") as otto:
            waiting = {item.id for item in otto.pending()}
            (left,) = waiting
            otto.review(left, ReviewAction.APPROVE)
        # From here on the database answers for both: nobody waits.
        with on_the_phone(chromium, there, "bob") as bob_s_phone:
            scan(bob_s_phone, COPY)
            assert heading(bob_s_phone) == "Looks like a scam"
            expect(bob_s_phone.locator("article.result")).to_contain_text(
                "found to be a scam by reviewers"
            )
        with on_the_phone(chromium, here, "ann") as ann:
            notice(ann, "You were right.")
        with on_the_phone(chromium, there, "cleo") as cleo_s_phone:
            warned = notice(cleo_s_phone, "We were wrong about a message.")
            expect(warned.locator(".now")).to_be_visible()
        with at_the_desk(chromium, here) as rita:
            rita.get_by_role("link", name="Known").click()
            expect(rita.get_by_role("heading", name="Known campaigns")).to_be_visible()
            expect(rita.locator("main")).to_contain_text("post-pay.example")
            rita.get_by_label("Why it is taken back").fill("a mistake")
            rita.get_by_role("button", name="Take it back").click()
            expect(rita.locator("main")).to_contain_text("undone")
        with on_the_phone(chromium, there, "bob") as bob_s_phone:
            scan(bob_s_phone, COPY)
            assert heading(bob_s_phone) == "Looks harmless"
        for at, user in ((here, "ann"), (there, "cleo")):
            with on_the_phone(chromium, at, user) as page:
                notice(page, "We take something back.")


def test_a_sender_without_an_account_contests_a_warning_and_reads_the_answer(
    chromium: Browser, tmp_path: Path
) -> None:
    with world(tmp_path) as api, open_page(chromium, (390, 844)) as (_, sender):
        sender.goto(f"{api.url}/contest")
        sender.get_by_label("The message, as you send it").fill(SHOP)
        sender.get_by_label("Who sends it, and why it is honest").fill("We are the shop.")
        sender.get_by_label("How we can reach you").fill("shop@example.org")
        sender.get_by_role("button", name="Send").tap()
        receipt = sender.locator("#receipt").inner_text()
        with at_the_desk(chromium, api) as rita:
            expect(rita.locator("article.item")).to_contain_text("We are the shop.")
            rita.keyboard.press("h")
            expect(rita.locator("#toasts")).to_contain_text("Decided")
            rita.get_by_role("link", name="Contests").click()
            rita.get_by_label("Write to the sender").fill("Thank you for telling us.")
            rita.get_by_role("button", name="Answer").click()
            expect(rita.locator("main")).to_contain_text("Answered by rita")
        sender.get_by_role("textbox", name="Receipt").fill("not a receipt")
        sender.get_by_role("button", name="Read the answer").tap()
        expect(sender.get_by_role("alert")).to_contain_text("no such receipt")
        sender.get_by_role("textbox", name="Receipt").fill(receipt.lower())
        sender.get_by_role("button", name="Read the answer").tap()
        expect(sender.locator("main")).to_contain_text("found your message harmless")
        expect(sender.locator("#words")).to_have_text("Thank you for telling us.")
        sender.get_by_role("button", name="Erase my message").tap()
        expect(sender.get_by_role("status").first).to_contain_text("are erased")


def test_contesting_is_accessible_and_fits_a_narrow_phone_in_every_language(
    chromium: Browser, tmp_path: Path
) -> None:
    with world(tmp_path) as api, open_page(chromium, (320, 640)) as (_, page):
        page.goto(f"{api.url}/contest")
        names = page.locator("nav.languages a").all_inner_texts()
        assert len(names) == 10
        for name in names:
            page.get_by_role("link", name=name, exact=True).tap()
            expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute(
                "aria-current", "true"
            )
            page.locator("#text").fill(SHOP)
            page.locator("#reason").evaluate("element => { element.required = false }")
            page.locator("button.primary").tap()
            expect(page.get_by_role("alert")).to_be_visible()
            assert violations(page) == [], name
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.evaluate(wide), name
