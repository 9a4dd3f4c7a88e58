"""What fills the field: pasted, shared, read from a picture; and sharing a warning."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from shield.labels import ModelType
from tests.browser.tongues import SCAMS, Words, both, connected, english_on, judge_in_words
from tests.browser.world import on_the_phone, violations, world
from tests.support.api import RunningApi
from tests.support.arms import deploy, judges_by_word, model_server
from tests.support.browser import PHONE, open_page
from tests.support.looks import look
from tests.support.tap import tapped
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LINK = "https://win-a-phone.example/now"
MAIL = (
    "From: win@example.org\r\nSubject: You win\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nClaim it at https://claim.example/now\r\n"
)
SHARE = """async (given) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: "/app/share", enctype: "multipart/form-data" });
  for (const [name, value] of Object.entries(given.texts)) {
    form.append(Object.assign(document.createElement("textarea"), { name, value }));
  }
  if (given.file) {
    const { name, type, bytes } = given.file;
    const picked = new DataTransfer();
    picked.items.add(new File([new Uint8Array(bytes)], name, { type }));
    form.append(Object.assign(document.createElement("input"), { type: "file", name: "file" }));
    form.lastChild.files = picked.files;
  }
  document.body.append(form);
  form.submit();
}"""
"""What the share sheet of a phone does with an installed app: a form of the manifest's fields."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return an API that judges messages, mails and links."""
    folder: Path = tmp_path_factory.mktemp("inputs")
    with (
        world(folder) as running,
        model_server(ModelType.PHISHING, judge=judges_by_word) as arm,
    ):
        rollouts = running.services.rollouts
        deploy(rollouts, arm, version="phishing-v1", model_type=ModelType.PHISHING)
        router = running.services.router
        wait_until(lambda: router.split(ModelType.PHISHING), "the split is not seen")
        yield running


def share(page: Page, file: FilePayload | None = None, **texts: str) -> None:
    """Share something to the app from the phone's share sheet, and wait for the app."""
    picked = file and {
        "name": file["name"],
        "type": file["mimeType"],
        "bytes": list(file["buffer"]),
    }
    with page.expect_navigation(url="**/app"):
        page.evaluate(SHARE, {"texts": texts, "file": picked})


