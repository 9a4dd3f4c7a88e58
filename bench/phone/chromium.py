"""How fast, how large and how quiet the judge on the phone is, in a real Chromium."""

import gzip
import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bench.outcome import Aim, Outcome
from components.baseline.step import fit
from components.prepare_corpus.book import book_messages
from shield.book import Side
from shield.device import CHARACTERS, DEVICE, WEIGHTS, Operating, quantised, write_device
from shield.labels import ModelType
from shield.packages import ModelPackage, load_private_key, pack, push, sign
from shield.packages.manifest import MANIFEST
from tests.support.api import RunningApi, running_api
from tests.support.arms import model_server
from tests.support.browser import FLAGS, PHONE, ensure_chromium, open_page
from tests.support.judge import make_stable, page_script, version_with_judge
from tests.support.judging_phone import READ, choose_asking, connect
from tests.support.packages import linear_package
from tests.support.tap import tapped
from tests.support.waiting import wait_until

FILES = (MANIFEST, DEVICE, WEIGHTS, CHARACTERS)
TIMED = """async (texts) => {
  const { judge } = window.bench;
  for (const text of texts.slice(0, 50)) judge.judge(text);
  const times = texts.map((text) => {
    const began = performance.now();
    judge.judge(text);
    return performance.now() - began;
  });
  return times;
}"""


def run(folder: Path, *, short: bool) -> Outcome:
    """Measure one judge of full size on the book's own messages."""
    table = book_messages(ModelType.SMS, Side.TEACH, seed=0).sample(400 if short else 4000, seed=0)
    texts, scam = table["text"].to_list(), table["label"].to_numpy() == 1
    made = linear_package(folder / "package")
    path = made.package.path
    operating = Operating(scale=1.0, bias=0.0, harmless=0.5, scam=0.5)
    model = quantised(fit(texts, scam))._replace(operating=operating)
    write_device(model, ModelType.SMS, path)
    pack(path, made.package.manifest.model_copy(update={"files": {}}))
    package = sign(path, load_private_key(made.signing_key))
    os.environ["SHIELD_TRUSTED_KEYS"] = str(made.trusted_keys)
    with (
        model_server(ModelType.SMS) as url,
        running_api(folder / "api", embedded=True) as api,
        sync_playwright() as playwright,
    ):
        push(api.services.artifacts, path)
        make_stable(api.services.rollouts, "sms-v1", package, url=url)
        browser = playwright.chromium.launch(executable_path=str(ensure_chromium()), args=FLAGS)
        judging = _judging(browser, api, package, texts[: 200 if short else 2000])
        living = _living(browser, api, texts[: 5 if short else 25])
        undone = _undoing(browser, api, folder, package)
        browser.close()
    wire = {name: len(gzip.compress((path / name).read_bytes())) for name in FILES}
    total = sum(wire.values())
    figures = {"judging": judging, "living": living, "undo s": undone, "bytes over the wire": wire}
    slowest = judging["p99 ms"]
    return Outcome(
        figures,
        [
            Aim(
                "judge on the device, a message in Chromium",
                "<= 2 ms",
                f"median {judging['median ms']:.2f} ms, p99 {slowest:.2f} ms",
                judging["median ms"] <= 2,
                f"Opening the judge takes {judging['open ms']:.0f} ms once.",
            ),
            Aim("package over the wire", "<= 1.5 MB", f"{total / 1e6:.2f} MB", total <= 1_500_000),
            Aim(
                "first load without it",
                "<= 300 kB",
                f"{living['first load bytes'] / 1e3:.0f} kB",
                living["first load bytes"] <= 300_000,
                "All that a proxy saw, with what the service worker keeps for offline use.",
            ),
            Aim(
                "texts sent in the mode never",
                "0",
                f"{living['texts sent in never']} of {living['scans in never']} scans",
                living["texts sent in never"] == 0,
                f"In all that a proxy saw. Other hosts called: {living['others called']}.",
            ),
            Aim(
                "cold start to verdict in flight mode",
                "<= 1 s",
                f"{living['cold start to verdict s']:.2f} s (median of 5)",
                living["cold start to verdict s"] <= 1,
            ),
            Aim(
                "undo to the former version's verdict on a phone that is opened",
                "<= 2 s",
                f"{undone:.2f} s",
                undone <= 2,
                "One that stays open looks every hour: an hour more at most.",
            ),
        ],
    )


