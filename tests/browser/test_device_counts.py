"""Counts of what the phone says by itself: in lots, with noise, kept offline, sent once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from shield.labels import ModelType
from shield.packages import push
from tests.browser.world import scan
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.browser import PHONE, open_page
from tests.support.judge import make_stable, version_with_judge
from tests.support.judging_phone import READ, sign_in, texts_in, wait_for_judge
from tests.support.packages import CHAT
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DRAWS = """draws => {
  const real = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (array) => {
    const drawn = array instanceof Uint32Array && array.length === 1 ? draws.shift() : undefined;
    if (drawn === undefined) return real(array);
    array[0] = drawn * 2 ** 32;
    return array;
  };
}"""
"""Makes the browser draw these numbers, as far as they go."""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApi]:
    """An API whose stable version brings a judge."""
    made = version_with_judge(tmp_path / "package")
    monkeypatch.setenv("SHIELD_TRUSTED_KEYS", str(made.trusted_keys))
    with (
        model_server(ModelType.SMS) as url,
        running_api(tmp_path / "api", embedded=True) as running,
    ):
        push(running.services.artifacts, made.package.path)
        make_stable(running.services.rollouts, "sms-v1", made.package, url=url)
        yield running


def start(page: Page, api: RunningApi) -> list[Request]:
    """Connect a phone whose clock can be moved; return the counts that it sends from then on."""
    page.clock.install()
    sign_in(page, api)
    wait_for_judge(page, "sms-v1")
    sent: list[Request] = []
    page.on("request", lambda each: sent.append(each) if each.url.endswith("/counts") else None)
    return sent


def look(page: Page) -> None:
    """Let an hour pass, and wait until the look-up that comes with it is over."""
    with page.expect_request("**/device/text/release"):
        page.clock.fast_forward("01:00:01")
    over(page)


def over(page: Page) -> None:
    page.evaluate("navigator.locks.request('antispam-shield-judge', () => null)")


def kept(page: Page) -> list[dict[str, int]]:
    """Return the counts that the phone keeps, fullest first."""
    read = READ.replace("-judge", "-tallies").replace('.get("text")', ".getAll()")
    tallies = page.evaluate(f"({read})('tallies')")
    return sorted((each["counts"] for each in tallies), key=lambda c: -sum(c.values()))


def on_server(api: RunningApi) -> int:
    with api.client("rita", "reviewer") as reviewer:
        return sum(row.scans for row in reviewer.device_counts())


def test_twenty_answers_are_one_lot_with_a_quarter_by_lot(
    chromium: Browser, api: RunningApi
) -> None:
    with open_page(chromium, PHONE) as (_, page):
        sent = start(page, api)
        # Every fourth answer is one by lot, and the lot says "scam".
        draws = [number for _ in range(5) for number in (0.1, 0.5, 0.74, 0.75, 0.5)]
        page.evaluate(f"({DRAWS})({json.dumps(draws)})")
        for _ in range(19):
            scan(page, CHAT[0])
        expect(page.get_by_role("heading", level=1).last).to_have_text("Looks harmless")
        look(page)
        assert sent == [], "nineteen are too few to hide in"
        scan(page, CHAT[0])
        over(page)
        assert sent == [], "nobody is told when a message was judged"
        look(page)
        (lot,) = sent
        assert lot.url == f"{api.url}/api/v2/device/text/counts"
        assert lot.post_data_json == {"version": "sms-v1", "harmless": 15, "scam": 5, "unsure": 0}
        assert texts_in(sent, CHAT[0]) == []
        look(page)
        assert len(sent) == 1
        assert kept(page) == []
    assert on_server(api) == 20


def test_a_lot_filled_offline_is_kept_and_sent_once(chromium: Browser, api: RunningApi) -> None:
    with open_page(chromium, PHONE) as (context, page):
        sent = start(page, api)
        page.evaluate("navigator.serviceWorker.ready")
        context.set_offline(True)
        for number in range(23):
            scan(page, CHAT[number % 2])
        page.reload()  # the page was closed meanwhile
        expect(page.get_by_label("The message")).to_be_visible()
        over(page)
        assert [sum(counts.values()) for counts in kept(page)] == [20, 3]
        context.set_offline(False)
        wait_until(lambda: on_server(api) == 20)
        over(page)
        look(page)
        assert [sum(counts.values()) for counts in kept(page)] == [3]
        keys = {each.headers["idempotency-key"] for each in sent}
        assert len(keys) == 1
    assert on_server(api) == 20


def test_a_lot_whose_answer_was_lost_or_that_must_wait_keeps_its_key_and_its_counts(
    chromium: Browser, api: RunningApi
) -> None:
    answers = ["too slow", "lost", "arrives"]
    with open_page(chromium, PHONE, service_workers="block") as (_, page):
        sent = start(page, api)

        def answer(route: Route) -> None:
            said = answers.pop(0)
            if said == "too slow":
                route.fulfill(status=408, content_type="application/problem+json", body="{}")
            elif said == "lost":
                route.fetch()
                route.abort()
            else:
                route.continue_()

        page.route("**/device/text/counts", answer)
        for _ in range(20):
            scan(page, CHAT[0])
        look(page)
        look(page)
        assert on_server(api) == 20, "it has arrived, and the phone does not know"
        scan(page, CHAT[0])  # the next lot begins, and the one on its way does not grow
        look(page)
        assert answers == []
        look(page)
        assert len(sent) == 3
        assert len({(each.headers["idempotency-key"], each.post_data) for each in sent}) == 1
        assert [sum(counts.values()) for counts in kept(page)] == [1]
    assert on_server(api) == 20


def test_a_lot_that_will_never_be_taken_is_dropped(chromium: Browser, api: RunningApi) -> None:
    with open_page(chromium, PHONE, service_workers="block") as (_, page):
        sent = start(page, api)
        body = json.dumps({"message": "never heard of it"})
        page.route(
            "**/device/text/counts",
            lambda route: route.fulfill(
                status=422, content_type="application/problem+json", body=body
            ),
        )
        for _ in range(20):
            scan(page, CHAT[0])
        look(page)
        look(page)
        assert len(sent) == 1
        assert kept(page) == []
