"""Web Push in a browser: switched on by consent, woken, told in one's language, led to the inbox.

Chromium's own push service is a company's, out of reach of tests: ours stands in for it up to the
sealed envelope, and the browser is handed what the phone's key opens.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from shield.labels import FeedbackType, ScanType
from shield.wire import ReviewAction
from tests.browser.test_known import COPY, SCAM
from tests.browser.tongues import Words
from tests.browser.world import violations, world
from tests.support.api import RunningApi
from tests.support.browser import PHONE, open_page
from tests.support.push_service import PUBLIC, SETTINGS, Phone, push_service
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BY_OUR_SERVICE = """
(subscription) => {
  const made = (key) => ({
    ...subscription,
    options: { applicationServerKey: key },
    toJSON: () => subscription,
    unsubscribe: async () => { kept = null; return true; },
  });
  let kept = null;
  PushManager.prototype.getSubscription = async () => kept;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new DOMException("would be silent", "NotAllowedError");
    const text = atob(applicationServerKey.replace(/-/g, "+").replace(/_/g, "/"));
    return (kept = made(Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer));
  };
}
"""


def wake(page: Page, payload: dict[str, Any]) -> None:
    """Hand a push to the page's service worker, as the browser does, until it shows a notification.

    Of the pushes that are handed over by the debugger a busy browser loses some. One that comes
    twice shows nothing more: notifications of one kind replace each other.
    """
    registrations: dict[str, str] = {}
    session = page.context.new_cdp_session(page)
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.update(
            {each["scopeURL"]: each["registrationId"] for each in event["registrations"]}
        ),
    )
    session.send("ServiceWorker.enable")
    wait_until(lambda: registrations, page=page)
    ((scope, registration),) = registrations.items()
    push = {
        "origin": scope.removesuffix("/app"),
        "registrationId": registration,
        "data": json.dumps(payload),
    }

    def shown() -> bool:
        session.send("ServiceWorker.deliverPushMessage", push)
        with suppress(AssertionError):
            wait_until(lambda: page.evaluate(SHOWN), page=page, seconds=20)
            return True
        return False

    wait_until(shown, page=page)
    session.detach()


SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, lang, dir }) => ({ title, body, lang, dir }))"""


@pytest.mark.parametrize(("language", "locale"), [("en", "en-GB"), ("ar", "ar-SA")])
def test_a_phone_is_woken_in_its_language_and_opens_the_inbox(
    chromium: Browser, tmp_path: Path, language: str, locale: str
) -> None:
    words = Words(language)
    with (
        push_service() as service,
        world(tmp_path, **SETTINGS) as api,
        open_page(chromium, PHONE, locale=locale) as (context, page),
    ):
        phone = Phone(f"{service.url}/ada")
        context.grant_permissions(["notifications"], origin=api.url)
        page.add_init_script(f"({BY_OUR_SERVICE})({json.dumps(phone.subscription())})")
        page.goto(f"{api.url}/app#token={api.token('ada')}")
        page.get_by_role("button", name=words("connect.yes", name="ada")).click()
        page.get_by_label(words("input.label")).fill(COPY)
        page.get_by_role("button", name=words("input.scan"), exact=True).tap()
        expect(page.locator("article.result")).to_be_visible()
        switch(page, words, on=True)
        assert violations(page) == []
        page.get_by_role("button", name=words("done")).tap()
        wait_until(lambda: known_phones(api) == 1, page=page)
        confirm(api)
        wait_until(lambda: service.calls, "the phone was not woken", page=page)
        payload = phone.opened(service.calls[0][2])
        assert payload["kind"] == "warning"
        assert service.claims(0)["sub"] == "mailto:ops@example.org"
        wake(page, payload)
        assert page.evaluate(SHOWN) == [
            {
                "title": words("push.warning"),
                "body": words("push.warningBody"),
                "lang": language,
                "dir": "rtl" if language == "ar" else "ltr",
            }
        ]
        # The answer to the scan is on the screen; a tap on the notification leads to the inbox.
        expect(page.locator("#inbox article")).to_be_hidden()
        tap_notification(page)
        expect(page.locator("#inbox article")).to_be_visible()
        assert page.evaluate(SHOWN) == []
        switch(page, words, on=False)
        wait_until(lambda: known_phones(api) == 0, page=page)


def switch(page: Page, words: Words, *, on: bool) -> None:
    if not page.locator("#account").is_visible():
        page.locator("#account-button").tap()
    box = page.get_by_label(words("account.notify"))
    expect(box).to_be_checked(checked=not on)
    box.set_checked(on)
    expect(page.locator("#toasts")).to_contain_text(words("account.saved"))


def known_phones(api: RunningApi) -> int:
    headers = {"Authorization": f"Bearer {api.token('ada')}"}
    found = httpx.get(f"{api.url}/api/v2/inbox/push", headers=headers, trust_env=False).json()[
        "data"
    ]
    assert found["publicKey"] == PUBLIC
    return len(found["phones"])


def confirm(api: RunningApi) -> None:
    """Let two reviewers decide that it is a scam."""
    for user, reviewer in (("ann", "rita"), ("cat", "otto")):
        with api.client(user) as phone:
            sent = phone.send_feedback(
                phone.scan(ScanType.TEXT, SCAM).id, FeedbackType.FALSE_NEGATIVE
            )
        with api.client(reviewer, "reviewer") as client:
            client.review(sent.id, ReviewAction.APPROVE)


def tap_notification(page: Page) -> None:
    """Tap the notification: no window shows it here, so the worker is told as the browser would."""
    (worker,) = page.context.service_workers
    worker.evaluate(
        """async () => {
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
        }"""
    )


def test_who_says_no_is_told_how_to_change_it_and_without_a_key_nobody_is_asked(
    chromium: Browser, tmp_path: Path
) -> None:
    words = Words("en")
    for settings, shown in ((SETTINGS, True), ({}, False)):
        folder = tmp_path / str(shown)
        with world(folder, **settings) as api, open_page(chromium, PHONE) as (_, page):
            page.add_init_script("Notification.requestPermission = async () => 'denied'")
            page.goto(f"{api.url}/app#token={api.token('ada')}")
            page.get_by_role("button", name="Connect as ada").click()
            page.locator("#account-button").tap()
            expect(page.locator("#consent")).to_be_enabled()
            box = page.get_by_label(words("account.notify"))
            if not shown:
                page.wait_for_load_state("networkidle")
                expect(box).to_be_hidden()
                continue
            box.click()
            expect(page.locator("#toasts")).to_contain_text(words("account.notifyDenied"))
            expect(box).not_to_be_checked()