def _judging(browser: Any, api: RunningApi, package: ModelPackage, texts: list[str]) -> Any:
    """Time the judge alone: its code in a page, its files from memory."""
    with open_page(browser, PHONE) as (_, page):
        page.goto(f"{api.url}/healthz")
        page.evaluate(page_script())
        files = [
            json.loads(package.read(DEVICE)),
            list(package.read(WEIGHTS)),
            list(package.read(CHARACTERS)),
        ]
        opened = page.evaluate(
            """([manifest, weights, characters]) => {
              const [one, other] = [new Uint8Array(weights), new Uint8Array(characters)];
              const began = performance.now();
              window.bench = { judge: window.judgeModule.openJudge(manifest, one, other) };
              return performance.now() - began;
            }""",
            files,
        )
        times = page.evaluate(TIMED, texts)
    return {
        "open ms": round(opened, 1),
        "median ms": round(median(times), 3),
        "p99 ms": round(float(np.quantile(times, 0.99)), 3),
        "messages": len(texts),
    }


def _living(browser: Any, api: RunningApi, texts: list[str]) -> dict[str, Any]:
    """Use `/app` as a person does, and read what leaves it.

    A proxy counts: Playwright tells neither what a service worker loads nor what the browser sends.
    """
    files: list[int] = []
    with tapped() as tap, open_page(browser, PHONE, proxy=tap.proxy) as (context, page):
        seen: list[Any] = []
        page.on("requestfinished", lambda request: seen.append(request))
        connect(page, api)
        page.wait_for_load_state("networkidle")
        for request in seen:
            if "/files/" in request.url:
                sizes = request.sizes()
                files.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])
        first = tap.received_bytes - sum(files)
        choose_asking(page, "never")
        for text in texts:
            _scan(page, text)
            page.locator("button.back").click()
        page.wait_for_load_state("networkidle")
        told = tap.sent_any(*texts)
        context.set_offline(True)
        starts = [_cold(page, api.url, texts[0]) for _ in range(5)]
        context.set_offline(False)
    return {
        "first load bytes": first,
        "scans in never": len(texts),
        "texts sent in never": len(told),
        "others called": len({f"http://{host}" for host in tap.hosts} - {api.url}),
        "cold start to verdict s": round(median(starts), 3),
        "cold starts s": [round(each, 3) for each in starts],
    }


def _undoing(browser: Any, api: RunningApi, folder: Path, former: ModelPackage) -> float:
    """Return the seconds from an undo to a verdict by the former version, on an app in use.

    The app is brought to the front at once: that is when it looks for a release.
    """
    better = version_with_judge(folder / "better").package
    push(api.services.artifacts, better.path)
    with open_page(browser, PHONE) as (_, page), api.client("ada", "admin") as admin:
        connect(page, api)
        make_stable(api.services.rollouts, "sms-v2", better, before=former)
        wait_until(lambda: _looks(page) == "sms-v2", "the phone stays behind", page=page)
        began = time.monotonic()
        admin.undo_rollout(ModelType.SMS, "measured")
        wait_until(lambda: _looks(page) == "sms-v1", "the undo never arrives", page=page)
        _scan(page, "Lunch at twelve?")
        page.get_by_text("Judged on this phone by sms-v1").wait_for()
        return round(time.monotonic() - began, 3)


def _looks(page: Page) -> str:
    """Bring the app to the front, give it 50 ms, and return the version that judges in it."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(50)
    version: str = page.evaluate(
        f"({READ})('shelves').then((kept) => kept.current.release.version)"
    )
    return version


def _cold(page: Page, url: str, text: str) -> float:
    """Return the seconds from an empty tab to the verdict, without a network, in wall time."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(f"{url}/app")
    _scan(page, text)
    return time.monotonic() - began


def _scan(page: Page, text: str) -> None:
    page.locator("#home").wait_for()  # "Scan another" leads there in its own time
    page.locator("#message").fill(text.strip())
    page.locator("#scan").click()
    page.locator("article.result blockquote").wait_for()
