"""The npm package and its elements, packed and used alone by a page of another origin."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from clients import contract
from shield.wire import ReviewAction
from tests.browser.world import violations, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.client_package import example_app, served
from tests.support.tables import tables_under
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGE = "docs/phone.md"
BUTTON_STATES = {row[0].strip("`"): row for row in tables_under(PAGE, "FeedbackButton")[0]}
CARD_STATES = {row[0].strip("`"): row for row in tables_under(PAGE, "Result card")[0]}
TEXTS = {row[0].strip("`"): row[1] for row in tables_under(PAGE, "The texts")[0]}
SCAM = "Reply now to win a holiday"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(example_app(tmp_path_factory.mktemp("example"))) as origin:
        yield origin


@pytest.fixture
def api(tmp_path: Path, site: str) -> Iterator[RunningApi]:
    with world(tmp_path, cors_origins=[site]) as running:
        yield running


@contextmanager
def in_the_app(
    chromium: Browser, site: str, api: RunningApi, user: str = "ada", **options: object
) -> Iterator[tuple[BrowserContext, Page]]:
    """Open the example, connected; `shield` in the page is what its script holds."""
    with open_page(chromium, PHONE, **options) as (context, page):
        page.goto(f"{site}/index.html")
        page.get_by_label("Server").fill(api.url)
        page.get_by_label("token").fill(api.token(user))
        page.get_by_role("button", name="Connect").tap()
        expect(page.get_by_role("textbox", name="The message")).to_be_visible()
        yield context, page


def ask(page: Page, text: str = SCAM) -> None:
    page.get_by_role("textbox", name="The message").fill(text)
    page.get_by_role("button", name="Ask").tap()
    expect(page.locator("shield-result-card")).to_have_attribute(
        "data-state", re.compile("scam|harmless|unsure")
    )


def feedback(page: Page) -> Locator:
    return page.locator("shield-feedback-button .opinion")


def await_state(page: Page, state: str) -> None:
    expect(feedback(page)).to_have_attribute("data-state", state)


def reported(api: RunningApi) -> list[tuple[str, str | None]]:
    with api.client("rita", "reviewer") as reviewer:
        return [(item.corrected_label, item.comment) for item in reviewer.pending().items]


def decide(api: RunningApi, action: ReviewAction) -> None:
    with api.client("rita", "reviewer") as reviewer:
        reviewer.review(reviewer.pending().items[0].id, action)


def filled(keys: str, **places: str) -> list[str]:
    """Return the texts that a cell of a table names, filled in."""
    fill = partial(re.sub, r"\{(\w+)\}", lambda place: places[place[1]])
    return [fill(TEXTS[fill(key)]) for key in re.findall(r"`([^`]+)`", keys)]


# --- How a page gets into each state --------------------------------------------------------------


def _hold_feedback(page: Page) -> None:
    page.route("**/api/v2/feedback", lambda route: None)


def _sending(context: BrowserContext, page: Page, api: RunningApi) -> str:
    _hold_feedback(page)
    page.get_by_role("button", name="Correct").tap()
    return ""


def _waiting(context: BrowserContext, page: Page, api: RunningApi) -> str:
    context.set_offline(True)
    page.get_by_role("button", name="Correct").tap()
    return ""


def _signed_out(context: BrowserContext, page: Page, api: RunningApi) -> str:
    api.clock.move_on(60 * 86400)  # the token has ended
    page.get_by_role("button", name="Correct").tap()
    return ""


def _sent(context: BrowserContext, page: Page, api: RunningApi) -> str:
    page.get_by_role("button", name="Correct").tap()
    return ""


def _failed(context: BrowserContext, page: Page, api: RunningApi) -> str:
    page.get_by_role("button", name="Correct").tap()
    await_state(page, "sent")
    decide(api, ReviewAction.REJECT)
    with page.expect_response("**/api/v2/feedback") as answer:
        page.get_by_role("button", name="Change").tap()
        page.get_by_role("radio", name=TEXTS["dialog.harmless"]).check()
        page.get_by_role("button", name="Send").tap()
    assert answer.value.status == 409
    return str(answer.value.json()["message"])


def _decided(action: ReviewAction) -> Callable[[BrowserContext, Page, RunningApi], str]:
    def bring(context: BrowserContext, page: Page, api: RunningApi) -> str:
        page.get_by_role("button", name="Correct").tap()
        await_state(page, "sent")
        decide(api, action)
        with api.client("ada") as client:
            mark = client.scans().items[0].feedback
        assert mark is not None
        page.evaluate(
            """mark => {
                 const card = document.querySelector("shield-result-card");
                 card.scan = { ...card.scan, feedback: mark };
               }""",
            json.loads(mark.model_dump_json(by_alias=True)),
        )
        return ""

    return bring


def _unkept(context: BrowserContext, page: Page, api: RunningApi) -> str:
    page.evaluate(
        """() => {
             const { outbox } = document.querySelector("shield-result-card");
             outbox.storage.post = () => Promise.reject(new Error("No room is left."));
           }"""
    )
    page.get_by_role("button", name="Correct").tap()
    return "No room is left."


BRING = {
    "ask": lambda context, page, api: "",
    "sending": _sending,
    "waiting": _waiting,
    "signed-out": _signed_out,
    "sent": _sent,
    "failed": _failed,
    "approved": _decided(ReviewAction.APPROVE),
    "rejected": _decided(ReviewAction.REJECT),
    "unkept": _unkept,
}


def test_the_page_names_the_texts_of_the_package(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{site}/index.html")
        there = page.evaluate(
            """async () => (await import("./node_modules/@antispam-shield/client/dist/elements.js"))
               .ENGLISH"""
        )
    assert there == TEXTS
    assert set(BRING) == set(BUTTON_STATES)


def test_the_elements_speak_the_language_of_the_page(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    words = contract.words()
    assert len(words) == 10
    for language, texts in words.items():
        for key, text in texts.items():
            places = sorted(re.findall(r"\{\w+\}", words["en"][key]))
            assert sorted(re.findall(r"\{\w+\}", text)) == places, (language, key)
    with in_the_app(chromium, site, api) as (_, page):
        for tag, language in (("ar-EG", "ar"), ("hi", "hi"), ("xx", "en")):
            turned = "rtl" if language == "ar" else "ltr"
            page.evaluate(
                "([lang, dir]) => Object.assign(document.documentElement, { lang, dir })",
                [tag, turned],
            )
            ask(page)
            card = page.locator("shield-result-card")
            expect(card.get_by_role("heading").first).to_have_text(words[language]["verdict.scam"])
            expect(feedback(page)).to_contain_text(words[language]["feedback.question"])
            page.get_by_role("button", name=words[language]["feedback.wrong"]).tap()
            expect(page.get_by_role("dialog")).to_contain_text(words[language]["dialog.who-reads"])
            page.get_by_role("button", name=words[language]["cancel"]).tap()


@pytest.mark.parametrize("state", BUTTON_STATES)
def test_the_button_shows_what_the_page_says_of_its_state(
    chromium: Browser, site: str, api: RunningApi, state: str
) -> None:
    with in_the_app(chromium, site, api) as (context, page):
        ask(page)
        reason = BRING[state](context, page, api)
        await_state(page, state)
        truth = "harmless" if state == "failed" else "scam"
        _, _, texts, buttons = BUTTON_STATES[state]
        shown = feedback(page).locator("p").all_inner_texts()
        assert shown == filled(texts, truth=truth, reason=reason)
        assert feedback(page).get_by_role("button").all_inner_texts() == filled(buttons)
        asks = state in {"ask", "unkept"}
        if asks:
            expect(page.get_by_role("group", name=TEXTS["feedback.question"])).to_be_visible()
        if state != "ask":
            told = feedback(page).get_by_role("alert" if state == "unkept" else "status")
            expect(told).to_contain_text(shown[0])
            # Pressed by a finger or a key: whoever was on the button is on what took its place.
            focused = (
                "document.querySelector('shield-result-card').shadowRoot.activeElement?.localName"
            )
            assert page.evaluate(focused) == ("shield-feedback-button" if filled(buttons) else None)
        assert violations(page) == []


def test_the_dialog_keeps_to_the_page(chromium: Browser, site: str, api: RunningApi) -> None:
    with in_the_app(chromium, site, api) as (_, page):
        ask(page)
        page.get_by_role("button", name="Wrong").tap()
        dialog = page.get_by_role("dialog", name=TEXTS["dialog.title"])
        expect(dialog.get_by_role("radio", name=TEXTS["dialog.harmless"])).to_be_checked()
        expect(dialog.get_by_role("radio", name=TEXTS["dialog.harmless"])).to_be_focused()
        comment = dialog.get_by_role("textbox", name=TEXTS["dialog.comment"])
        expect(comment).to_have_accessible_description(TEXTS["dialog.who-reads"])
        assert violations(page) == []
        comment.fill("x" * 2100)
        comment.press("End")
        comment.press_sequentially("y")
        assert "y" not in comment.input_value()
        comment.fill("  my own team ")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        await_state(page, "ask")
        expect(page.get_by_role("button", name="Wrong")).to_be_focused()  # what opened the dialog
        page.get_by_role("button", name="Wrong").press("Enter")
        expect(comment).to_have_value("  my own team ")
        page.get_by_role("button", name="Send").press("Enter")
        await_state(page, "sent")
        expect(page.get_by_role("button", name="Change")).to_be_focused()
        assert reported(api) == [("ham", "my own team")]
        page.get_by_role("button", name="Change").press("Enter")
        expect(dialog.get_by_role("radio", name=TEXTS["dialog.harmless"])).to_be_checked()
        expect(comment).to_have_value("my own team")


@pytest.mark.parametrize(
    ("text", "state"), [(SCAM, "scam"), ("Lunch at twelve?", "harmless"), ("Well, maybe", "unsure")]
)
def test_the_card_shows_what_the_page_says_of_its_state(
    chromium: Browser, site: str, api: RunningApi, text: str, state: str
) -> None:
    with in_the_app(chromium, site, api, locale="de-AT") as (_, page):
        ask(page, text)
        card = page.get_by_role("article", name=TEXTS[f"verdict.{state}"])
        expect(card).to_be_visible()
        expect(card.get_by_role("heading", level=2)).to_have_text(filled(CARD_STATES[state][2])[0])
        expect(card.get_by_role("heading", level=2)).to_be_focused()
        certainty, *_, version = filled(CARD_STATES[state][3], version="sms-v1")
        inside = card.inner_text()
        assert certainty in inside
        assert version in inside
        question = TEXTS["feedback.question.unsure" if state == "unsure" else "feedback.question"]
        expect(card.get_by_role("group", name=question)).to_be_visible()
        # Reasons and advice in the browser's language.
        assert re.search(r"\b(Es|Als|Sie|Geben|Antworten)\b", inside)
        assert violations(page) == []


def test_a_failed_scan_takes_the_place_of_the_former_verdict(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with in_the_app(chromium, site, api) as (_, page):
        card = page.locator("shield-result-card")
        ask(page)
        held: list[Route] = []
        page.route("**/api/v2/scans", lambda route: held.append(route))
        page.get_by_role("textbox", name="The message").fill("Lunch at twelve?")
        page.get_by_role("button", name="Ask").tap()
        expect(card).to_have_attribute("data-state", "busy")
        expect(card.get_by_role("status")).to_have_text(TEXTS["card.busy"])
        expect(card.get_by_text(SCAM)).to_have_count(0)
        wait_until(lambda: len(held) == 1)
        held[0].abort()
        expect(card.get_by_role("alert")).to_contain_text("No connection to the server.")
        expect(card.get_by_role("heading")).to_have_text(TEXTS["card.problem"])
        assert violations(page) == []
        page.unroute("**/api/v2/scans")
        page.get_by_role("button", name="Ask").tap()
        expect(card).to_have_attribute("data-state", "harmless")


def test_feedback_outlives_a_page_that_is_closed_offline(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with in_the_app(chromium, site, api) as (context, page):
        ask(page)
        context.set_offline(True)
        page.get_by_role("button", name="Wrong").tap()
        page.get_by_role("button", name="Send").tap()
        await_state(page, "waiting")
        page.close()
        context.set_offline(False)
        assert reported(api) == []
        context.new_page().goto(f"{site}/index.html")
        wait_until(lambda: reported(api) == [("ham", None)])


def test_feedback_is_kept_while_a_page_of_an_earlier_release_is_open(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with open_page(chromium, PHONE) as (_, page):
        page.goto(f"{site}/index.html")
        kept = page.evaluate(
            """async () => {
                const { Outbox } = await import(
                  "./node_modules/@antispam-shield/client/dist/index.js");
                await new Promise((done) => {
                  const open = indexedDB.open("antispam-shield-outbox:ada", 1);
                  open.onupgradeneeded = () => {
                    open.result.createObjectStore("letters", { keyPath: "key" });
                    open.result.createObjectStore("outcomes", { keyPath: "scanId" })
                      .createIndex("by-time", "at");
                  };
                  open.onsuccess = done;  // and it stays open
                });
                const outbox = new Outbox({ client: {}, account: "ada" });
                const saying = outbox.say({ id: "a", scanType: "text", verdict: "spam" }, true);
                const patience = new Promise((done) => setTimeout(done, 20000, "held up"));
                const said = await Promise.race([saying.then(() => "kept"), patience]);
                if (said === "kept") await outbox.count("text", "v1", "harmless");
                return [said, await outbox.waiting(), (await outbox.storage.tallies()).length];
            }"""
        )
        assert kept == ["kept", 1, 1]


def test_a_network_that_answers_in_the_server_s_place_swallows_no_feedback(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    keys: list[str] = []

    def sign_in_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) < 3:
            headers = {"Access-Control-Allow-Origin": "*"}
            route.fulfill(status=200, content_type="text/html", body="<p>Wi-Fi", headers=headers)
        else:
            route.continue_()

    with in_the_app(chromium, site, api) as (_, page):
        ask(page)
        page.route("**/api/v2/feedback", sign_in_first)
        page.get_by_role("button", name="Correct").tap()
        await_state(page, "sent")  # after two pauses, by itself
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert reported(api) == [("spam", None)]


def test_an_unsure_verdict_asks_what_the_message_is(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with in_the_app(chromium, site, api) as (_, page):
        ask(page, "Well, maybe")
        group = page.get_by_role("group", name=TEXTS["feedback.question.unsure"])
        labels = [TEXTS["dialog.harmless"], TEXTS["dialog.scam"]]
        assert group.get_by_role("button").all_inner_texts() == labels
        group.get_by_role("button", name=TEXTS["dialog.scam"]).tap()
        await_state(page, "sent")
    assert reported(api) == [("spam", None)]


def test_a_card_helps_whoever_acted_already_and_warns_others(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with in_the_app(chromium, site, api) as (context, page):
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
        ask(page, "You win: claim at https://claim.example/now")
        page.get_by_text(TEXTS["happened.title"]).tap()
        page.get_by_role("radio", name=TEXTS["happened.paid"]).tap()
        steps = page.locator("shield-result-card .steps li")
        expect(steps.first).to_have_text(TEXTS["step.bank"])
        page.get_by_role("button", name=TEXTS["share.button"]).tap()
        expect(page.get_by_text(TEXTS["share.copied"])).to_be_visible()
        told = page.evaluate("navigator.clipboard.readText()")
        assert TEXTS["share.link"] in told
        assert "claim.example" not in told
        expect(page.locator("shield-result-card .icon:not(:has(*))")).to_have_count(0)
        assert violations(page) == []
        # News of the same scan: neither what somebody writes nor what was opened is closed by it.
        page.get_by_role("button", name=TEXTS["feedback.wrong"]).tap()
        comment = page.get_by_role("textbox", name=TEXTS["dialog.comment"])
        comment.fill("my own team")
        page.evaluate(
            """() => {
                 const card = document.querySelector("shield-result-card");
                 card.scan = { ...card.scan, reasons: [] };
               }"""
        )
        expect(comment).to_have_value("my own team")
        page.get_by_role("button", name=TEXTS["cancel"]).tap()
        expect(page.get_by_role("region", name=TEXTS["card.why"])).to_have_count(0)
        expect(steps.first).to_be_visible()


def test_what_the_device_judged_says_so_and_offers_the_server(
    chromium: Browser, site: str, api: RunningApi
) -> None:
    with in_the_app(chromium, site, api) as (_, page):
        ask(page)
        page.evaluate(
            """() => {
                 const card = document.querySelector("shield-result-card");
                 const asked = ({ detail }) => (window.asked = detail.id);
                 card.addEventListener("shield-ask-server", asked);
                 card.scan = { ...card.scan, judgedHere: true };
               }"""
        )
        card = page.get_by_role("article")
        expect(card).to_contain_text(TEXTS["feedback.nothing-sent"])
        expect(card).to_contain_text(TEXTS["card.version.device"].format(version="sms-v1"))
        page.get_by_role("button", name=TEXTS["feedback.ask-server"]).tap()
        held = "[window.asked, document.querySelector('shield-result-card').scan.id]"
        asked, shown = page.evaluate(held)
        assert asked == shown
