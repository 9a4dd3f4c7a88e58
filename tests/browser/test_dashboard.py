"""Artifacts of the steps as Kubeflow's dashboard shows them: whole, readable, legends apart."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Browser, Frame

from components.build_dataset.card import write_card
from components.drift_watch.telling import as_markdown as look_as_markdown
from components.evaluate import plots
from components.evaluate.figures import in_words
from components.evaluate.step import run as evaluate
from components.gate.step import as_markdown
from components.shared import messages
from components.train.checkpoint import Curves
from components.train.curves import plot
from shield.gates import Decision, GateLimits, decide
from shield.labels import ModelType
from shield.run_files import DATASET, BatchShift, DatasetFacts, PhraseCounts
from shield.wire import DriftLook, DriftSignal, DriftVerdict
from tests.support.dashboard import BESIDE, POPPED_OUT, html_shown, markdown_shown
from tests.support.packages import CHAT, LURES, signed_package

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Made = tuple[dict[str, str], Decision, dict[str, float]]
FACTS = DatasetFacts(
    model_type=ModelType.SMS,
    fresh_feedback=80,
    golden_digest=f"sha256:{'0ed0cb9d' * 8}",
    batches=["sms-f59af377643eb508"],
    taught=1,
    replayed=900,
    beside_before=BatchShift(
        messages=1, scams=1.0, scams_before=0.4, new_campaigns=1.0, length_shift=0.2
    ),
    phrases=PhraseCounts(looked_at=3, suspected=1, inoculated=1),
    set_aside={"too many of one reporter": 2},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Pages of three steps as they write them, and the decision of the gates."""
    folder = tmp_path_factory.mktemp("steps")
    rows = [(text, 1) for text in LURES] + [(text, 0) for text in CHAT]
    tables = {
        name: pl.DataFrame(
            {
                "id": [f"{name}-{n}" for n in range(len(rows) * copies)],
                "text": [f"{text} {n}" for n in range(copies) for text, _ in rows],
                "label": [label for _ in range(copies) for _, label in rows],
                "source": "uci-sms",
                "campaign": [f"{name}-{n}" for n in range(len(rows) * copies)],
            }
        )
        for name, copies in (("train", 4), ("golden", 2), ("fresh", 1))
    }
    for name, table in tables.items():
        messages.write(table, folder / f"{name}.parquet")
    FACTS.write(folder / DATASET)
    old, new = (signed_package(seed).package.path for seed in (0, 1))
    limits = GateLimits(min_feedback=81)
    report, card, curves = (folder / f"{name}.html" for name in ("report", "card", "curves"))
    judged = evaluate(folder, new, old, folder / "evaluations.json", report, limits=limits)
    write_card(card, FACTS, tables, tables["fresh"].head(2))
    learned = Curves(loss=[0.7, 0.4], valid_loss=[0.65, 0.5], seconds=[9.0, 9.1], kept=2)
    plot(learned, curves, title="Training of the sms filter, from the base model")
    pages = {path.stem: path.read_text() for path in (report, card, curves)}
    return pages, decide(judged.gate_input, limits), judged.gate_input.metrics


@pytest.mark.parametrize("width", [BESIDE, POPPED_OUT])
@pytest.mark.parametrize("name", ["report", "card", "curves"])
def test_no_page_is_cut_off_in_its_frame(
    chromium: Browser, made: Made, name: str, width: int
) -> None:
    with html_shown(chromium, made[0][name], width) as frame:
        seen = frame.evaluate(_MEASURED)
    assert seen["width"] == width
    assert seen["whole"] <= width
    assert seen["outside"] == [], "text without a box that can be moved"
    assert seen["begins"] == "H1"
    assert seen["heading"] < 150, "the heading leaves no room for what is below it"


_MEASURED = """() => {
  const moves = node => node.closest('.wide') !== null;
  const outside = [...document.querySelectorAll('h1,h2,h3,p,svg,td,figcaption,.wide')]
    .filter(node => !moves(node) || node.matches('.wide'))
    .filter(node => node.getBoundingClientRect().right > innerWidth + 1)
    .map(node => node.textContent.slice(0, 60));
  return {width: innerWidth, whole: document.documentElement.scrollWidth, outside,
    begins: document.body.firstElementChild.tagName,
    heading: document.querySelector('h1').getBoundingClientRect().bottom};
}"""


def test_the_report_begins_with_the_outcome_and_a_digest_stays_on_one_line(
    chromium: Browser, made: Made
) -> None:
    with html_shown(chromium, made[0]["report"], BESIDE) as frame:
        assert frame.inner_text("h1") == "Refused: enough-feedback"
        lines = frame.evaluate(
            "[...document.querySelectorAll('code')].map(node => node.getClientRects().length)"
        )
    assert len(lines) >= 3
    assert set(lines) == {1}


def _roc(scam: Any, scores: Any) -> str:
    return plots.roc(scam, [(name, "#000", scores) for name in _MODELS], 0.01)


