"""`/app` with a judge on the phone: connected, and watched for what leaves it."""

from playwright.sync_api import Page, Request, expect

from tests.support.api import RunningApi

KEPT = """async () => {
  const open = indexedDB.open("antispam-shield-judge", 1);
  const db = await new Promise((done, failed) => {
    open.onsuccess = () => done(open.result);
    open.onerror = () => failed(open.error);
    open.onupgradeneeded = () => open.transaction.abort();
  });
  const asked = db.transaction("shelves").objectStore("shelves").get("text");
  const shelf = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  db.close();
  return shelf?.current?.release.version ?? null;
}"""


def connect(page: Page, api: RunningApi) -> list[Request]:
    """Connect a phone and wait for its judge; return the requests that it makes from then on."""
    page.goto(f"{api.url}/app#token={api.token('ada')}")
    page.get_by_role("button", name="Connect as ada").click()
    expect(page.get_by_role("button", name="Scan", exact=True)).to_be_visible()
    wait_for_judge(page, "sms-v1")
    page.evaluate("navigator.serviceWorker.ready")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    return sent


def wait_for_judge(page: Page, version: str | None) -> None:
    for _ in range(200):
        if page.evaluate(f"({KEPT})().catch(() => 'none yet')") == version:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{version} never judged on the phone")


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
