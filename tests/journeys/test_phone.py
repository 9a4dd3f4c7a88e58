"""The phone shows the feedback buttons: a real system, a real model, a real browser."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.session import mint
from shield.packages import pack
from tests.support.browser import PHONE, WIDE, open_page
from tests.support.packages import signed_package
from tests.support.system import System, running_system, serve

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCAM = "WINNER! You have been selected for a 1000 pound prize. Call 09061701461 to claim now"


def test_the_phone_shows_the_feedback_buttons(chromium: Browser, tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        version = serve(system, tmp_path)
        token = mint(system.home, "ada", ["user"], lifetime_seconds=3600)
        with open_page(chromium, PHONE) as (_, phone):
            phone.goto(f"{system.url}/app#token={token}")
            phone.get_by_role("button", name="Connect as ada").click()
            phone.get_by_label("The message").fill(SCAM)
            phone.get_by_role("button", name="Scan", exact=True).tap()
            card = phone.locator("article.result")
            expect(card.get_by_role("heading", level=1)).to_have_text("Looks like a scam")
            expect(card.get_by_text(f"Judged by {version}")).to_be_visible()
            expect(card.get_by_role("button", name="Correct")).to_be_visible()
            card.get_by_role("button", name="Wrong").tap()
            phone.get_by_label("Comment").fill("It is a game of ours")
            phone.get_by_role("button", name="Send").tap()
            expect(phone.locator("#toasts")).to_contain_text("Thanks for your feedback!")

        # The link that `shieldctl up` prints opens the reviewer's room; the report is there.
        with open_page(chromium, WIDE) as (_, desk):
            desk.goto(str(system.greeting["review"]))
            desk.get_by_role("button", name="Sign in as").click()
            expect(desk.locator("#message")).to_have_text(SCAM)
            expect(desk.locator("article.item")).to_contain_text("It is a game of ours")
            expect(desk.locator("#message mark").first).to_be_visible()
            desk.keyboard.press("s")
            expect(desk.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
            expect(desk.locator("#toasts")).to_contain_text("Decided: scam.")
        with system.client("ada", "user") as client:
            marks = [one.feedback for one in client.scans()]
        assert [mark.status for mark in marks if mark] == ["rejected"]


def push_another(system: System, folder: Path) -> str:
    """Sign and register a second package, the same model of another run; return its name."""
    package = folder / "another"
    shutil.copytree(signed_package().package.path, package, copy_function=os.link)
    for small in ("manifest.json", "manifest.sig"):
        (package / small).unlink()  # linked: what is written must not reach the original
    pack(package, signed_package().package.manifest.model_copy(update={"run_id": "another"}))
    system.shieldctl("model", "sign", str(package))
    return str(system.shieldctl("model", "push", str(package))["name"])


def test_an_admin_rolls_out_promotes_and_takes_back_in_the_browser(
    chromium: Browser, tmp_path: Path
) -> None:
    with running_system(tmp_path / "home") as system:
        first = serve(system, tmp_path, step="50:600:0")
        second = push_another(system, tmp_path)
        with open_page(chromium, WIDE) as (_, desk):
            desk.goto(str(system.greeting["review"]))
            desk.get_by_role("button", name="Sign in as").click()
            expect(desk.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
            desk.goto(f"{system.url}/review/models/sms/{second}")
            give_reason(desk, f"Roll out {second}", "The weekly candidate")
            give_reason(desk, f"Promote {second}", "The figures are good")
            stable = desk.locator(".split strong").first
            expect(stable).to_have_text(second)
            give_reason(desk, f"Undo: back to {first}", "People complain")
            expect(stable).to_have_text(first)
            desk.goto(f"{system.url}/review/models?model=sms")
            row = desk.get_by_role("row").filter(has=desk.get_by_role("link", name=second))
            expect(row.first.get_by_text("rolled back")).to_be_visible()
            expect(desk.get_by_text("People complain").first).to_be_visible()


def give_reason(desk: Page, button: str, reason: str) -> None:
    desk.get_by_role("button", name=button).click()
    dialog = desk.get_by_role("dialog", name="Why?")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Go on").click()
