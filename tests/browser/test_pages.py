"""Every page: accessible, free of script errors, and talking to nobody but its own server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from shield.labels import ModelType
from tests.browser.world import at_the_desk, on_the_phone, report, scan, violations, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE, WIDE, open_page
from tests.support.history import live_through

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DESK = [
    "/review",
    "/review/statistics",
    "/review/models?model=sms",
    "/review/models/sms/sms-v2",
    "/review/models/sms/compare?old=sms-v2&new=sms-v4",
    "/review/rollouts",
    "/review/runs",
    "/review/audit?verify=1",
    "/review/known",
    "/review/contests",
]


BROKEN = """(ids) => {
    const known = new Set(ids);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    let seen = 0;
    while (texts.nextNode()) {
        const [id, around] = [texts.currentNode.data.trim(), texts.currentNode.parentElement];
        if (!known.has(id) || around.localName === "option") continue;
        const range = document.createRange();
        range.selectNodeContents(texts.currentNode);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
        if (boxes.length > 0) seen += 1;
        const lines = new Set(boxes.map((box) => Math.round(box.top)));
        if (lines.size > 1) found.push(`${id} is broken`);
        const cut = getComputedStyle(around).overflowX === "hidden" && around.title !== id;
        if (cut && around.scrollWidth > around.clientWidth + 1) found.push(`${id} is cut off`);
    }
    return [seen, found];
}"""
"""Counts the ids on a page, and names those that are on more than one line, or cannot be read."""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """An API that has seen reports, decisions, versions, a rollout and runs."""
    with world(Path(tmp_path_factory.mktemp("lived-in"))) as api:
        live_through(api)
        yield api


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(WIDE, "light", id="wide-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(WIDE, "dark", id="wide-dark", marks=pytest.mark.slow),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_wrong_with_the_dashboard(
    chromium: Browser, lived_in: RunningApi, size: tuple[int, int], scheme: str
) -> None:
    with at_the_desk(chromium, lived_in, size=size, color_scheme=scheme) as page:
        found = {}
        for path in DESK:
            answer = page.goto(lived_in.url + path)
            assert answer is not None
            assert answer.status == 200, path
            page.wait_for_load_state("networkidle") if "rollouts" not in path else None
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = true }")
            found[path] = violations(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        page.goto(lived_in.url + "/review")
        page.keyboard.press("?")
        found["keys"] = violations(page)
    assert found == {name: [] for name in [*DESK, "keys"]}


def test_ids_are_never_broken_over_lines_and_can_be_read_whole(
    chromium: Browser, lived_in: RunningApi
) -> None:
    with lived_in.client("rita", "reviewer", "admin") as rita:
        ids = {one.run_id for one in rita.runs()}
        ids |= {entry.subject for entry in rita.audit(limit=200)}
        for version in rita.versions(ModelType.SMS):
            ids |= {version.name, version.digest, *version.batches}
        pending = rita.pending().items
        ids |= {name for item in pending for name in (item.id, item.scan.id)}
    seen: dict[str, int] = {}
    found = {}
    with at_the_desk(chromium, lived_in, size=(320, 640)) as page:
        for path in [*DESK, f"/review?item={pending[0].id}"]:
            page.goto(lived_in.url + path)
            expect(page.locator("html.scripted")).to_be_attached()
            for details in page.locator("details").all():
                details.evaluate("element => { element.open = true }")
            seen[path], found[path] = page.evaluate(BROKEN, sorted(ids))
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert {path: said for path, said in found.items() if said} == {}
    without = {path for path, number in seen.items() if number == 0}
    assert without <= {"/review/statistics", "/review/known", "/review/contests"}, seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_the_phone_and_the_sign_in(
    chromium: Browser, lived_in: RunningApi, scheme: str
) -> None:
    found = {}
    with open_page(chromium, PHONE, color_scheme=scheme) as (_, page):
        for path in ("/login", "/app", "/contest", "/review/nowhere"):
            page.goto(lived_in.url + path)
            # The phone's script chooses what it shows a moment after the page has come.
            expect(page.locator("h1").filter(visible=True)).to_be_visible()
            found[path] = violations(page)
    with on_the_phone(chromium, lived_in, "ada", color_scheme=scheme) as page:
        found["empty"] = violations(page)
        scan(page, "You win a prize, call now")
        scan(page, "Lunch at noon?")
        found["result"] = violations(page)
        page.get_by_role("button", name="Wrong").tap()
        found["dialog"] = violations(page)
        page.get_by_role("button", name="Send").tap()
        expect(page.locator(".opinion.sent")).to_be_visible()
        found["thanks"] = violations(page)
        page.get_by_role("button", name="Your account").tap()
        expect(page.get_by_text("Signed in as ada.")).to_be_visible()
        found["account"] = violations(page)
    assert {name: said for name, said in found.items() if said} == {}


def test_no_page_asks_anybody_else(chromium: Browser, lived_in: RunningApi) -> None:
    asked: list[str] = []
    with at_the_desk(chromium, lived_in) as page:
        page.on("request", lambda request: asked.append(request.url))
        for path in [*DESK, "/app"]:
            page.goto(lived_in.url + path)
            page.wait_for_timeout(100)
    assert asked
    assert [url for url in asked if not url.startswith(lived_in.url)] == []


def test_a_script_that_sneaks_into_a_page_does_not_run(
    chromium: Browser, lived_in: RunningApi
) -> None:
    # A bare page: here the blocked script is the point, not a fault.
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{lived_in.url}/login")
        page.evaluate(
            """() => {
                window.ran = false;
                const image = '<img src=x onerror="window.ran = true">';
                const script = document.createElement('script');
                try { script.text = 'window.ran = true'; document.body.append(script); } catch {}
                try { document.body.insertAdjacentHTML('beforeend', image); } catch {}
            }"""
        )
        page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is False


def tab_order(page: Page, steps: int) -> list[str]:
    """Return the names of what Tab reaches."""
    names = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 30)"))
    return names


def test_every_page_is_named_in_the_navigation_without_scrolling(
    chromium: Browser, lived_in: RunningApi
) -> None:
    with at_the_desk(chromium, lived_in, "ruth", size=(1024, 700)) as page:
        for width in (1280, 1024, 960):
            page.set_viewport_size({"width": width, "height": 700})
            hidden = "nav => nav.scrollWidth - nav.clientWidth"
            assert page.get_by_role("navigation", name="Dashboard").evaluate(hidden) <= 0, width


def test_tab_reaches_content_first_and_then_the_navigation(
    chromium: Browser, lived_in: RunningApi
) -> None:
    with at_the_desk(chromium, lived_in) as page:
        page.goto(f"{lived_in.url}/review/runs")
        order = tab_order(page, 11)
    assert order[0] == "Skip to content"
    places = ["Queue", "Known", "Contests", "Statistics", "Models", "Rollouts", "Runs", "Audit"]
    assert order[1:11] == ["Antispam Shield", *places, "Sign out"]


def test_a_report_of_a_run_is_shown_in_a_sandbox(chromium: Browser, lived_in: RunningApi) -> None:
    with at_the_desk(chromium, lived_in) as page:
        page.goto(f"{lived_in.url}/review/runs")
        with page.expect_response("**/report") as answer:
            page.get_by_role("link", name="Report").first.click()
    assert answer.value.status == 200
    assert answer.value.headers["content-security-policy"].startswith("sandbox;")


def test_steering_a_rollout_asks_for_a_reason_that_reaches_the_record(
    chromium: Browser, tmp_path: Path
) -> None:
    with world(tmp_path) as api:
        live_through(api)
        with at_the_desk(chromium, api) as page:
            page.goto(f"{api.url}/review/rollouts")
            page.get_by_role("button", name="Pause").click()
            dialog = page.get_by_role("dialog", name="Why?")
            dialog.get_by_label("Reason").fill("Waiting for the holiday to pass")
            dialog.get_by_role("button", name="Go on").click()
            expect(page.get_by_role("button", name="Resume")).to_be_visible()
        with api.client("rita", "reviewer", "admin") as admin:
            entry = next(one for one in admin.audit().items if one.action == "rollout.pause")
            assert admin.rollout(ModelType.SMS).spec.paused is True
    assert (entry.actor, entry.reason) == ("rita", "Waiting for the holiday to pass")


def test_tainting_a_version_asks_for_a_reason_and_shows_on_its_children(
    chromium: Browser, tmp_path: Path
) -> None:
    with world(tmp_path) as api:
        live_through(api)
        with at_the_desk(chromium, api) as page:
            page.goto(f"{api.url}/review/models/sms/sms-v2")
            page.get_by_role("button", name="Taint").click()
            dialog = page.get_by_role("dialog", name="Why?")
            dialog.get_by_label("Reason").fill("A ring of reporters fed it")
            dialog.get_by_role("button", name="Go on").click()
            expect(page.get_by_text("Tainted: A ring of reporters fed it")).to_be_visible()
            page.goto(f"{api.url}/review/models?model=sms")
            child = page.get_by_role("row").filter(has=page.get_by_role("link", name="sms-v4"))
            expect(child.get_by_text("tainted")).to_be_visible()


def test_a_reviewer_who_is_no_admin_cannot_steer(chromium: Browser, lived_in: RunningApi) -> None:
    with at_the_desk(chromium, lived_in, "paul", "reviewer") as page:
        page.goto(f"{lived_in.url}/review/rollouts")
        expect(page.get_by_text("An admin may promote, pause, end and undo.")).to_be_visible()
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_reports_of_many_people_stay_readable_on_a_phone(chromium: Browser, tmp_path: Path) -> None:
    with world(tmp_path) as api:
        report(api, "eve", "win " + "W" * 900)
        with at_the_desk(chromium, api, size=PHONE) as page:
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
