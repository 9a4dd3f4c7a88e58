"""Numbers as people read them: measures, figures, formats."""

from datetime import UTC, datetime, timedelta

import pytest

from api.metrics.history import Point
from api.pages import figures, formats
from api.pages.measures import measure
from api.pages.scan_types import generated
from api.pages.templates import FOLDER
from shield.errors import UnknownLabel
from shield.labels import MODEL_TYPES, ModelType
from shield.wire import MetricRead

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def metric(name: str, **fields: object) -> MetricRead:
    return MetricRead.model_validate({"name": name, "formula": "a / b", "target": 0.7, **fields})


def test_a_metric_without_observations_is_not_known_rather_than_zero() -> None:
    shown = measure(metric("approvalRate"))
    assert (shown.value, shown.verdict, shown.kind) == ("–", "not known yet", "plain")
    assert shown.low is None


def test_a_met_and_a_missed_target_say_so_in_words() -> None:
    met = measure(metric("approvalRate", value=0.8, low=0.7, high=0.9, n=50, met=True))
    missed = measure(metric("approvalRate", value=0.5, low=0.4, high=0.6, n=50, met=False))
    assert (met.value, met.verdict, met.kind) == ("80%", "on target", "good")
    assert (missed.verdict, missed.kind) == ("off target", "bad")
    assert met.target == "above 70%"


def test_a_gain_within_its_interval_of_zero_is_no_measurable_change() -> None:
    fields = {"value": 0.02, "low": -0.001, "high": 0.04, "met": False, "target": 0.01}
    shown = measure(metric("recallGain", **fields, note="sms-v2: no measurable change"))
    assert shown.verdict == "no measurable change"
    assert (shown.value, shown.low) == ("+2.0", "-0.1")


def test_a_difference_of_nothing_has_no_negative_zero() -> None:
    assert measure(metric("recallGain", value=-0.0001, low=-0.01, high=0.01)).value == "+0.0"


def test_an_unknown_metric_is_shown_under_its_own_name() -> None:
    shown = measure(metric("newerThanThisPage", value=0.123, low=0.1, high=0.2))
    assert (shown.title, shown.value) == ("newerThanThisPage", "0.123")


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.5, 1.0, 40.0, 900.0])
@pytest.mark.parametrize("name", ["recallGain", "rollbackRate", "feedbackPerThousandScans"])
def test_everything_is_drawn_within_its_line(name: str, value: float) -> None:
    shown = measure(metric(name, value=value, low=value - 1, high=value + 1))
    for fraction in (shown.fraction, shown.fraction_low, shown.fraction_high):
        assert fraction is not None
        assert 0 <= fraction <= 1
    assert 0 <= shown.fraction_target <= 1


def test_figures_are_paired_with_the_champion_s() -> None:
    shown = figures.read({"goldenRecall": 0.9, "goldenChampionRecall": 0.8, "goldenFpr": 0.01})
    recall, fpr = shown.comparisons
    assert (recall.part, recall.champion, recall.kind) == ("Golden set", 0.8, "good")
    assert (fpr.figure, fpr.champion, fpr.kind) == ("False positives", None, "")


def test_more_false_positives_are_bad_and_fewer_are_good() -> None:
    worse = figures.read({"goldenFpr": 0.02, "goldenChampionFpr": 0.01}).comparisons[0]
    better = figures.read({"goldenFpr": 0.01, "goldenChampionFpr": 0.02}).comparisons[0]
    assert (worse.kind, better.kind) == ("bad", "good")


def test_a_figure_that_the_page_does_not_know_is_listed_and_not_dropped() -> None:
    assert figures.read({"somethingNew": 0.25, "code": "abc"}).other == [
        ("code", "abc"),
        ("somethingNew", "0.25"),
    ]


