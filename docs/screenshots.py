"""Make the pictures of the pages: `python -m docs.screenshots` (part of `make docs`).

A real API, a small real model and Chromium; the messages, people and reviews are examples.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from shield.predictor import Predictor
from tests.browser.world import at_the_desk, on_the_phone, scan, world
from tests.support.api import RunningApi
from tests.support.browser import open_browser
from tests.support.history import Message, live_through
from tests.support.packages import signed_package

IMAGES = Path(__file__).parent / "images"
LARGEST_BYTES = 200_000
SIZE = (1280, 800)
PAGES = {
    "review-queue.png": "/review",
    "review-statistics.png": "/review/statistics",
    "review-rollouts.png": "/review/rollouts",
}
MESSAGES = [
    Message("Your parcel is held at customs. Pay 1.99 here: http://parcel-fee.example/{n}", True),
    Message(
        "Congratulations, you won a {n} pound voucher! Claim it at http://claims.example", True
    ),
    Message("Hi mum, I dropped my phone, this is my new number. Can you text me back?", True),
    Message("Free tickets for the school play on Friday! Call me if you want to come along", False),
    Message("Unusual transfer of 940. If this was not you, call 0800 000 111 now", True),
    Message("Reminder: the dentist sees you on Tuesday at {n} o'clock", False),
    Message("Confirm your identity tonight, or we close it: http://account.example/{n}", True),
    Message("Dinner at seven? I will cook if you bring dessert", False),
]
SHOWN = "Free tickets"


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    model = Predictor(signed_package().package, threads=1)

    def judge(text: str) -> float:
        return float(model.probabilities([text])[0])

    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), judge=judge, second_review_share=0.3, audit_sample_share=0.3) as api,
        open_browser() as browser,
    ):
        live_through(api, MESSAGES)
        _dashboard(browser, api)
        _phone(browser, api)


def _dashboard(browser: Browser, api: RunningApi) -> None:
    with at_the_desk(browser, api, "ruth", size=SIZE) as page:
        for name, path in PAGES.items():
            page.goto(api.url + path)
            if path == "/review":
                page.locator("a.entry", has_text=SHOWN).first.click()
                page.locator("article.item", has_text=SHOWN).wait_for()
                page.get_by_text("Asking the model what stands out").wait_for(state="hidden")
            page.evaluate("window.scrollTo(0, 0)")
            page.wait_for_timeout(500)  # charts are drawn after the page
            _save(page, name)


def _phone(browser: Browser, api: RunningApi) -> None:
    with on_the_phone(browser, api, device_scale_factor=2) as page:
        scan(page, MESSAGES[7].text)
        scan(page, MESSAGES[1].text.format(n=900))
        page.evaluate("window.scrollTo(0, 0)")
        _save(page, "phone.png")


def _save(page: Page, name: str) -> None:
    """Write a picture in 256 colours, as small as PNG gets."""
    shown = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))
    small = io.BytesIO()
    shown.convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    bytes_ = small.getvalue()
    if len(bytes_) > LARGEST_BYTES:
        raise SystemExit(f"{name} has {len(bytes_)} bytes, {LARGEST_BYTES} are allowed.")
    (IMAGES / name).write_bytes(bytes_)
    sys.stderr.write(f"docs/images/{name} ({len(bytes_) // 1000} kB)\n")


if __name__ == "__main__":
    main()
