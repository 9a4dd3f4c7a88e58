"""Into `/app` without typing a token: QR codes, invitations, one's organisation; two languages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api.pages.assets import Assets
from cli.phones import pairing
from tests.browser.tongues import Words, both, english_on, judge_in_words
from tests.browser.world import violations, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.looks import look
from tests.support.ports import free_ports
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, running_provider

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PEOPLE: dict[str, dict[str, Any]] = {"sam": {"name": "Sam"}, "samira": {"name": "Samira"}}
TERMINAL = """<style>
  body { margin: 0; background: #000; color: #fff; }
  pre { margin: 0; width: fit-content; font: 16px/1.17 "DejaVu Sans Mono", monospace; }
</style><pre></pre>"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return an API whose people may sign in at a real OpenID provider."""
    folder: Path = tmp_path_factory.mktemp("ways")
    secret = folder / "client-secret"
    secret.write_text(f"{CLIENT_SECRET}\n")
    (port,) = free_ports(1)
    with pytest.MonkeyPatch.context() as patch:
        discovery = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        patch.setenv("SHIELD_PAGES_OIDC_DISCOVERY_URL", discovery)
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_ID", CLIENT_ID)
        patch.setenv("SHIELD_PAGES_OIDC_CLIENT_SECRET_FILE", str(secret))
        with (
            world(folder / "api") as running,
            running_provider(PEOPLE, f"{running.url}/login/oidc/back", port),
        ):
            yield running


@contextmanager
def phone(chromium: Browser, locale: str) -> Iterator[Page]:
    """Open a phone that nobody has connected."""
    with open_page(chromium, PHONE, locale=locale) as (_, page):
        yield page


def read_on_phone(page: Page, picture: bytes) -> str:
    """Return what the app's own QR reader finds in a picture."""
    found: str = page.evaluate(
        """async ([script, bytes]) => {
            const { readQr } = await import(script);
            return readQr(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
        }""",
        [Assets().url("qr.js"), list(picture)],
    )
    return found


def agree(page: Page, words: Words, user: str, name: str = "") -> None:
    """Say yes to the account that a link belongs to."""
    question = page.get_by_role("dialog", name=words("connect.question", name=user))
    expect(question).to_contain_text(words("connect.warning"))
    if name:
        look(page, name)
        assert violations(page) == []
    question.get_by_role("button", name=words("connect.yes", name=user)).tap()
    expect(page.get_by_role("heading", name=words("title"))).to_be_visible()


@both
def test_a_code_shown_on_a_screen_is_read_and_connects_a_phone_once(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, user = Words(language), f"rita-{language}"
    with open_page(chromium, locale=locale, device_scale_factor=2) as (_, desk):
        desk.goto(f"{api.url}/login?next=/review#token={api.token(user, 'reviewer')}")
        desk.get_by_role("button", name=f"Sign in as {user}").click()
        expect(desk.get_by_role("heading", name="Queue")).to_be_visible()
        desk.goto(f"{api.url}/login?next=/app")
        expect(desk).to_have_title(f"{words('connect.title')} · Antispam Shield")
        desk.get_by_role("button", name=words("pair.show")).click()
        code = desk.locator("#code").inner_text()
        shown = desk.get_by_role("img", name=words("pair.picture", code=code))
        expect(desk.get_by_role("heading")).to_have_text(words("pair.title", name=user))
        look(desk, f"pair-{language}")
        assert violations(desk) == []
        picture = shown.screenshot()
    with phone(chromium, locale) as page:
        page.goto(f"{api.url}/app")
        expect(page.get_by_role("heading", name=words("connect.title"))).to_be_visible()
        look(page, f"connect-{language}")
        assert violations(page) == []
        link = read_on_phone(page, picture)
        assert link == f"{api.url}/app#code={code}"
        page.goto(link)
        agree(page, words, user, f"connect-question-{language}")
    with phone(chromium, locale) as page:
        page.goto(link)
        expect(page.locator("#toasts")).to_contain_text(words("connect.badCode"))
        look(page, f"connect-used-{language}")


@both
def test_a_code_in_a_terminal_is_read_and_connects_a_phone(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    """As `shieldctl token pair` draws it: half blocks, light on dark."""
    words, user = Words(language), f"ned-{language}"
    with api.client(user, "reviewer") as client:
        told, drawn = pairing(client)
    with open_page(chromium, (900, 900)) as (_, terminal):
        terminal.set_content(TERMINAL)
        terminal.locator("pre").evaluate("(pre, text) => { pre.textContent = text; }", drawn)
        picture = terminal.locator("pre").screenshot()
    with phone(chromium, locale) as page:
        page.goto(f"{api.url}/app")
        link = read_on_phone(page, picture)
        assert link == told["link"]
        page.goto(link)
        agree(page, words, user)


@both
def test_who_is_invited_needs_one_link_that_works_once(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, user = Words(language), f"new-{language}"
    with api.client("rita", "admin") as rita:
        link, other = (
            f"{api.url}/app#code={rita.invite(each).code}" for each in (user, f"{user}2")
        )
    with phone(chromium, locale) as page:
        page.goto(link)
        agree(page, words, user)
        judge_in_words(page, words, "You win!")
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()
        if language != "en":
            assert english_on(page, words) == []
    with phone(chromium, locale) as page:
        page.goto(link)
        expect(page.locator("#toasts")).to_contain_text(words("connect.badCode"))
        # Pasted whole, as from an installed app, into which links do not lead on every phone.
        field = page.get_by_label(words("connect.label"))
        field.fill(link)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        expect(page.locator("#pair-problem")).to_have_text(words("connect.badCode"))
        look(page, f"invitation-used-{language}")
        assert violations(page) == []
        field.fill(other)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        agree(page, words, f"{user}2", f"pasted-question-{language}")
        page.locator("#account-button").tap()
        expect(page.locator("#who")).to_have_text(words("account.who", name=f"{user}2"))


@both
def test_a_pasted_link_connects_to_no_account_that_somebody_else_has_sent(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words, theirs = Words(language), f"thief-{language}"
    link = f"{api.url}/app#token={api.token(theirs)}"
    with phone(chromium, locale) as page:
        page.goto(f"{api.url}/app")
        page.get_by_label(words("connect.label")).fill(link)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        question = page.get_by_role("dialog", name=words("connect.question", name=theirs))
        expect(question).to_contain_text(words("connect.warning"))
        question.get_by_role("button", name=words("cancel")).tap()
        expect(question).to_be_hidden()
        page.reload()
        expect(page.get_by_role("heading", name=words("connect.title"))).to_be_visible()


@pytest.mark.parametrize(
    ("language", "locale", "user"), [("en", "en-GB", "sam"), ("ar", "ar-SA", "samira")]
)
def test_a_person_signs_in_with_the_organisation_on_the_phone(
    chromium: Browser, api: RunningApi, language: str, locale: str, user: str
) -> None:
    words = Words(language)
    with phone(chromium, locale) as page:
        page.goto(f"{api.url}/app")
        page.get_by_role("link", name=words("connect.organisation")).tap()
        expect(page).to_have_title(f"{words('connect.title')} · Antispam Shield")
        expect(page.get_by_role("link", name=words("skip"))).to_be_attached()
        look(page, f"organisation-{language}")
        assert violations(page) == []
        page.get_by_role("link", name=words("connect.organisation")).tap()
        page.locator("input[name=login]").fill(user)  # the provider's own pages
        page.locator("input[name=password]").fill("of no matter")
        page.locator("button[type=submit]").tap()
        page.locator("button[type=submit]", has_text="Continue").tap()
        connect = page.get_by_role("button", name=words("pair.connect", name=user))
        expect(connect).to_be_visible()
        look(page, f"organisation-back-{language}")
        assert violations(page) == []
        connect.tap()
        agree(page, words, user)
        assert page.url == f"{api.url}/app"
        judge_in_words(page, words, "You win a trip!")
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()
    with api.client(user) as client:
        assert [each.text for each in client.scans()] == ["You win a trip!"]
