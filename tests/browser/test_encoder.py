"""The whole predictor on the phone, for who asks for it: by taps, in both directions, offline."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from shield.book import Side, messages_of, read_book
from shield.device import read_device
from shield.labels import Certainty, ModelType
from shield.packages import ModelPackage, push
from shield.predictor import Predictor
from tests.browser.tongues import Words, both, connected, judge_in_words
from tests.browser.world import violations
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.encoders import version_with_encoder
from tests.support.judge import make_stable
from tests.support.judging_phone import wait_for_judge
from tests.support.packages import SignedPackage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FILES = "caches.open('encoders').then((cache) => cache.keys())"


@contextmanager
def encoder_world(folder: Path, encoder_version: SignedPackage) -> Iterator[RunningApi]:
    """Serve an API whose stable version brings a judge and an encoder, and judges by it itself."""
    predictor = Predictor(encoder_version.package)
    with (
        model_server(ModelType.SMS, lambda text: float(predictor.probabilities([text])[0])) as url,
        running_api(folder / "api", embedded=True) as running,
    ):
        push(running.services.artifacts, encoder_version.package.path)
        make_stable(running.services.rollouts, "sms-v1", encoder_version.package, url=url)
        yield running


@pytest.fixture
def api(tmp_path: Path, encoder_version: SignedPackage) -> Iterator[RunningApi]:
    """Return an API that offers an encoder."""
    with encoder_world(tmp_path, encoder_version) as running:
        yield running


def telling(package: ModelPackage) -> tuple[str, str]:
    """Return a text on which judge and whole predictor differ most, and the latter's answer."""
    texts = [" ".join(m.text.split()) for m in messages_of(read_book(), Side.JUDGE, each=1)][:200]
    predictor, judge = Predictor(package), read_device(package)
    whole, alone = predictor.margins(texts), judge.margins(texts)
    at = int((abs(whole) * (whole * alone < 0)).argmax())
    probability = float(predictor.probabilities([texts[at]])[0])
    assert whole[at] * alone[at] < 0
    if predictor.certainty(probability) is Certainty.UNSURE:
        return texts[at], "verdict.unsure"
    return texts[at], "verdict.scam" if whole[at] > 0 else "verdict.harmless"


@contextmanager
def offering(page: Page, words: Words) -> Iterator[None]:
    """Open the dialog from the account, and close both."""
    page.locator("#account-button").tap()
    page.get_by_role("button", name=words("encoder.title")).tap()
    yield
    page.locator("#encoder-close").tap()
    page.locator("#account-close").tap()
    expect(page.locator("#account")).to_be_hidden()


def kept(page: Page) -> int:
    """Return how many files of encoders the phone keeps."""
    number: int = page.evaluate(f"{FILES}.then((files) => files.length)")
    return number


@both
def test_who_asks_for_it_is_answered_as_by_the_server_without_a_network_too(
    chromium: Browser, api: RunningApi, encoder_version: SignedPackage, language: str, locale: str
) -> None:
    words, (text, verdict) = Words(language), telling(encoder_version.package)
    sent: list[Request] = []
    with connected(chromium, api, words, locale=locale) as page:
        page.context.on("request", lambda request: sent.append(request))
        wait_for_judge(page, "sms-v1")
        line = page.locator("#encoder-kinds li").first
        card = page.locator("article.result")
        with offering(page, words):
            load = line.get_by_role("button", name=words("encoder.load"))
            expect(load).to_be_visible()
            assert violations(page) == []
            assert not any("onnx" in each.url or "encoder-" in each.url for each in sent)
            load.tap()
            expect(page.locator("#toasts")).to_contain_text(words("encoder.loaded"))
            expect(line).to_contain_text(words("encoder.ready"))
        page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
        page.context.set_offline(True)
        page.reload()
        judge_in_words(page, words, text)
        expect(card).to_contain_text(words("card.version.whole", version="sms-v1"))
        expect(card.get_by_role("heading", level=1)).to_have_text(words(verdict))
        expect(card).to_contain_text(words("feedback.nothing-sent"))
        assert violations(page) == []
        page.get_by_role("button", name=words("again")).tap()
        with offering(page, words):
            line.get_by_role("button", name=words("encoder.remove")).tap()
            expect(page.locator("#toasts")).to_contain_text(words("encoder.removed"))
        assert kept(page) == 0
        judge_in_words(page, words, text)
        expect(card).to_contain_text(words("card.version.device", version="sms-v1"))
        expect(card.get_by_role("heading", level=1)).not_to_have_text(words(verdict))
        assert [each.url for each in sent if each.method == "POST"] == []


