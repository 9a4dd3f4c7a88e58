"""Recurring runs on a KFP server: requests checked by the published API's own models."""

from pathlib import Path

import pytest

from pipelines.kfp_api import KfpApi
from pipelines.server import PipelineServer, Schedule
from shield.errors import Conflict, Invalid, Unauthenticated, Unavailable
from tests.support.kfp import KfpServer
from tests.support.ports import free_ports

MONDAY = "0 3 * * 1"


def schedules(cron: str = MONDAY, *types: str, **parameters: object) -> list[Schedule]:
    return [
        Schedule(model_type, cron, {"min_feedback": 50, **parameters}, "learner")
        for model_type in types or ("sms", "phishing", "voice")
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text("pipelineInfo: {name: weekly-retraining}\n")
    return path


@pytest.fixture
def server(kfp: KfpServer) -> PipelineServer:
    return PipelineServer(KfpApi(kfp.url))


def test_one_recurring_run_per_model_type_is_created(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    outcomes = server.deploy(package, schedules())
    assert [(found.name, found.action) for found in outcomes] == [
        ("antispam-shield-sms", "created"),
        ("antispam-shield-phishing", "created"),
        ("antispam-shield-voice", "created"),
    ]
    assert len(kfp.recurring_runs) == 3
    assert list(kfp.packages.values()) == [package.read_bytes()]


def test_the_wire_has_six_fields_no_catch_up_and_one_run_at_a_time(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (run,) = kfp.recurring_runs.values()
    assert run["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert (run["no_catchup"], run["max_concurrency"], run["mode"]) == (True, "1", "ENABLE")
    assert run["runtime_config"]["parameters"] == {"model_type": "sms", "min_feedback": 50}
    assert run["service_account"] == "learner"
    (version,) = kfp.versions.values()
    assert run["pipeline_version_reference"] == {
        "pipeline_id": version["pipeline_id"],
        "pipeline_version_id": version["pipeline_version_id"],
    }


def test_deploying_again_changes_nothing(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    first = server.deploy(package, schedules())
    kfp.writes.clear()
    again = server.deploy(package, schedules())
    assert kfp.writes == []
    assert {found.action for found in again} == {"unchanged"}
    assert [found.recurring_run_id for found in again] == [
        found.recurring_run_id for found in first
    ]


@pytest.mark.parametrize("cron", ["0 3 * *", "0 0 3 * * 1", "61 3 * * 1", "weekly", ""])
def test_a_cron_that_is_not_five_good_fields_is_refused_before_anything_is_sent(
    kfp: KfpServer, server: PipelineServer, package: Path, cron: str
) -> None:
    with pytest.raises(Invalid, match="schedule"):
        server.deploy(package, [*schedules(MONDAY, "sms"), *schedules(cron, "voice")])
    assert kfp.writes == []


def test_a_changed_cron_replaces_the_run_by_creating_first_and_deleting_then(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules())
    kfp.writes.clear()
    outcomes = server.deploy(package, schedules("30 4 * * 2"))
    assert {found.action for found in outcomes} == {"replaced"}
    assert {found.cron for found in outcomes} == {"0 30 4 * * 2"}
    assert [method for method, _ in kfp.writes] == ["POST", "DELETE"] * 3
    assert len(kfp.recurring_runs) == 3


@pytest.mark.parametrize(
    "change", [{"min_feedback": 80}, {"seed": 7}, {"recipe": {"epochs": 3}}], ids=str
)
def test_changed_parameters_replace_the_run(
    kfp: KfpServer, server: PipelineServer, package: Path, change: dict[str, object]
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (outcome,) = server.deploy(package, schedules(MONDAY, "sms", **change))
    assert outcome.action == "replaced"
    assert server.deploy(package, schedules(MONDAY, "sms", **change))[0].action == "unchanged"


def test_a_new_pipeline_becomes_a_new_version_and_the_runs_follow_it(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    before = server.deploy(package, schedules())
    package.write_text("pipelineInfo: {name: weekly-retraining}\n# changed\n")
    after = server.deploy(package, schedules())
    assert len(kfp.versions) == 2
    assert len(kfp.pipelines) == 1
    assert {found.action for found in after} == {"replaced"}
    assert before[0].version != after[0].version
    newest = kfp.versions[
        next(iter(kfp.recurring_runs.values()))["pipeline_version_reference"]["pipeline_version_id"]
    ]
    assert newest["name"] == after[0].version


def test_a_pipeline_that_comes_back_reuses_its_old_version(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    original = package.read_text()
    server.deploy(package, schedules())
    package.write_text("changed: true\n")
    server.deploy(package, schedules())
    package.write_text(original)
    server.deploy(package, schedules())
    assert len(kfp.versions) == 2


def test_a_model_type_that_is_no_longer_wanted_loses_its_run(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules())
    outcomes = server.deploy(package, schedules(MONDAY, "sms"))
    assert [(found.name, found.action) for found in outcomes] == [
        ("antispam-shield-sms", "unchanged"),
        ("antispam-shield-phishing", "deleted"),
        ("antispam-shield-voice", "deleted"),
    ]
    assert [run["display_name"] for run in kfp.recurring_runs.values()] == ["antispam-shield-sms"]


def test_two_runs_of_one_name_are_brought_back_to_one(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    kfp.fail_deletes = True
    with pytest.raises(Unavailable, match="delete the recurring run"):
        server.deploy(package, schedules("0 4 * * 1", "sms"))
    assert len(kfp.recurring_runs) == 2  # what a crash leaves: too many, never too few
    kfp.fail_deletes = False
    (outcome,) = server.deploy(package, schedules("0 4 * * 1", "sms"))
    assert outcome.action == "unchanged"
    (run,) = kfp.recurring_runs.values()
    assert run["trigger"]["cron_schedule"]["cron"] == "0 0 4 * * 1"


def test_a_run_that_was_paused_in_the_dashboard_stays_paused(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    next(iter(kfp.recurring_runs.values()))["mode"] = "DISABLE"
    (same,) = server.deploy(package, schedules(MONDAY, "sms"))
    assert (same.action, same.enabled) == ("unchanged", False)
    (moved,) = server.deploy(package, schedules("0 4 * * 1", "sms"))
    assert (moved.action, moved.enabled) == ("replaced", False)


def test_other_peoples_runs_are_left_alone(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (mine,) = kfp.recurring_runs.values()
    kfp.recurring_runs["other"] = {**mine, "display_name": "theirs", "recurring_run_id": "other"}
    server.deploy(package, schedules("0 4 * * 1", "sms"))
    server.delete()
    assert list(kfp.recurring_runs) == ["other"]


def test_ours_is_found_behind_more_than_one_page_of_others(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (mine,) = kfp.recurring_runs.values()
    others = {
        f"other-{number}": {**mine, "display_name": "x", "recurring_run_id": f"other-{number}"}
        for number in range(250)
    }
    rows = {**others, **kfp.recurring_runs}
    kfp.recurring_runs.clear()
    kfp.recurring_runs.update(rows)
    (outcome,) = server.deploy(package, schedules(MONDAY, "sms"))
    assert outcome.action == "unchanged"


def test_delete_takes_all_back_and_may_be_repeated(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    assert server.delete() == []
    server.deploy(package, schedules())
    assert {found.action for found in server.delete()} == {"deleted"}
    assert kfp.recurring_runs == {}
    assert server.delete() == []
    assert server.status() == []


def test_status_shows_what_is_there(server: PipelineServer, package: Path) -> None:
    assert server.status() == []
    deployed = server.deploy(package, schedules())
    assert [found.recurring_run_id for found in server.status()] == [
        found.recurring_run_id for found in deployed
    ]


def test_a_run_can_be_started_now(kfp: KfpServer, server: PipelineServer, package: Path) -> None:
    identifier = server.start(package, schedules(MONDAY, "sms")[0], "manual-sms-1")
    assert kfp.runs[identifier]["display_name"] == "manual-sms-1"
    assert kfp.runs[identifier]["runtime_config"]["parameters"]["model_type"] == "sms"


def test_an_outage_is_unavailable_and_names_the_host(package: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(Unavailable, match=url):
        PipelineServer(KfpApi(url)).deploy(package, schedules())


def test_a_missing_token_is_explained(kfp: KfpServer, package: Path) -> None:
    kfp.token = "secret"
    with pytest.raises(Unauthenticated, match="--token-file"):
        PipelineServer(KfpApi(kfp.url)).deploy(package, schedules())
    PipelineServer(KfpApi(kfp.url, token="secret")).deploy(package, schedules())
    assert len(kfp.recurring_runs) == 3


def test_a_name_that_another_deployment_just_took_is_a_conflict(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules())
    for version in kfp.versions.values():
        version["pipeline_id"] = "another"  # listed under another pipeline, but the name is taken
    with pytest.raises(Conflict, match="deploy again"):
        server.deploy(package, schedules())
