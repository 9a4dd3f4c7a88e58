"""How well `/app` reads the text in screenshots, in ten languages, in a real Chromium."""

import base64
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright
from rapidfuzz.distance import Levenshtein

from api.pages.build import node_folder, npm
from api.pages.build import run as run_program
from bench.outcome import Aim, Outcome
from components.prepare_corpus.book import book_messages
from shield.book import Side
from shield.labels import ModelType
from tests.support.api import running_api
from tests.support.arms import model_server
from tests.support.browser import FLAGS, PHONE, ensure_chromium, open_page
from tests.support.judging_phone import sign_in
from tests.support.screenshots import Look, screenshot

FONTS = {
    "roboto": ("5.3.0", "roboto-latin-400-normal"),
    "noto-sans-arabic": ("5.3.0", "noto-sans-arabic-arabic-400-normal"),
    "noto-sans-devanagari": ("5.3.0", "noto-sans-devanagari-devanagari-400-normal"),
}
"""Fonts of Android, as npm packages: name, version, file."""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"dark": True},
    "older phone": {"scale": 2.0},
}
LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "nl", "pt")
AIM = 0.98


def run(folder: Path, *, short: bool) -> Outcome:
    """Read messages of the book's evaluation half in each language, drawn as a phone shows them."""
    faces = _faces(folder / "fonts")
    table = book_messages(ModelType.SMS, Side.JUDGE, seed=0)
    with (
        model_server(ModelType.SMS),
        running_api(folder / "api", embedded=True) as api,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=str(ensure_chromium()), args=FLAGS)
        with open_page(browser, PHONE) as (_, page):
            sign_in(page, api)
            read = [
                {"language": language, "look": look, **_read(browser, page, language, text, shown)}
                for language in LANGUAGES
                for text in _messages(table, language, 1 if short else 4)
                for look, shown in _looks(faces).items()
            ]
        browser.close()
    found = pl.DataFrame(read)
    right = {
        language: _right(found.filter(pl.col("language") == language)) for language in LANGUAGES
    }
    worst = min(right, key=lambda language: right[language])
    figures = {
        "pictures": len(read),
        "characters read right": {"all": _right(found), **right},
        "by look": {look: _right(found.filter(pl.col("look") == look)) for look in LOOKS},
        "seconds a picture, median": round(median(found["seconds"].to_list()), 2),
    }
    return Outcome(
        figures,
        [
            Aim(
                "characters of screenshots read right",
                f">= {AIM}",
                f"{_right(found)} (worst language: {worst} {right[worst]})",
                _right(found) >= AIM,
                "Light, dark and at two pixels a point; messages of the book's evaluation half.",
            )
        ],
    )


def _messages(table: pl.DataFrame, language: str, number: int) -> list[str]:
    rows = table.filter(pl.col("language") == language).unique("tactic", maintain_order=True)
    return [" ".join(text.split()) for text in rows.sample(number, seed=7)["text"]]


def _looks(faces: str) -> dict[str, Look]:
    return {
        name: Look(faces=faces, font="A, B, C, sans-serif", **how) for name, how in LOOKS.items()
    }


def _read(browser: Browser, page: Page, language: str, text: str, look: Look) -> dict[str, Any]:
    """Read one picture by taps; return its errors, its length and the seconds that it took."""
    picture = screenshot(browser, text, look)
    page.locator("#message").fill("")
    page.locator("#file").set_input_files(
        FilePayload(name="screenshot.png", mimeType="image/png", buffer=picture)
    )
    page.locator("#picture-language").select_option(language)
    began = time.monotonic()
    page.locator("#picture-read").click()
    page.locator("#picture").wait_for(state="hidden")
    took = time.monotonic() - began
    got = " ".join(page.locator("#message").input_value().split())
    return {"errors": Levenshtein.distance(got, text), "length": len(text), "seconds": took}


def _right(rows: pl.DataFrame) -> float:
    """Return the share of characters that are read right: 1 - edits / length."""
    return round(1 - float(rows["errors"].sum()) / float(rows["length"].sum()), 4)


def _faces(folder: Path) -> str:
    """Fetch the fonts, and return the rules that name them `A`, `B` and `C`."""
    folder.mkdir()
    node = node_folder()
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    wanted = [f"@fontsource/{name}@{version}" for name, (version, _) in FONTS.items()]
    run_program(npm(node, "install", "--no-save", "--ignore-scripts", *wanted), environment, folder)
    rules = []
    for family, (name, (_, file)) in zip("ABC", FONTS.items(), strict=True):
        content = (folder / f"node_modules/@fontsource/{name}/files/{file}.woff2").read_bytes()
        source = f"data:font/woff2;base64,{base64.b64encode(content).decode()}"
        rules.append(f"@font-face {{ font-family: {family}; src: url({source}); }}")
    return " ".join(rules)
