"""The whole loop by hand: a real system, one phone, one desk, taps, clicks and keys.

Only what a cluster or a command line does is done there: the pipeline runs by `shieldctl`, and the
second version is the small test model of another run. (The demo's journey trains a real one.)
"""

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.session import mint
from tests.journeys.test_phone import SCAM, give_reason, push_another
from tests.support.browser import PHONE, WIDE, open_page
from tests.support.system import System, running_system, serve
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_the_whole_loop_is_done_by_hand_in_a_browser(chromium: Browser, tmp_path: Path) -> None:
    with running_system(tmp_path / "home") as system:
        first = serve(system, tmp_path, step="50:600:0")
        second = push_another(system, tmp_path)
        with (
            open_page(chromium, PHONE) as (_, phone),
            open_page(chromium, WIDE) as (_, desk),
        ):
            token = mint(system.home, "ada", ["user"], lifetime_seconds=3600)
            phone.goto(f"{system.url}/app#token={token}")
            phone.get_by_role("button", name="Connect as ada").click()
            _a_user_objects_offline(phone, first)
            _a_reviewer_approves_by_keys(desk, str(system.greeting["review"]))
            phone.reload()
            expect(phone.locator("#recent-list")).to_contain_text("a person agreed with you")
            _the_run_is_told(desk, system)
            _a_version_comes_and_goes(desk, phone, system.url, first, second)
            _all_of_it_is_on_record(desk)
        _no_process_was_handed_a_secret(system)


def _no_process_was_handed_a_secret(system: System) -> None:
    secrets = [file.read_bytes().strip() for file in system.home.keys.rglob("*") if file.is_file()]
    assert len(secrets) >= 5
    looked = 0
    for pid in system.processes():
        with suppress(OSError):  # a short-lived one has ended
            handed_on = Path(f"/proc/{pid}/environ").read_bytes()
            looked += 1
            assert not [secret for secret in secrets if secret and secret in handed_on]
    assert looked >= 4, "supervisor, API, operator and model server"


def _scan(phone: Page, text: str) -> None:
    if phone.locator("#result").is_visible():
        phone.get_by_role("button", name="Scan another").tap()
        expect(phone.locator("#home")).to_be_visible()
    phone.get_by_label("The message").fill(text)
    phone.get_by_role("button", name="Scan", exact=True).tap()
    expect(phone.locator("article.result blockquote")).to_have_text(text)


def _a_user_objects_offline(phone: Page, version: str) -> None:
    _scan(phone, SCAM)
    card = phone.locator("article.result")
    expect(card.get_by_role("heading", level=1)).to_have_text("Looks like a scam")
    expect(card.get_by_text(f"Judged by {version}")).to_be_visible()
    phone.context.set_offline(True)
    card.get_by_role("button", name="Wrong").tap()
    phone.get_by_label("Comment").fill("It is a game of ours")
    phone.get_by_role("button", name="Send").tap()
    expect(phone.locator("#toasts")).to_contain_text("Thanks for your feedback!")
    expect(phone.locator("#connection")).to_contain_text("1 answer waits to be sent.")
    phone.context.set_offline(False)
    expect(phone.locator(".opinion.sent")).to_be_visible()


def _a_reviewer_approves_by_keys(desk: Page, link: str) -> None:
    desk.goto(link)
    desk.get_by_role("button", name="Sign in as").click()
    expect(desk.locator("#message")).to_have_text(SCAM)
    expect(desk.locator("article.item")).to_contain_text("It is a game of ours")
    expect(desk.locator("#message mark").first).to_be_visible()
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("s")
    expect(desk.locator("#toasts")).to_contain_text("Decided: scam.")
    desk.keyboard.press("u")
    expect(desk.locator("#toasts")).to_contain_text("taken back")
    expect(desk.get_by_role("button", name="Scam")).to_be_visible()
    desk.keyboard.press("n")
    expect(desk.locator("#notes")).to_be_focused()
    desk.keyboard.type("Asked the club: true")
    desk.keyboard.press("Escape")
    desk.keyboard.press("h")
    expect(desk.locator("#toasts")).to_contain_text("Decided: harmless.")
    expect(desk.get_by_role("heading", name="Nothing waits for you")).to_be_visible()


def _the_run_is_told(desk: Page, system: System) -> None:
    run = system.shieldctl("pipeline", "run", "sms")
    assert run["outcome"] == "skipped"  # one correction is too few, and no failure
    desk.get_by_role("link", name="Runs").click()
    row = desk.get_by_role("row").filter(has_text="skipped")
    expect(row).to_contain_text("50")
    desk.get_by_role("link", name="Statistics").click()
    expect(desk.get_by_role("heading", name="The five metrics")).to_be_visible()
    expect(desk.locator(".tally")).to_contain_text("Approved")
    expect(desk.locator(".metric").filter(has_text="Approval")).to_contain_text("100%")


def _a_version_comes_and_goes(desk: Page, phone: Page, url: str, first: str, second: str) -> None:
    desk.get_by_role("link", name="Models").click()
    desk.get_by_role("link", name=second).first.click()
    give_reason(desk, f"Roll out {second}", "The weekly candidate")
    give_reason(desk, f"Promote {second}", "The figures are good")
    stable = desk.locator(".split strong").first
    expect(stable).to_have_text(second)
    _judged_by(phone, second)
    give_reason(desk, f"Undo: back to {first}", "People complain")
    expect(stable).to_have_text(first)
    _judged_by(phone, first)
    desk.goto(f"{url}/review/models?model=sms")
    row = desk.get_by_role("row").filter(has=desk.get_by_role("link", name=second))
    expect(row.first.get_by_text("rolled back")).to_be_visible()


def _judged_by(phone: Page, version: str) -> None:
    """Scan until the answer comes from `version`: the router follows within a moment."""
    number = 0

    def answers() -> bool:
        nonlocal number
        number += 1
        _scan(phone, f"Lunch at {number}?")
        return phone.get_by_text(f"Judged by {version}").is_visible()

    wait_until(answers, f"{version} does not answer the phone", page=phone, pause_seconds=0.25)


def _all_of_it_is_on_record(desk: Page) -> None:
    desk.get_by_role("link", name="Audit").click()
    desk.get_by_role("button", name="Verify the chain").click()
    expect(desk.get_by_text("The chain holds")).to_be_visible()
    for action, reason in (
        ("feedback.approve", "Asked the club: true"),
        ("rollout.undo", "People complain"),
    ):
        desk.get_by_label("Action").fill(action)
        desk.get_by_role("button", name="Filter").click()
        row = desk.get_by_role("row").filter(has_text=reason)
        expect(row.first).to_contain_text(action)
