"""Recurring runs on a KFP server: requests checked by the published API's own models."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.kfp_api import TIMEOUTS, KfpApi
from pipelines.recurring import Schedule
from pipelines.server import PipelineServer
from shield.errors import Conflict, Invalid, Misconfigured, Unauthenticated, Unavailable
from shield.labels import ModelType
from tests.support.kfp import KfpServer
from tests.support.ports import free_ports

MONDAY = "0 3 * * 1"


def schedules(
    cron: str = MONDAY, *types: str, release: str = "antispam-shield", **parameters: Any
) -> list[Schedule]:
    return [
        Schedule(model_type, cron, {"min_feedback": 50, **parameters}, "learner", release=release)
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
    kfp: KfpServer, server: PipelineServer, package: Path, change: dict[str, Any]
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


def test_a_sunday_that_is_written_as_7_or_as_a_range_is_taken_by_the_server(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    for cron in ("30 4 * * 7", "30 4 * * 5-7", "30 4 * * 1/2"):
        server.deploy(package, schedules(cron, "sms"))
    (run,) = kfp.recurring_runs.values()
    assert run["trigger"]["cron_schedule"]["cron"] == "0 30 4 * * 1,3,5"


def test_three_deployments_at_once_make_one_run_of_each_model_type(
    kfp: KfpServer, package: Path
) -> None:
    PipelineServer(KfpApi(kfp.url)).deploy(package, [])  # the pipeline and the experiment are there
    for tick in (timedelta(seconds=1), timedelta(0)):  # in three seconds, and within one
        kfp.tick, kfp.meet = tick, 3
        with ThreadPoolExecutor(3) as pool:
            servers = [PipelineServer(KfpApi(kfp.url)) for _ in range(3)]
            done = list(pool.map(lambda one: one.deploy(package, schedules()), servers))
        names = sorted(run["display_name"] for run in kfp.recurring_runs.values())
        assert names == [f"antispam-shield-{type_}" for type_ in ("phishing", "sms", "voice")]
        assert {one.action for outcomes in done for one in outcomes} <= {"created", "unchanged"}
        PipelineServer(KfpApi(kfp.url)).delete()


def test_two_deployments_at_once_that_disagree_leave_one_run_and_tell_the_loser(
    kfp: KfpServer, package: Path
) -> None:
    PipelineServer(KfpApi(kfp.url)).deploy(package, [])
    kfp.meet = 2

    def deploy(cron: str) -> Any:
        try:
            return PipelineServer(KfpApi(kfp.url)).deploy(package, schedules(cron, "sms"))
        except Conflict as conflict:
            return str(conflict)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(deploy, ("0 3 * * 1", "0 4 * * 1")))
    assert len(kfp.recurring_runs) == 1
    assert all("at this moment" in one for one in done if isinstance(one, str))
    assert sum(isinstance(one, str) for one in done) <= 1


def test_a_change_within_the_second_of_the_former_deployment_waits_for_the_next_second(
    kfp: KfpServer, package: Path
) -> None:
    def wait(seconds: float) -> None:
        kfp.clock += timedelta(seconds=seconds)

    kfp.tick = timedelta(0)
    server = PipelineServer(KfpApi(kfp.url), sleep=wait)
    for hour in range(8):  # ids are random: either order occurs
        server.deploy(package, schedules(f"0 {hour} * * 1", "sms"))
        (run,) = kfp.recurring_runs.values()
        assert run["trigger"]["cron_schedule"]["cron"] == f"0 0 {hour} * * 1"


def test_a_single_user_server_elsewhere_is_refused_and_nothing_is_changed(
    kfp: KfpServer, package: Path
) -> None:
    kfp.single_user = "kubeflow"
    with pytest.raises(Misconfigured, match="helm install -n kubeflow"):
        PipelineServer(KfpApi(kfp.url, namespace="team"), namespace="team").deploy(
            package, schedules()
        )
    assert kfp.recurring_runs == {}
    there = PipelineServer(KfpApi(kfp.url, namespace="kubeflow"), namespace="kubeflow")
    assert {one.namespace for one in there.deploy(package, schedules())} == {"kubeflow"}


def test_a_filter_by_model_type_leaves_the_others_as_they_are(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules())
    (moved,) = server.deploy(package, schedules("0 5 * * 1", "sms"), only=[ModelType.SMS])
    assert moved.action == "replaced"
    crons = {
        run["display_name"]: run["trigger"]["cron_schedule"]["cron"]
        for run in kfp.recurring_runs.values()
    }
    assert crons == {
        "antispam-shield-sms": "0 0 5 * * 1",
        "antispam-shield-phishing": "0 0 3 * * 1",
        "antispam-shield-voice": "0 0 3 * * 1",
    }
    assert [one.name for one in server.delete([ModelType.VOICE])] == ["antispam-shield-voice"]
    assert len(kfp.recurring_runs) == 2


def test_two_releases_on_one_server_leave_each_others_runs_alone(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    # The second one's weekly run of sms has the name of the first one's drift watch.
    second = PipelineServer(KfpApi(kfp.url), release="antispam-shield-drift")
    second.deploy(package, schedules(MONDAY, "sms", release="antispam-shield-drift"))
    server.deploy(package, schedules())
    assert {one.action for one in server.deploy(package, schedules())} == {"unchanged"}
    assert [one.name for one in second.status()] == ["antispam-shield-drift-sms"]
    assert len(server.delete()) == 3
    assert len(kfp.recurring_runs) == 1


def test_runs_without_a_mark_are_ours_by_their_exact_name_and_get_one(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (mine,) = kfp.recurring_runs.values()
    mine["description"] = "Retrains the sms model: 0 3 * * 1 (UTC)."  # as earlier versions wrote
    kfp.recurring_runs["bob"] = {
        **mine,
        "display_name": "antispam-shield-sms-bobs-trial",
        "recurring_run_id": "bob",
    }
    (marked,) = server.deploy(package, schedules(MONDAY, "sms"))
    assert marked.action == "replaced"
    left = {run["display_name"]: run.get("description") for run in kfp.recurring_runs.values()}
    assert "Release: antispam-shield" in str(left["antispam-shield-sms"])
    assert "antispam-shield-sms-bobs-trial" in left


@pytest.mark.timeout(60)
def test_a_server_that_never_answers_is_given_up_and_named(package: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts by its backlog, says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match=url):
            PipelineServer(KfpApi(url, timeouts=(1, 1))).delete()
    assert all(isinstance(limit, int) for limit in TIMEOUTS), "the client ignores a float"


def test_a_host_without_a_scheme_is_refused_with_the_cure(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Misconfigured, match="Write http://ml-pipeline:8888"):
        KfpApi("ml-pipeline:8888")
    assert capfd.readouterr() == ("", "")


def test_status_tells_the_zone_the_next_trigger_the_last_outcome_and_what_differs(
    kfp: KfpServer, package: Path
) -> None:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    kfp.single_user = "kubeflow"
    server = PipelineServer(KfpApi(kfp.url), now=lambda: now)
    deployed = server.deploy(package, schedules(MONDAY, "sms", "voice"))
    assert [one.next_trigger for one in deployed] == ["2026-11-30T03:00:00+00:00"] * 2
    assert {one.zone for one in deployed} == {None}  # nothing has run yet
    for one, due in zip(deployed, ("2026-11-23T03:00:00Z", "2026-11-22T18:00:00Z"), strict=True):
        kfp.runs[one.name] = {
            "run_id": one.name,
            "recurring_run_id": one.recurring_run_id,
            "experiment_id": next(iter(kfp.experiments)),
            "state": "SUCCEEDED",
            "created_at": due,
            "scheduled_at": due,
        }
    sms, voice, missing = server.status(
        [
            *schedules(MONDAY, "sms"),
            *schedules(MONDAY, "voice", min_feedback=80),
            *schedules(MONDAY, "phishing"),
        ],
        {"weekly-retraining": package},
    )
    assert (sms.namespace, sms.zone, sms.next_trigger) == (
        "kubeflow",
        "UTC",
        "2026-11-30T03:00:00+00:00",
    )
    assert (sms.last_outcome, sms.differs, sms.note) == ("SUCCEEDED 2026-11-23 03:00Z", (), None)
    assert (voice.zone, voice.next_trigger) == ("UTC+09:00", "2026-11-29T18:00:00+00:00")
    assert voice.differs == ("parameters",)
    assert "cronScheduleTimezone" in str(voice.note)
    assert (missing.name, missing.differs) == ("antispam-shield-phishing", ("missing",))
    package.write_text("changed: true\n")
    assert server.status(schedules(MONDAY, "sms"), {"weekly-retraining": package})[0].differs == (
        "version",
    )


def test_an_archived_experiment_is_named_as_the_cause_of_the_pause(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    server.deploy(package, schedules(MONDAY, "sms"))
    (experiment,) = kfp.experiments.values()
    experiment["storage_state"] = "ARCHIVED"
    next(iter(kfp.recurring_runs.values()))["mode"] = "DISABLE"
    for (one,) in (server.deploy(package, schedules(MONDAY, "sms")), server.status()):
        assert one.enabled is False
        assert one.next_trigger is None
        assert "is archived" in str(one.note)


def test_versions_that_are_there_as_kubernetes_objects_are_used_and_none_is_uploaded(
    kfp: KfpServer, server: PipelineServer, package: Path
) -> None:
    kept = {"weekly-retraining": ("pipeline-uid", "version-uid", "weekly-retraining-1")}
    (made,) = server.deploy(package, schedules(MONDAY, "sms"), versions=kept)
    assert (made.action, made.version) == ("created", "weekly-retraining-1")
    (again,) = server.deploy(package, schedules(MONDAY, "sms"), versions=kept)
    assert again.action == "unchanged"
    assert (kfp.pipelines, kfp.versions) == ({}, {})
    (run,) = kfp.recurring_runs.values()
    assert run["pipeline_version_reference"]["pipeline_version_id"] == "version-uid"
