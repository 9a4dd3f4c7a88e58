"""The story of a known campaign in a browser: objected, decided twice, answered, taken back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from shield.labels import FeedbackType, ScanType
from shield.wire import ReviewAction
from tests.browser.world import at_the_desk, on_the_phone, scan, world
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

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


def test_what_two_reviewers_decide_warns_every_phone_until_it_is_taken_back(
    chromium: Browser, tmp_path: Path
) -> None:
    with world(tmp_path) as api:
        with api.client("cleo") as cleo:  # told so yesterday
            cleo.scan(ScanType.TEXT, COPY)
        api.clock.move_on(86400)
        with on_the_phone(chromium, api, "ann") as ann:
            scan(ann, SCAM)
            assert heading(ann) == "Looks harmless"
            ann.get_by_role("button", name="Wrong").tap()
            ann.get_by_role("button", name="Send").tap()
            expect(ann.locator(".opinion.sent")).to_be_visible()
        with api.client("cat") as cat:
            cat.send_feedback(cat.scan(ScanType.TEXT, SCAM).id, FeedbackType.FALSE_NEGATIVE)
        with at_the_desk(chromium, api) as rita:
            # One wording, two reports: rita decides the first alone, otto the other.
            rita.get_by_label("All 2 waiting reports").uncheck()
            rita.keyboard.press("s")
            expect(rita.locator("#toasts")).to_contain_text("marked as being checked")
        with on_the_phone(chromium, api, "bob") as bob:
            scan(bob, COPY)
            assert heading(bob) == "We are not sure"
            expect(bob.locator("article.result")).to_contain_text("being checked")
        with api.client("otto", "reviewer") as otto:
            waiting = {item.id for item in otto.pending()}
            (left,) = waiting
            otto.review(left, ReviewAction.APPROVE)
        with on_the_phone(chromium, api, "bob") as bob:
            scan(bob, COPY)
            assert heading(bob) == "Looks like a scam"
            expect(bob.locator("article.result")).to_contain_text("found to be a scam by reviewers")
        with on_the_phone(chromium, api, "ann") as ann:
            notice(ann, "You were right.")
        with on_the_phone(chromium, api, "cleo") as cleo_s_phone:
            warned = notice(cleo_s_phone, "We were wrong about a message.")
            expect(warned.locator(".now")).to_be_visible()
        with at_the_desk(chromium, api) as rita:
            rita.get_by_role("link", name="Known").click()
            expect(rita.get_by_role("heading", name="Known campaigns")).to_be_visible()
            expect(rita.locator("main")).to_contain_text("post-pay.example")
            rita.get_by_label("Why it is taken back").fill("a mistake")
            rita.get_by_role("button", name="Take it back").click()
            expect(rita.locator("main")).to_contain_text("undone")
        with on_the_phone(chromium, api, "bob") as bob:
            scan(bob, COPY)
            assert heading(bob) == "Looks harmless"
        for user in ("ann", "cleo"):
            with on_the_phone(chromium, api, user) as page:
                notice(page, "We take something back.")
