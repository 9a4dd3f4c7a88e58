"""A real Chromium: the machine's own, else Debian's package when root, else Playwright's
download."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.waiting import PATIENCE_MILLISECONDS

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # containers forbid the sandbox's system calls; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Or the browser asks its maker what a form on a page may be filled with.
    "--disable-features=AutofillServerCommunication",
    # A phone in the home's network: a name that is not localhost, over plain http.
    "--host-resolver-rules=MAP phone.lan 127.0.0.1",
]
WIDE = (1360, 900)
PHONE = (390, 844)


def ensure_chromium() -> Path:
    """Return a Chromium that starts; install one when there is none, saying so on stderr.

    Raises:
        RuntimeError: None could be had; the message says what to install.
    """
    found = _on_the_machine() or _of_playwright()
    if found is not None:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _say("Installing Chromium from Debian's packages ...")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends"]):
            packages = ["chromium", "fonts-dejavu-core"] if step[0] == "install" else []
            subprocess.run(
                ["apt-get", *step, *packages], env=environment, check=False, stdout=sys.stderr
            )
        found = _on_the_machine()
    if found is None:
        _say("Downloading Playwright's Chromium ...")
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=False, stdout=sys.stderr)
        found = _of_playwright()
    if found is None:
        raise RuntimeError(
            "The browser tests need Chromium. Install the package `chromium` of your system, or "
            "let "
            "`python -m playwright install chromium` reach its server."
        )
    return found


def _on_the_machine() -> Path | None:
    for name in NAMES:
        if path := shutil.which(name):
            return Path(path)
    return None


def _of_playwright() -> Path | None:
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium without a window until the block ends."""
    executable = ensure_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=FLAGS, timeout=PATIENCE_MILLISECONDS
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser, size: tuple[int, int] = WIDE, **options: object
) -> Iterator[tuple[BrowserContext, Page]]:
    """Open a page in a fresh profile. A script error or a blocked resource fails the test."""
    phone = size[0] < 600
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        has_touch=phone,
        is_mobile=phone,
        **options,  # type: ignore[arg-type]
    )
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: (
            faults.append(said.text) if said.type == "error" and _is_fault(said.text) else None
        ),
    )
    try:
        yield context, page
    finally:
        context.close()
    assert not faults, faults


def _is_fault(text: str) -> bool:
    # Chromium reports every refused or failed request as an error; tests look at those themselves.
    # And of a page over plain http, that a header for isolated pages means nothing there.
    told = ("Failed to load resource", "The Cross-Origin-Opener-Policy header has been ignored")
    return not text.startswith(told)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return one Chromium for the tests of a module; each test opens a profile of its own.

    Not for the whole session: while Playwright waits, its event loop counts as running in this
    thread, and every later test that runs a loop of its own would be refused.
    """
    with open_browser() as browser:
        yield browser
