"""A saved mail is taken apart and judged on the phone; what leaves it is asked for before."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Request, expect

from shield.labels import ModelType
from shield.packages import push
from tests.browser.tongues import Words, both, connected, english_on
from tests.browser.world import violations, world
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, judges_by_word, model_server
from tests.support.browser import PHONE, open_page
from tests.support.judge import make_stable, page_script, version_with_judge
from tests.support.judging_phone import choose_asking, sign_in, texts_in
from tests.support.looks import look
from tests.support.mails import LIMITS, VECTORS
from tests.support.packages import LURES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MAIL = (
    "Received: from [10.1.2.3] by secret.example\r\n"
    "From: win@example.org\r\nSubject: =?utf-8?B?WW91IHdpbg==?=\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    '<p>Claim <a href="https://claim.example/now">your prize</a></p>\r\n'
    "--b\r\nContent-Disposition: attachment; filename=private.txt\r\n\r\nmy diary\r\n--b--\r\n"
)
TEXT = "win@example.org\nYou win\nClaim your prize (https://claim.example/now)"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API that judges messages and mails; phones get a judge for neither."""
    with (
        world(tmp_path) as running,
        model_server(ModelType.PHISHING, judge=judges_by_word) as arm,
    ):
        deploy(running.services.rollouts, arm, version="phishing-v1", model_type=ModelType.PHISHING)
        yield running


def pick(page: Page, mail: str | bytes, name: str = "prize.eml") -> None:
    """Pick a saved mail; on some phones its type is not known."""
    content = mail.encode() if isinstance(mail, str) else mail
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=content)
    page.locator("#file").set_input_files(file)


def test_known_mails_are_read_in_a_browser_as_on_the_server(chromium: Browser) -> None:
    mails = {name: base64.b64encode(mail).decode() for name, (mail, _) in VECTORS.items()}
    with open_page(chromium, PHONE) as (_, page):
        page.evaluate(page_script("app/mail/reader.ts", "mailModule"))
        read = page.evaluate(
            """async (mails) => Object.fromEntries(await Promise.all(Object.entries(mails).map(
              async ([name, mail]) => [name, (await mailModule.readMail(new Blob(
                [Uint8Array.from(atob(mail), (sign) => sign.charCodeAt(0))]))).text])))""",
            mails,
        )
    assert read == {name: text for name, (_, text) in VECTORS.items()}