def _reliability(scam: Any, scores: Any) -> str:
    return plots.reliability(scam, [(name, "#000", scores) for name in _MODELS])


def _bars(_scam: Any, _scores: Any) -> str:
    kinds = [f"tactic: {'a kind with a long name ' * 2}"[:40] for _ in range(24)]
    values: list[float | None] = [1.0 - n / 100 for n in range(24)]
    return plots.bars(kinds, [(name, "#000", values) for name in _MODELS[:2]], "recall")


def _histogram(scam: Any, scores: Any) -> str:
    return plots.histogram(scam, scores, 0.5)


_MODELS = ("challenger", "champion", "linear baseline")
_DRAWN = (_roc, _reliability, _bars, _histogram)


@pytest.mark.parametrize("width", [BESIDE, POPPED_OUT])
@pytest.mark.parametrize("draw", _DRAWN, ids=lambda draw: draw.__name__.strip("_"))
def test_no_legend_lies_over_bars_or_curves(
    chromium: Browser, draw: Callable[[Any, Any], str], width: int
) -> None:
    # As many scams as harmless messages get every score: curves and bars are everywhere.
    scam = np.arange(400) % 2 == 0
    with html_shown(chromium, draw(scam, np.linspace(0, 1, 400)), width) as frame:
        _look_at_the_legend(frame)


def test_the_legend_of_a_training_lies_over_no_curve(chromium: Browser, made: Made) -> None:
    with html_shown(chromium, made[0]["curves"], POPPED_OUT) as frame:
        _look_at_the_legend(frame)


def _look_at_the_legend(frame: Frame) -> None:
    boxes = frame.evaluate("""() => {
      const box = node => { const r = node.getBoundingClientRect();
        return [r.left, r.top, r.right, r.bottom]; };
      const legend = document.querySelector('[id^=legend]');
      return {legend: box(legend), plot: box(document.querySelector('#patch_2')),
        whole: box(document.querySelector('svg')),
        texts: [...document.querySelectorAll('svg text')].map(box),
        names: [...legend.querySelectorAll('text')].map(box)};
    }""")
    left, top, right, bottom = boxes["legend"]
    assert bottom <= boxes["plot"][1] + 1, "the legend lies over the plot"
    assert left >= boxes["whole"][0]
    assert top >= boxes["whole"][1]
    assert right <= boxes["whole"][2] + 1, "the legend is cut off"
    left, top, right, bottom = boxes["whole"]
    for text in boxes["texts"]:
        assert left - 1 <= text[0] <= text[2] <= right + 1, "a name is cut off"
        assert top - 1 <= text[1] <= text[3] <= bottom + 1, "a name is cut off"
    assert len(boxes["names"]) >= 2
    for one, other in pairwise(sorted(boxes["names"])):
        apart = one[2] <= other[0] + 1 or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
        assert apart, "names in the legend lie over each other"


def _look() -> str:
    return look_as_markdown(
        DriftLook(
            model_type=ModelType.SMS,
            champion="sms-v3",
            at=datetime(2026, 11, 29, tzinfo=UTC),
            verdict=DriftVerdict.RETRAIN,
            alpha=0.05,
            signals=[
                DriftSignal(
                    name="misses",
                    says=DriftVerdict.RETRAIN,
                    events=9,
                    trials=40,
                    limit=0.1,
                    evidence=1.2,
                    message="misses: 9 of 40 audited scans since 20 November; up to 10 %.",
                )
            ],
            reason="misses ask.",
        )
    )


@pytest.mark.parametrize("name", ["verdict", "drift"])
def test_a_verdict_and_a_look_for_drift_are_read_in_a_column_as_narrow_as_a_phone(
    chromium: Browser, made: Made, name: str
) -> None:
    told = as_markdown(made[1]) if name == "verdict" else _look()
    with markdown_shown(chromium, told, BESIDE) as page:
        assert page.locator("#card").bounding_box()["width"] == BESIDE  # type: ignore[index]
        narrow = page.evaluate(
            "Math.min(...[...document.querySelectorAll('li')].map(node => node.clientWidth))"
        )
        first = page.inner_text("h1")
        marks = [mark for mark in ("|", "**", "<") if mark in page.inner_text("#card")]
    assert narrow > 180, "findings stand in a column of few letters"
    assert (
        first
        == {
            "verdict": "Refused: enough-feedback",
            "drift": "Drift: a retraining is asked for",
        }[name]
    )
    assert marks == []


def test_figures_are_named_in_words(made: Made) -> None:
    named = [in_words(name) for name in made[2]]
    assert len(set(named)) == len(named) > 20
    assert [name for name in named if re.search(r"[a-z][A-Z]|_", name.replace("McN", "n"))] == []
    assert in_words("goldenChampionRecallAtBudget") == "golden: recall within the budget, champion"
    assert in_words("timeForwardFpr") == "time forward: false-positive rate"
    assert in_words("goldenBaselineF1") == "golden: F1, linear baseline"
    assert in_words("budget") == "budget: harmless messages that may be flagged"