def test_a_slice_shows_both_models_from_the_counts() -> None:
    compared = {"tp": 8, "fn": 2, "fp": 1, "tn": 89, "scamsWon": 3, "hamsLost": 1}
    slices = figures.read(
        {"slices": [{"dimension": "link", "value": "with link", "comparison": compared}]}
    ).slices
    assert [(one.kind, one.n) for one in slices] == [("link: with link", 100)]
    assert slices[0].challenger == pytest.approx(0.97)
    assert slices[0].champion == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (60, "1 minute ago"), (7300, "2 hours ago"), (200_000, "2 days ago")],
)
def test_ages_read_in_one_unit(seconds: int, words: str) -> None:
    assert formats.ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_unknown_shares_are_dashes_and_small_rates_keep_a_digit_more() -> None:
    assert formats.percent(None) == "–"
    assert formats.rate(None, 0.2) == "no interval yet"
    assert formats.rate(0.001, 0.0123) == "0.10 to 1.23%"
    assert formats.rate(0.1, 0.5) == "10.0 to 50.0%"


def test_labels_read_as_people_say_them_and_each_knows_its_opposite() -> None:
    assert [formats.word(label) for label in ("spam", "ham", "phishing", "safe")] == [
        "a scam", "harmless", "phishing", "safe",
    ]  # fmt: skip
    assert formats.opposite("spam", ModelType.SMS) == "ham"
    assert formats.opposite("ham", ModelType.VOICE) == "spam"
    assert formats.opposite("safe", ModelType.PHISHING) == "phishing"
    with pytest.raises(UnknownLabel, match="'ham' is not a label of phishing models"):
        formats.opposite("ham", ModelType.PHISHING)


def test_what_clients_and_pages_know_of_the_scan_types_is_current() -> None:
    for path, content in generated().items():
        assert path.read_text(encoding="utf-8") == content, f"run `make types`: {path}"


def test_every_model_type_has_an_icon_that_is_drawn() -> None:
    drawn = (FOLDER / "icons.svg").read_text()
    for record in MODEL_TYPES.values():
        assert f'symbol("{record.icon}")' in drawn


def test_a_history_is_drawn_from_its_floor_and_judged_by_the_target() -> None:
    history = [Point("w1", None, 0), Point("w2", 0.0, 4), Point("w3", 0.5, 4), Point("w4", 1.0, 4)]
    shown = measure(metric("approvalRate", value=0.6, low=0.3, high=0.8, n=8, met=False), history)
    assert [step.kind for step in shown.steps] == ["plain", "bad", "bad", "good"]
    assert [step.value for step in shown.steps] == ["nothing to count", "0%", "50%", "100%"]
    assert shown.steps[0].height == 0
    assert shown.steps[1].height > 0, "a zero is a fact"
    assert all(step.top + step.height == pytest.approx(100) for step in shown.steps)
    assert shown.steps[3].height == pytest.approx(2 * shown.steps[2].height)
    assert shown.target_top == pytest.approx(30)


def test_gains_and_losses_part_at_the_middle_line() -> None:
    history = [Point("v2", 0.04, 100), Point("v3", -0.04, 100)]
    fields = {"value": -0.04, "low": -0.06, "high": -0.02, "met": False, "target": 0.01}
    up, down = measure(metric("recallGain", **fields), history).steps
    assert (up.kind, up.top, up.height) == ("good", 0, 50)
    assert (down.kind, down.top, down.height) == ("bad", 50, 50)


def test_gains_are_shown_with_their_intervals_and_slices_with_their_change() -> None:
    registered = {
        "goldenRecallGain": 0.03, "goldenRecallGainLow": 0.01, "goldenRecallGainHigh": 0.05,
        "goldenGain": -0.001, "goldenGainLow": -0.004, "goldenGainHigh": 0.002,
    }  # fmt: skip
    shown = figures.read(registered)
    assert [(name, gain.kind) for name, gain in shown.gains] == [
        ("recall", "good"),
        ("accuracy", ""),
    ]
    assert shown.reach == 0.05
    assert shown.other == []