def photo(content: str) -> bytes:
    """Return a photo of a QR code: turned, seen from the side, unsharp, grey, as JPEG."""
    drawn = io.BytesIO()
    segno.make(content, error="m").save(drawn, kind="png", scale=9, border=4)
    code = Image.open(drawn).convert("L")
    side = code.width
    seen = code.transform(
        (side, side),
        Image.Transform.QUAD,
        (0, 0, side * 0.03, side, side, side * 0.97, side * 0.96, 0),
        fillcolor=255,
    )
    paper = Image.new("L", (side * 2, side * 2), 170)
    paper.paste(seen, (side // 2, side // 3))
    turned = paper.rotate(9, fillcolor=140, resample=Image.Resampling.BICUBIC)
    grey = turned.filter(ImageFilter.GaussianBlur(1.2)).point(lambda light: 30 + light * 0.75)
    saved = io.BytesIO()
    grey.save(saved, "JPEG", quality=70)
    return saved.getvalue()


@both
def test_a_photo_of_a_qr_code_is_read_on_the_phone_and_nothing_leaves_it(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    picture = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=photo(LINK))
    with (
        tapped() as tap,
        connected(chromium, api, words, f"qr-{language}", locale=locale, proxy=tap.proxy) as page,
    ):
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.context.set_offline(True)
        page.locator("#file").set_input_files(picture)
        expect(page.locator("#toasts")).to_contain_text(words("file.qr"))
        expect(page.get_by_label(words("input.label"))).to_have_value(LINK)
        expect(page.locator("input[value=phishing]")).to_be_checked()
        look(page, f"qr-read-{language}")
        assert violations(page) == []
        broken = FilePayload(name="no.png", mimeType="image/png", buffer=b"no picture")
        page.locator("#file").set_input_files(broken)
        expect(page.locator("#toasts")).to_contain_text(words("file.broken"))
        page.context.set_offline(False)
        assert LINK.encode() not in tap.sent
        page.get_by_role("button", name=words("input.scan"), exact=True).tap()
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()
        assert LINK.encode() in tap.sent


@both
def test_what_was_copied_is_pasted_by_a_tap_or_it_says_how(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, f"pa-{language}", locale=locale) as page:
        page.evaluate("(text) => navigator.clipboard.writeText(text)", SCAMS[language])
        field = page.get_by_label(words("input.label"))
        page.get_by_role("button", name=words("input.paste")).tap()
        expect(field).to_have_value(SCAMS[language])
        expect(field).to_be_focused()
        page.reload()
        expect(field).to_have_value(SCAMS[language])  # as what is typed is
        look(page, f"pasted-{language}")
        page.context.clear_permissions()
        field.fill("")
        page.get_by_role("button", name=words("input.paste")).tap()
        expect(page.locator("#toasts")).to_contain_text(words("input.pasteFailed"))
        expect(field).to_be_focused()
        look(page, f"paste-refused-{language}")


@both
def test_texts_and_files_that_other_apps_share_wait_in_the_field_offline_too(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, f"sh-{language}", locale=locale) as page:
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.reload()  # from now on the service worker answers
        page.context.set_offline(True)
        field = page.get_by_label(words("input.label"))
        share(page, title="طرد", text=SCAMS[language], url="https://x.example/1")
        expect(field).to_have_value(f"طرد\n{SCAMS[language]}\nhttps://x.example/1")
        look(page, f"shared-text-{language}")
        page.reload()
        expect(field).to_have_value(f"طرد\n{SCAMS[language]}\nhttps://x.example/1")
        share(page, FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=photo(LINK)))
        expect(field).to_have_value(LINK)
        expect(page.locator("#toasts")).to_contain_text(words("file.qr"))
        note = FilePayload(name="note.txt", mimeType="text/plain", buffer=SCAMS["ar"].encode())
        share(page, note)
        expect(field).to_have_value(SCAMS["ar"])
        share(page, FilePayload(name="bill.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7"))
        expect(page.locator("#toasts")).to_contain_text(words("file.unknown"))
        share(page, FilePayload(name="win.eml", mimeType="message/rfc822", buffer=MAIL.encode()))
        expect(page.locator("#attached")).to_contain_text(words("file.mail", name="win.eml"))
        look(page, f"shared-mail-{language}")
        assert violations(page) == []
        page.context.set_offline(False)
        page.get_by_role("button", name=words("input.scan"), exact=True).tap()
        page.get_by_role("button", name=words("mail.send")).tap()
        expect(page.get_by_role("article", name=words("verdict.scam"))).to_be_visible()
        expect(page.locator("article.result blockquote")).to_contain_text("claim.example")


@both
def test_what_is_shared_before_the_phone_is_connected_waits_for_that(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with (
        api.client(f"late-{language}", "reviewer") as late,
        open_page(chromium, PHONE, locale=locale) as (_, page),
    ):
        page.goto(f"{api.url}/app")
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.reload()
        share(page, text=SCAMS[language])
        page.get_by_label(words("connect.label")).fill(late.pairing_code().code)
        page.get_by_role("button", name=words("connect.button"), exact=True).tap()
        expect(page.get_by_label(words("input.label"))).to_have_value(SCAMS[language])


SHEET = """
Object.defineProperty(Navigator.prototype, "share", { configurable: true, value: async (given) => {
  window.told = given;
  if (window.refusal) throw new DOMException("no", window.refusal);
} });
"""
"""The phone's share sheet, which a browser without a window has not."""


@both
def test_a_warning_goes_to_the_phones_share_sheet_without_links(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with connected(chromium, api, words, f"wa-{language}", locale=locale) as page:
        page.add_init_script(SHEET)
        page.reload()
        judge_in_words(page, words, SCAMS[language])
        card = page.get_by_role("article", name=words("verdict.scam"))
        warn = card.get_by_role("button", name=words("share.button"))
        warn.tap()
        told = page.evaluate("window.told.text")
        start, end = words("share.text").split("{text}")
        assert told.startswith(start)
        assert told.endswith(end)
        assert words("share.link") in told
        assert ".example" not in told
        toasts = page.locator("#toasts")
        page.evaluate("window.refusal = 'AbortError'; delete window.told")  # closed by its owner
        warn.tap()
        page.wait_for_function("window.told")
        expect(toasts).to_have_text("")
        page.evaluate("window.refusal = 'NotAllowedError'")
        warn.tap()
        expect(toasts).to_contain_text(words("share.failed"))
        look(page, f"warning-refused-{language}")
        if language != "en":
            assert english_on(page, words) == []


SLOW_FILES = """() => {
  const real = Blob.prototype.text;
  Blob.prototype.text = async function () {
    const text = await real.call(this);
    if (text.startsWith("slow")) await new Promise((done) => (window.release = done));
    return text;
  };
}"""
"""Lets reading a text that begins with "slow" last until `release` is called."""


def text_file(text: str) -> FilePayload:
    return {"name": "said.txt", "mimeType": "text/plain", "buffer": text.encode()}


def test_the_newest_of_several_files_stays_in_the_field(chromium: Browser, api: RunningApi) -> None:
    with on_the_phone(chromium, api) as page:
        page.evaluate(SLOW_FILES)
        page.locator("#file").set_input_files(text_file("slow words"))
        page.wait_for_function("window.release !== undefined")
        page.locator("#file").set_input_files(text_file("newer words"))
        expect(page.get_by_label("The message")).to_have_value("newer words")
        page.evaluate("window.release()")
        page.wait_for_timeout(200)
        expect(page.get_by_label("The message")).to_have_value("newer words")


def test_what_is_put_into_the_field_during_a_scan_stays_there(
    chromium: Browser, api: RunningApi
) -> None:
    held: list[Route] = []
    with on_the_phone(chromium, api, service_workers="block") as page:
        page.route("**/api/v2/scans", lambda route: held.append(route))
        page.get_by_label("The message").fill("Lunch at noon?")
        page.get_by_role("button", name="Scan", exact=True).tap()
        wait_until(lambda: len(held) == 1, page=page)
        page.locator("#file").set_input_files(text_file("newer words"))
        expect(page.get_by_label("The message")).to_have_value("newer words")
        held.pop().continue_()
        expect(page.locator("article.result blockquote")).to_have_text("Lunch at noon?")
        page.get_by_role("button", name="Scan another").tap()
        expect(page.get_by_label("The message")).to_have_value("newer words")