def test_what_is_tampered_with_cut_off_or_given_up_changes_nothing(
    chromium: Browser, api: RunningApi, encoder_version: SignedPackage
) -> None:
    words, held = Words("en"), list[Route]()
    tokenizer = encoder_version.package.read("tokenizer.json")
    changed = gzip.compress(tokenizer.replace(b"a", b"b", 1), 6, mtime=0)

    def tampered(route: Route) -> None:
        size = len(route.fetch().body())
        route.fulfill(status=200, body=changed[:size] + bytes(max(0, size - len(changed))))

    with connected(chromium, api, words, locale="en-GB", service_workers="block") as page:
        wait_for_judge(page, "sms-v1")
        with offering(page, words):
            load = page.locator("#encoder-kinds li").first.get_by_role("button")
            problem = page.locator("#encoder-problem")
            for handler, why in (
                (tampered, "encoder.untrusted"),
                (lambda route: route.fulfill(status=200, body=changed[:99]), "encoder.failed"),
                (
                    lambda route: route.fulfill(status=200, body=changed + tokenizer),
                    "encoder.untrusted",
                ),
                (lambda route: route.abort(), "encoder.failed"),
            ):
                page.route("**/tokenizer.json", handler)
                load.tap()
                expect(problem).to_have_text(words(why))
                page.unroute("**/tokenizer.json")
            page.route("**/tokenizer.json", lambda route: held.append(route))
            load.tap()
            page.get_by_role("button", name=words("cancel")).tap()
            expect(load).to_have_text(words("encoder.load"))
            expect(problem).to_have_text("")
            page.unroute("**/tokenizer.json")
            page.evaluate("() => void (window.Worker = undefined)")  # a browser that cannot run it
            load.tap()
            expect(problem).to_have_text(words("encoder.unable"))
            assert kept(page) == 0
        judge_in_words(page, words, "Are you coming for dinner tonight?")
        card = page.locator("article.result")
        expect(card).to_contain_text(words("card.version.device", version="sms-v1"))


def test_an_encoder_that_fails_later_says_so_and_can_be_tried_again(
    chromium: Browser, api: RunningApi
) -> None:
    words = Words("en")
    with connected(chromium, api, words, locale="en-GB", service_workers="block") as page:
        wait_for_judge(page, "sms-v1")
        line = page.locator("#encoder-kinds li").first
        with offering(page, words):
            line.get_by_role("button", name=words("encoder.load")).tap()
            expect(line).to_contain_text(words("encoder.ready"))
        page.evaluate("() => { window.Kept = window.Worker; window.Worker = undefined; }")
        judge_in_words(page, words, "Are you coming for dinner tonight?")
        card = page.locator("article.result")
        expect(card).to_contain_text(words("card.version.device", version="sms-v1"))
        page.get_by_role("button", name=words("again")).tap()
        page.evaluate("() => { window.Worker = window.Kept; }")
        with offering(page, words):
            expect(line).to_contain_text(words("encoder.failing"))
            assert violations(page) == []
            line.get_by_role("button", name=words("encoder.again")).tap()
            expect(line).to_contain_text(words("encoder.ready"))
        judge_in_words(page, words, "Are you coming for dinner tonight?")
        expect(card).to_contain_text(words("card.version.whole", version="sms-v1"))


def test_an_undo_needs_no_download_and_a_new_version_is_loaded_by_itself(
    chromium: Browser, api: RunningApi, encoder_version: SignedPackage, tmp_path: Path
) -> None:
    words, (text, verdict) = Words("en"), telling(encoder_version.package)
    other = version_with_encoder(tmp_path / "other", 2).package
    with connected(chromium, api, words, locale="en-GB") as page:
        wait_for_judge(page, "sms-v1")
        with offering(page, words):
            page.locator("#encoder-kinds li").first.get_by_role("button").tap()
            expect(page.locator("#toasts")).to_contain_text(words("encoder.loaded"))
        files = kept(page)
        push(api.services.artifacts, other.path)
        make_stable(api.services.rollouts, "sms-v2", other, before=encoder_version.package)
        page.wait_for_timeout(500)
        page.reload()
        wait_for_judge(page, "sms-v2")
        wait_until(lambda: kept(page) >= 2 * files, "the new one is never loaded", page=page)
        with api.client("ada", "admin") as admin:
            admin.undo_rollout(ModelType.SMS, "it errs")
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url))
        page.reload()
        wait_for_judge(page, "sms-v1")
        judge_in_words(page, words, text)
        card = page.locator("article.result")
        expect(card).to_contain_text(words("card.version.whole", version="sms-v1"))
        expect(card.get_by_role("heading", level=1)).to_have_text(words(verdict))
        assert not any("onnx" in url for url in sent)