@both
def test_a_mail_is_sent_only_after_a_question_and_only_what_it_shows(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    sent: list[Request] = []
    with connected(chromium, api, words, locale=locale) as page:
        page.on("request", lambda request: sent.append(request))
        pick(page, MAIL)
        attached = page.locator("#attached")
        expect(attached).to_contain_text("prize.eml")
        expect(page.locator("textarea#message")).to_be_hidden()
        attached.get_by_role("button", name=words("file.remove")).tap()
        expect(page.locator("textarea#message")).to_be_visible()
        pick(page, MAIL)
        page.locator("#scan").tap()
        question = page.get_by_role("dialog", name=words("mail.question"))
        expect(question).to_contain_text(words("mail.why"))
        assert violations(page) == []
        question.get_by_role("button", name=words("cancel")).tap()
        expect(page.locator("#scan")).to_be_focused()
        expect(attached).to_be_visible()
        assert [each.url for each in sent if "/scans" in each.url and each.method != "GET"] == []
        page.locator("#scan").tap()
        question.get_by_role("button", name=words("mail.send")).tap()
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()
        expect(page.locator("article.result blockquote")).to_have_text(TEXT)
        (scan,) = [each for each in sent if "/scans" in each.url and each.method != "GET"]
        assert scan.post_data_json == {"scanType": "phishing", "text": TEXT}
        if language != "en":
            assert english_on(page, words) == []
        page.get_by_role("button", name=words("again")).tap()
        expect(page.locator("textarea#message")).to_have_value("")


def test_never_sends_no_mail(chromium: Browser, api: RunningApi) -> None:
    words = Words("en")
    sent: list[Request] = []
    with connected(chromium, api, words) as page:
        choose_asking(page, "never")
        page.on("request", lambda request: sent.append(request))
        pick(page, MAIL)
        page.locator("#scan").tap()
        expect(page.locator("#failure")).to_contain_text(words("failed.nobodyHere"))
        expect(page.locator("#attached")).to_contain_text("prize.eml")
        assert texts_in(sent, "win@example.org", "Claim your prize") == []


def test_always_sends_without_a_question(chromium: Browser, api: RunningApi) -> None:
    with connected(chromium, api, Words("en")) as page:
        choose_asking(page, "always")
        pick(page, MAIL)
        page.locator("#scan").tap()
        expect(page.get_by_text("Judged by phishing-v1")).to_be_visible()


def test_what_is_no_mail_is_told(chromium: Browser, api: RunningApi) -> None:
    words = Words("en")
    with connected(chromium, api, words) as page:
        for content in (b"", b"hello there", b"\x89PNG\r\n\x1a\n"):
            page.locator("#toasts").evaluate("(each) => each.replaceChildren()")
            pick(page, content, "letter.eml")
            told = words("file.noMail", name="letter.eml")
            expect(page.locator("#toasts")).to_contain_text(told)
            expect(page.locator("textarea#message")).to_be_visible()


@both
def test_a_mail_that_is_too_much_is_told_and_costs_nothing_that_was_written(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, locale=locale) as page:
        page.locator("textarea#message").fill("half a message")
        pick(page, LIMITS["mails in mails without end"][1])
        told = page.locator("#toasts")
        expect(told).to_contain_text(words("file.tooMuch", name="prize.eml"))
        expect(page.locator("textarea#message")).to_have_value("half a message")
        pick(page, MAIL)
        expect(page.locator("#attached")).to_contain_text("prize.eml")
        pick(page, LIMITS["parts"][1], "other.eml")
        expect(told).to_contain_text(words("file.tooMuch", name="other.eml"))
        look(page, f"mail-too-much-{language}")
        expect(page.locator("#attached")).to_contain_text("prize.eml")
        pick(page, MAIL.encode() + b"x" * 600_000, "long.eml")
        expect(told).to_contain_text(words("file.cut", name="long.eml"))
        expect(page.locator("#attached")).to_contain_text("long.eml")


def test_a_mail_is_judged_on_the_phone_in_flight_mode(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing may be sent: the phone has a judge for mails."""
    made = version_with_judge(tmp_path / "package", model_type=ModelType.PHISHING)
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(made.trusted_keys))
    mail = f"From: a@b.example\nSubject: {LURES[0]}\nReceived: by secret\n\n{LURES[0]}\n"
    with (
        model_server(ModelType.PHISHING) as url,
        running_api(tmp_path / "api", embedded=True) as api,
    ):
        push(api.services.artifacts, made.package.path)
        make_stable(
            api.services.rollouts,
            "phishing-v1",
            made.package,
            url=url,
            model_type=ModelType.PHISHING,
        )
        sent: list[Request] = []
        with open_page(chromium, PHONE) as (context, page):
            sign_in(page, api)
            page.evaluate("navigator.serviceWorker.ready")
            page.wait_for_load_state("networkidle")
            choose_asking(page, "never")
            page.on("request", lambda request: sent.append(request))
            context.set_offline(True)
            page.reload()
            expect(page.locator("textarea#message")).to_be_visible()
            pick(page, mail)
            page.locator("#scan").tap()
            card = page.locator("article.result")
            expect(card).to_contain_text("Judged on this phone by phishing-v1")
            expect(card).to_contain_text(Words("en")("feedback.stays-here"))
            expect(card.locator("blockquote")).to_contain_text(LURES[0])
            context.set_offline(False)
            assert texts_in(sent, LURES[0], "a@b.example") == []
