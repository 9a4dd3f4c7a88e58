"""What the browser tests have in common: a real API with a model that a test can foresee."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, Page, expect

from shield.client import ShieldClient
from shield.labels import FeedbackType, ScanType
from shield.wire import FeedbackRead
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, judges_by_word, model_server
from tests.support.browser import WIDE, open_page
from tests.support.waiting import wait_until

AXE = Path(__file__).parents[2] / "api/pages/assets/node_modules/axe-core/axe.min.js"


class Reachable(Protocol):
    """An API that a browser and a client can reach: a running one, or one of several replicas."""

    @property
    def url(self) -> str: ...

    def token(self, subject: str, *roles: str) -> str: ...

    def client(self, subject: str, *roles: str) -> AbstractContextManager[ShieldClient]: ...


@contextmanager
def world(
    folder: Path, judge: Callable[[str], float] = judges_by_word, **settings: Any
) -> Iterator[RunningApi]:
    """Serve the API, its pages and one model; the model calls whatever says "win" a scam."""
    with (
        model_server(judge=judge) as arm,
        running_api(
            folder,
            prepare=lambda services: deploy(services.rollouts, arm),
            **{"embedded": True, **settings},
        ) as api,
    ):
        yield api


def report(api: RunningApi, user: str, text: str, comment: str | None = None) -> FeedbackRead:
    """Scan as `user` and say that the verdict was wrong."""
    with api.client(user) as client:
        scan = client.scan(ScanType.TEXT, text)
        scam = scan.verdict == "spam"
        claim = FeedbackType.FALSE_POSITIVE if scam else FeedbackType.FALSE_NEGATIVE
        return client.send_feedback(scan.id, claim, comment=comment)


@contextmanager
def at_the_desk(
    chromium: Browser,
    api: Reachable,
    who: str = "rita",
    *roles: str,
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> Iterator[Page]:
    """Open the dashboard, signed in by the kind of link that `shieldctl up` prints."""
    with open_page(chromium, size, **options) as (_, page):
        token = api.token(who, *(roles or ("reviewer", "admin")))
        page.goto(f"{api.url}/login#token={token}")
        page.get_by_role("button", name=f"Sign in as {who}").click()
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        # The page is readable before its script runs, and a key pressed in between is nobody's.
        expect(page.locator("html.scripted")).to_be_attached()
        yield page


@contextmanager
def on_the_phone(
    chromium: Browser, api: Reachable, user: str = "ada", **options: Any
) -> Iterator[Page]:
    """Open the phone's client, connected by a link."""
    with open_page(chromium, (390, 844), **options) as (_, page):
        page.goto(f"{api.url}/app#token={api.token(user)}")
        page.get_by_role("button", name=f"Connect as {user}").click()
        expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()
        yield page


def scan(page: Page, text: str) -> None:
    """Scan a message on the phone and wait for its card."""
    home(page)
    page.get_by_label("The message").fill(text)
    page.get_by_role("button", name="Scan", exact=True).click()
    expect(page.locator("article.result blockquote")).to_have_text(text)


def home(page: Page) -> None:
    """Go back to the field from the answer to an earlier scan."""
    if page.locator("#result").is_visible():
        page.get_by_role("button", name="Scan another").click()
        expect(page.locator("#home")).to_be_visible()


def violations(page: Page, *rules: str) -> list[str]:
    """Return what axe-core finds wrong with the page as it is now, WCAG 2.2 AA and best practices.

    With `rules`, only what those rules find.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        """async (only) => {
          // Some rules of WCAG are off unless asked for, such as the size of targets (2.5.8).
          const asked = axe.getRules(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);
          // Its experimental ones guess (a large figure is "a heading").
          const kept = asked.filter((rule) => !rule.tags.includes("experimental"));
          const rules = Object.fromEntries(kept.map((rule) => [rule.ruleId, { enabled: true }]));
          const chosen = only.length ? { runOnly: only } : { rules };
          // What has scrolled half under a header that stays counts as too small.
          const [left, top] = [scrollX, scrollY];
          scrollTo(0, 0);
          const { violations } = await axe.run(chosen);
          scrollTo(left, top);
          return violations;
        }""",
        rules,
    )
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


TEXTS = [
    "Your parcel waits at the depot, settle the customs fee today",
    "Lunch at twelve in the usual place?",
    "You win the big quiz at our pub tonight, bring friends",
]
"""What waits in the fixture `queue`."""


def shown(page: Page) -> str:
    """Return the message that is on the screen, once the line and the item agree."""
    entry = page.locator("a.entry[aria-current]")
    item = entry.get_attribute("data-item")
    expect(page.locator(f"article.item[data-item='{item}']")).to_be_visible()
    return page.locator("#message").inner_text()


def statuses(api: RunningApi) -> dict[str, str]:
    """Return text -> status of everything that was reported in the fixture `queue`."""
    found: dict[str, str] = {}
    for number, text in enumerate(TEXTS):
        with api.client(f"user-{number}") as client:
            for scan in client.scans():
                assert scan.feedback is not None
                found[text] = scan.feedback.status
    return found


def expect_statuses(api: RunningApi, *wanted: str) -> None:
    """Wait until the texts of the fixture `queue` have these statuses: a decision shows on the page
    before it is sent."""
    wait_until(
        lambda: [statuses(api)[text] for text in TEXTS] == list(wanted),
        otherwise=lambda: f"The statuses are {statuses(api)}, not {wanted}.",
    )
