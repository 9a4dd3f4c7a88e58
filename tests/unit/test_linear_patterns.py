"""What reads a stranger's text takes time that grows with its length, and no faster.

One user sent 8 kB of `a-` and stopped the API for 17 s each time a reviewer opened the item: a
pattern took quadratic time. Processor time is compared at two lengths, never with a clock.
"""

import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.pages.traits import traits
from components.build_dataset.grams import words_of
from components.evaluate.redact import common_words, redact
from components.evaluate.slices import obfuscation_of
from shield.labels import ScanType
from shield.reasons import Reader, explain
from shield.similarity import form
from shield.text import apart, normalise, readable

ROOT = Path(__file__).parents[2]
SHORT, LONG = 500, 4_000
FAULT = 3.0
"""Times more than linear growth; a quadratic pattern shows 8."""
NOISE_SECONDS = 0.02
UNITS = [
    *("a", "1", " ", "-", ".", "@", "/", "(", "+", "_", "<", '"', "\u200b", "\u0430", "\u2021"),
    *("a-", "a.", "a@", "a ", "1-", "1.", "1 ", "-_", "+1", "@.", " \u2021", "a\u200b", "\u0430a"),
    *("a.b.c.d.e.f.g", "f-r-e-e ", "f r e e ", "a.b-", "W.I.N.", "f-r-\u0435-e", "r.\u0435."),
    *("http://", "www.", "www.a", "a.bc/", "a@b.", "<a", "<script", "<!--", "(1) ", "xn--a."),
]
READERS: dict[str, Callable[[str], object]] = {
    "normalise": normalise,
    "readable": readable,
    "apart": apart,
    "form": form,
    "traits": traits,
    "redact": lambda text: redact(text, common_words([text])),
    "obfuscation_of": obfuscation_of,
    "words_of": words_of,
    "explain": lambda text: explain(text, ScanType.TEXT, flagged=True, sure=True, reader=Reader()),
    "calm": lambda text: explain(text, ScanType.TEXT, flagged=False, sure=True, reader=Reader()),
}


def processor_seconds(reader: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    reader(text)
    return time.process_time() - started


def grows_too_fast(reader: Callable[[str], object], unit: str) -> bool:
    short, long = ((unit * size)[:size] + "!" for size in (SHORT, LONG))
    for _ in range(3):  # a busy machine may disturb one measurement, not three
        bound = NOISE_SECONDS + FAULT * LONG / SHORT * processor_seconds(reader, short)
        if processor_seconds(reader, long) <= bound:
            return False
    return True


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_a_hostile_text_is_read_in_linear_time(reader: Callable[[str], object]) -> None:
    assert [unit for unit in UNITS if grows_too_fast(reader, unit)] == []


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield every pattern over text that a module of the product keeps."""
    for room in ("api", "components", "serving", "shield"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts or "re.compile(" not in path.read_text():
                continue
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{module.__name__}.{name}", value


def test_every_pattern_searches_in_linear_time() -> None:
    kept = dict(patterns())
    assert "shield.links.LINK" in kept
    slow = {
        name: unit
        for name, pattern in kept.items()
        for unit in UNITS
        if grows_too_fast(lambda text, pattern=pattern: pattern.sub("", text), unit)  # type: ignore[misc]
    }
    assert slow == {}


def test_a_quadratic_pattern_is_noticed() -> None:
    quadratic = re.compile(r"\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/")
    assert grows_too_fast(lambda text: quadratic.sub("", text), "a-")
