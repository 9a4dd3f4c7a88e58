"""`/app` with a judge on the phone: connected, and watched for what leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from shield.labels import ModelType
from shield.packages import push
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.judge import make_stable, version_with_judge
from tests.support.waiting import wait_until

READ = """async (store) => {
  const open = indexedDB.open("antispam-shield-judge");
  const db = await new Promise((done, failed) => {
    open.onsuccess = () => done(open.result);
    open.onerror = () => failed(open.error);
    open.onupgradeneeded = () => open.transaction.abort();
  });
  const asked = db.transaction(store).objectStore(store).get("text");
  const found = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  db.close();
  return found;
}"""
"""Reads what the phone keeps of text messages in a store of the judge's database."""


@contextmanager
def judging_world(folder: Path) -> Iterator[RunningApi]:
    """Serve an API whose stable version for texts brings a judge; its own model calls whatever says
    "win" a scam. Calls are judged too, by a version that brings nothing for phones."""
    made = version_with_judge(folder / "package")
    with pytest.MonkeyPatch.context() as patch, model_server(ModelType.SMS) as url:
        patch.setenv("SHIELD_TRUSTED_KEYS", str(made.trusted_keys))
        with running_api(folder / "api", embedded=True) as running:
            push(running.services.artifacts, made.package.path)
            rollouts = running.services.rollouts
            make_stable(rollouts, "sms-v1", made.package, url=url)
            deploy(rollouts, url, version="voice-v1", model_type=ModelType.VOICE)
            for model_type in (ModelType.SMS, ModelType.VOICE):
                wait_until(
                    partial(running.services.router.split, model_type), f"no {model_type} serves"
                )
            yield running


def sign_in(page: Page, api: RunningApi) -> None:
    """Connect a phone by a link."""
    page.goto(f"{api.url}/app#token={api.token('ada')}")
    page.get_by_role("button", name="Connect as ada").click()
    expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()


def connect(page: Page, api: RunningApi) -> list[Request]:
    """Connect a phone and wait for its judge; return the requests that it makes from then on."""
    sign_in(page, api)
    wait_for_judge(page, "sms-v1")
    page.evaluate("navigator.serviceWorker.ready")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    return sent


def wait_for_judge(page: Page, version: str | None) -> None:
    """Wait until a version judges on the phone; None: until none does."""
    read = f"({READ})('shelves').then((shelf) => shelf?.current?.release.version ?? null)"
    wait_until(
        lambda: page.evaluate(f"{read}.catch(() => 'none yet')") == version,
        f"{version} never judged on the phone",
        page=page,
        pause_seconds=0.1,
    )


def wait_for_known(page: Page, entries: int) -> None:
    """Wait until the phone knows so many scams from reviewers."""
    read = f"({READ})('known').then((known) => known?.entries.length ?? null)"
    wait_until(
        lambda: page.evaluate(f"{read}.catch(() => null)") == entries,
        f"the phone never knew {entries} scams",
        page=page,
        pause_seconds=0.1,
    )


def texts_in(requests: list[Request], *texts: str) -> list[str]:
    """Return the addresses of the requests that hold one of the texts."""
    return [
        request.url
        for request in requests
        if any(text[:20] in (request.post_data or "") + request.url for text in texts)
    ]


def choose(page: Page, label: str, value: str) -> None:
    page.locator("#account-button").click()
    page.locator(f"#{label}").select_option(value)
    page.locator("#account-close").click()
    expect(page.locator("#account")).to_be_hidden()


def choose_asking(page: Page, asking: str) -> None:
    """Choose who judges one's messages: `never`, `ask` or `always` the server."""
    page.locator("#account-button").click()
    page.locator(f"#asking input[value={asking}]").check()
    page.locator("#account-close").click()
    expect(page.locator("#account")).to_be_hidden()
