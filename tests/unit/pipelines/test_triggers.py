"""What has started a run is told by the schedule that did, or by its name."""

import pytest

from pipelines.run import trigger_of


@pytest.mark.parametrize(
    ("run_id", "trigger"),
    [
        ("antispam-shield-learn-sms-29382938", "schedule"),  # of a CronJob's schedule
        ("again-sms", "manual"),  # kubectl create job --from=cronjob/...
        ("manual-sms-20261129T101500Z", "manual"),
        ("sms-20261129t101500-123456", "manual"),
        (None, "manual"),
    ],
)
def test_a_job_of_a_schedule_is_known_by_its_name(run_id: str | None, trigger: str) -> None:
    assert trigger_of(run_id) == trigger
