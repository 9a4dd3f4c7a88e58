"""When a phone looks for releases and known scams: every hour, and when it comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages import push
from shield.wire import ReviewAction
from tests.browser.tongues import Words, connected, judge_in_words
from tests.support.api import RunningApi
from tests.support.judge import make_stable, version_with_judge
from tests.support.judging_phone import judging_world, wait_for_judge, wait_for_known
from tests.support.packages import CHAT
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API whose stable version brings a judge."""
    with judging_world(tmp_path) as running:
        yield running


def bring_out(api: RunningApi, folder: Path) -> None:
    """Make `sms-v2`, with another judge, the stable version."""
    first = version_with_judge(folder / "first").package
    better = version_with_judge(folder / "better", random=True).package
    push(api.services.artifacts, better.path)
    make_stable(api.services.rollouts, "sms-v2", better, before=first)
    wait_until_offered(api, "sms-v2")


def wait_until_offered(api: RunningApi, version: str, known: int | None = None) -> None:
    """Wait until phones are offered a version, and so many known scams: they look once an hour."""
    headers = {"Authorization": f"Bearer {api.token('ned')}"}

    def statement(what: str) -> Any:
        url = f"{api.url}/api/v2/device/text/{what}"
        answer = httpx.get(url, headers=headers, timeout=PATIENCE_SECONDS)
        return json.loads(answer.json()["data"]["statement"])

    def offered() -> bool:
        if statement("release")["version"] != version:
            return False
        return known is None or len(statement("known")["entries"]) == known

    wait_until(offered, f"phones are never offered {version}")


def decide_a_scam(api: RunningApi) -> str:
    """Let two people report a message and two reviewers decide; return the entry's id."""
    text = "Are you coming for lunch? Your seat 4711 waits at https://seat-pay.example/a today"
    for user, reviewer in (("ben", "rita"), ("cat", "otto")):
        with api.client(user) as client, api.client(reviewer, "reviewer") as desk:
            found = client.scan(ScanType.TEXT, text)
            said = client.send_feedback(found.id, FeedbackType.FALSE_NEGATIVE)
            desk.review(said.id, ReviewAction.APPROVE)
    with api.client("rita", "reviewer") as rita:
        return rita.known().items[0].id


def expect_judged_by(page: Page, words: Words, version: str) -> None:
    judge_in_words(page, words, CHAT[0])
    told = words("card.version.device", version=version)
    expect(page.locator("article.result")).to_contain_text(told)


def test_every_hour_releases_and_known_scams_are_looked_up_and_an_undo_arrives(
    chromium: Browser, api: RunningApi, tmp_path: Path
) -> None:
    words, looks = Words("ar"), list[str]()
    with (
        api.client("rita", "admin", "reviewer") as rita,
        connected(chromium, api, words, locale="ar-SA") as page,
    ):
        page.clock.install()
        page.reload()
        wait_for_judge(page, "sms-v1")
        page.wait_for_load_state("networkidle")
        page.on("request", lambda request: looks.append(request.url))
        bring_out(api, tmp_path)
        entry = decide_a_scam(api)
        wait_until_offered(api, "sms-v2", known=1)
        page.clock.fast_forward("50:00")
        page.wait_for_load_state("networkidle")
        assert [url for url in looks if "/device/" in url] == [], "it looks before its hour"
        page.clock.fast_forward("10:00")
        wait_for_judge(page, "sms-v2")
        wait_for_known(page, 1)
        assert len([url for url in looks if url.endswith("/text/release")]) == 1
        api.clock.move_on(60)
        rita.undo_rollout(ModelType.SMS, "it errs")
        rita.undo_known(entry, "it was lunch")
        wait_until_offered(api, "sms-v1", known=0)
        page.clock.fast_forward("01:00:00")
        wait_for_judge(page, "sms-v1")
        wait_for_known(page, 0)
        expect_judged_by(page, words, "sms-v1")


def test_a_phone_that_comes_back_from_the_background_looks_at_once(
    chromium: Browser, api: RunningApi, tmp_path: Path
) -> None:
    words = Words("en")
    with (
        api.client("rita", "admin") as rita,
        connected(chromium, api, words, locale="en-GB") as page,
    ):
        wait_for_judge(page, "sms-v1")
        page.wait_for_load_state("networkidle")
        bring_out(api, tmp_path)
        come_back(page)
        wait_for_judge(page, "sms-v2")
        rita.undo_rollout(ModelType.SMS, "it errs")
        wait_until_offered(api, "sms-v1")
        come_back(page)
        wait_for_judge(page, "sms-v1")
        page.context.set_offline(True)
        come_back(page)
        expect_judged_by(page, words, "sms-v1")
        page.context.set_offline(False)


def come_back(page: Page) -> None:
    """What a phone tells a page that is shown again: a browser without a window never hides one."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
