"""The phone shows the feedback buttons: a real system, a real model, a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from cli.session import mint
from tests.support.browser import PHONE, WIDE, open_page
from tests.support.system import running_system, serve

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCAM = "WINNER! You have been selected for a 1000 pound prize. Call 09061701461 to claim now"


def test_the_phone_shows_the_feedback_buttons(chromium: Browser, tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        version = serve(system, tmp_path)
        token = mint(system.home, "ada", ["user"], lifetime_seconds=3600)
        with open_page(chromium, PHONE) as (_, phone):
            phone.goto(f"{system.url}/app#token={token}")
            phone.get_by_label("The message").fill(SCAM)
            phone.get_by_role("button", name="Scan").tap()
            card = phone.locator("article.result")
            expect(card.get_by_role("heading")).to_have_text("Looks like a scam")
            expect(card.get_by_text(f"Judged by {version}")).to_be_visible()
            expect(card.get_by_role("button", name="Correct")).to_be_visible()
            card.get_by_role("button", name="Wrong").tap()
            phone.get_by_label("Comment").fill("It is a game of ours")
            phone.get_by_role("button", name="Send").tap()
            expect(phone.locator("#toasts")).to_contain_text("Thanks for your feedback!")

        # The link that `shieldctl up` prints opens the reviewer's room; the report is there.
        with open_page(chromium, WIDE) as (_, desk):
            desk.goto(str(system.greeting["review"]))
            expect(desk.locator("#message")).to_have_text(SCAM)
            expect(desk.locator("article.item")).to_contain_text("It is a game of ours")
            expect(desk.locator("#message mark").first).to_be_visible()
            desk.keyboard.press("r")
            expect(desk.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
            expect(desk.locator("#toasts")).to_contain_text("rejected")
        with system.client("ada", "user") as client:
            marks = [one.feedback for one in client.scans()]
        assert [mark.status for mark in marks if mark] == ["rejected"]
