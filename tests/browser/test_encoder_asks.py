"""The encoder on the phone asks before it costs money, and what it runs in reaches nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.pages.headers import WASM_WORKER_POLICY
from tests.browser.test_encoder import encoder_world, kept, offering
from tests.browser.tongues import Words, both, connected, english_on, judge_in_words
from tests.browser.world import violations
from tests.support.api import RunningApi
from tests.support.judging_phone import wait_for_judge
from tests.support.looks import look
from tests.support.packages import CHAT, SignedPackage
from tests.support.tap import tapped
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CONNECTION = """
Object.defineProperty(Navigator.prototype, "connection", { configurable: true, get: () => ({
  saveData: sessionStorage.getItem("costs") === "saves data",
  type: sessionStorage.getItem("costs") === "cellular" ? "cellular" : "wifi",
}) });
"""
"""What a phone tells of its network; a browser without a modem has nothing to tell."""
ENGINE = b"GET /assets/encoder-engine"
FILE = b"/model.int8.onnx"


@pytest.fixture
def api(tmp_path: Path, encoder_version: SignedPackage) -> Iterator[RunningApi]:
    """Return an API that offers an encoder."""
    with encoder_world(tmp_path, encoder_version) as running:
        yield running


def network(page: Page, costs: str) -> None:
    page.evaluate("(costs) => sessionStorage.setItem('costs', costs)", costs)


@both
def test_what_costs_money_is_loaded_only_by_consent(
    chromium: Browser, api: RunningApi, language: str, locale: str
) -> None:
    words = Words(language)
    with (
        tapped() as tap,
        connected(chromium, api, words, f"me-{language}", locale=locale, proxy=tap.proxy) as page,
    ):
        page.add_init_script(CONNECTION)
        network(page, "saves data")
        page.reload()
        wait_for_judge(page, "sms-v1")
        line = page.locator("#encoder-kinds li").first
        question = page.get_by_role("dialog", name=words("encoder.metered"))
        with offering(page, words):
            look(page, f"encoder-offer-{language}")
            line.get_by_role("button", name=words("encoder.load")).tap()
            expect(question).to_be_visible()
            look(page, f"encoder-metered-{language}")
            assert violations(page) == []
            if language != "en":  # which is among the languages to choose from
                assert set(english_on(page, words)) <= {"English"}
            question.get_by_role("button", name=words("cancel")).tap()
            expect(line).to_contain_text(words("encoder.waiting"))
            look(page, f"encoder-waiting-{language}")
        # Wanted, but not at this price: neither at the next look nor in another mobile network.
        for costs in ("saves data", "cellular"):
            network(page, costs)
            page.reload()
            wait_for_judge(page, "sms-v1")
            page.wait_for_load_state("networkidle")
        assert (kept(page), ENGINE in tap.sent, FILE in tap.sent) == (0, False, False)
        with offering(page, words):
            line.get_by_role("button", name=words("encoder.load")).tap()
            question.get_by_role("button", name=words("encoder.loadNow")).tap()
            expect(line).to_contain_text(words("encoder.ready"))
            assert (ENGINE in tap.sent, FILE in tap.sent) == (True, True)
            files = kept(page)
            line.get_by_role("button", name=words("encoder.remove")).tap()
            expect(line.get_by_role("button", name=words("encoder.load"))).to_be_visible()
            line.get_by_role("button", name=words("encoder.load")).tap()
            question.get_by_role("button", name=words("cancel")).tap()
            expect(line).to_contain_text(words("encoder.waiting"))
        # In a network that costs nothing it comes by itself.
        network(page, "nothing")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        wait_until(lambda: kept(page) == files, "it is never loaded by itself", page=page)
        judge_in_words(page, words, CHAT[0])  # while it is still being tried
        whole = words("card.version.whole", version="sms-v1")
        expect(page.locator("article.result")).to_contain_text(whole)


def test_the_encoders_worker_alone_may_run_web_assembly_and_reaches_nobody(
    chromium: Browser, api: RunningApi
) -> None:
    words = Words("en")
    with connected(chromium, api, words, "wasm", locale="en-GB") as page:
        wait_for_judge(page, "sms-v1")
        with page.expect_request("**/app/encoder/*.js") as script, offering(page, words):
            line = page.locator("#encoder-kinds li").first
            line.get_by_role("button", name=words("encoder.load")).tap()
            expect(line).to_contain_text(words("encoder.ready"))
        answer = page.request.get(script.value.url)
        assert answer.headers["content-security-policy"] == WASM_WORKER_POLICY
        for path in ("/app", "/login?next=/app", "/app/worker.js"):
            policy = page.request.get(f"{api.url}{path}").headers["content-security-policy"]
            assert "wasm" not in policy, path
        assert page.request.get(f"{api.url}/app/encoder/other.js").status == 404
        with page.expect_worker() as started:
            judge_in_words(page, words, CHAT[0])
        whole = words("card.version.whole", version="sms-v1")
        expect(page.locator("article.result")).to_contain_text(whole)
        tiny = "WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))"
        assert started.value.evaluate(f"{tiny}.then(() => 'runs', (error) => error.name)") == "runs"
        for leak in (
            f"fetch('{api.url}/healthz').then(() => 'reached', (error) => error.name)",
            f"import('{api.url}/assets/x.js').then(() => 'reached', (error) => error.name)",
        ):
            assert started.value.evaluate(leak) == "TypeError"
        refused = page.evaluate(f"{tiny}.then(() => 'runs', (error) => error.name)")
        assert refused == "CompileError"
