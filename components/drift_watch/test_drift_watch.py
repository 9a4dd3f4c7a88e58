import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from components.drift_watch.step import (
    CANNOT_TELL,
    RETRAIN,
    STEADY,
    DriftLimits,
    look,
    run,
)
from shield.errors import Unavailable
from shield.labels import ModelType
from shield.wire import Interval, Rates, StatsRead, VersionRead, VersionStats, VersionStatus
from tests.support.api import running_api

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LIMITS = DriftLimits()


def champion(**metrics: float) -> VersionRead:
    return VersionRead(
        name="sms-v2",
        model_type=ModelType.SMS,
        digest="sha256:" + "a" * 64,
        uri="packages/sms/a",
        metrics=metrics or {"goldenRecall": 0.95, "goldenFpr": 0.005},
        status=VersionStatus.DEPLOYED,
        created_at=NOW,
    )


def interval(events: int, trials: int) -> Interval:
    return Interval(value=events / trials if trials else None, n=trials)


def stats(
    misses: tuple[int, int] = (0, 0),
    alarms: tuple[int, int] = (0, 0),
    own: tuple[int, int] = (0, 0),
    others: tuple[int, int] = (0, 0),
) -> StatsRead:
    return StatsRead(
        by_status={},
        by_type={},
        by_version=[
            VersionStats(
                model_type=ModelType.SMS,
                version=name,
                scans=scans,
                positives=0,
                reports=0,
                false_positive_claims=0,
                false_negative_claims=0,
                decided=0,
                verdict_errors=errors,
            )
            for name, (errors, scans) in (("sms-v2", own), ("sms-v1", others))
        ],
        rates=Rates(false_positive_rate=interval(*alarms), false_negative_rate=interval(*misses)),
        recent_trend=[],
        pending_count=0,
        metrics=[],
    )


def says(**seen: tuple[int, int]) -> dict[str, str]:
    return {each.name: each.says for each in look(champion(), stats(**seen), LIMITS)}


def test_too_few_observations_cannot_tell() -> None:
    assert set(says(misses=(5, 10), alarms=(1, 4), own=(9, 9)).values()) == {CANNOT_TELL}


def test_a_champion_that_does_as_promised_is_steady() -> None:
    found = says(misses=(6, 120), alarms=(2, 400), own=(5, 900), others=(6, 900))
    assert set(found.values()) == {STEADY}


def test_a_rising_miss_rate_asks_for_a_retraining() -> None:
    assert says(misses=(45, 150))["misses"] == RETRAIN


def test_complaints_far_above_other_versions_ask_for_a_retraining() -> None:
    assert says(own=(60, 1000), others=(5, 1000))["complaints"] == RETRAIN


def test_a_version_without_golden_figures_cannot_be_told_of() -> None:
    found = look(champion(other=1.0), stats(misses=(90, 100)), LIMITS)
    assert found[0].says == CANNOT_TELL


def test_looking_every_day_for_a_year_alarms_falsely_in_at_most_alpha_of_cases() -> None:
    rng = np.random.default_rng(0)
    limit = 0.05 + LIMITS.more_misses
    false = 0
    for _ in range(150):
        daily = rng.binomial(20, limit, size=365).cumsum()
        false += any(
            look(champion(), stats(misses=(int(daily[day]), 20 * (day + 1))), LIMITS)[0].says
            == RETRAIN
            for day in range(0, 365, 5)
        )
    # A third of alpha is this signal's: 2.5 of 150 expected at most; 8 would be 1 in 1,000.
    assert false < 8


def test_a_look_is_recorded_with_the_runs_and_no_champion_cannot_tell(tmp_path: Path) -> None:
    with running_api(tmp_path) as api, api.client("watch", "service") as client:
        report = tmp_path / "report.json"
        said = run(client, report, model_type=ModelType.SMS, now=NOW, limits=LIMITS)
        (recorded,) = client.runs()
    assert said == json.loads(report.read_bytes())["verdict"] == CANNOT_TELL
    assert recorded.run_id == "drift-sms-2026-03-02"
    assert recorded.outcome.value == "skipped"


def test_an_outage_is_never_read_as_steady(tmp_path: Path) -> None:
    from shield.client import ShieldClient

    client = ShieldClient("http://127.0.0.1:9", "x", sleep=lambda _: None)
    with client, pytest.raises(Unavailable):
        run(client, tmp_path / "r", model_type=ModelType.SMS, now=NOW, limits=LIMITS)
