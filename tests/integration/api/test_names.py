"""Ids by their beginning: over HTTP, and as `shieldctl` takes them."""

import pytest

from cli.ids import whole
from cli.main import main
from shield.errors import Forbidden, Invalid, NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import GoldRequest, NamedKind, ReviewAction, RunRequest, VersionRequest
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi

VERSIONS = 11


@pytest.fixture
def versions(api: RunningApi) -> None:
    """Eleven versions, so that the name of one begins the names of others."""
    with api.client("ann", "admin") as admin:
        for number in range(1, VERSIONS + 1):
            digest = f"sha256:{number:02d}{'e' * 62}"
            admin.register_version(ModelType.SMS, VersionRequest(digest=digest, uri=f"p/{number}"))
        for run in ("weekly-sms-1", "weekly-sms-2", "weekly_sms-3"):
            admin.start_run(run, ModelType.SMS)


@pytest.mark.usefixtures("versions")
def test_a_version_is_found_by_how_its_name_or_digest_begins(api: RunningApi) -> None:
    with api.client("ann", "admin") as admin:

        def found(typed: str) -> str:
            return whole(admin, NamedKind.VERSION, typed, model_type=ModelType.SMS)

        assert found("sms-v1") == "sms-v1"
        assert found("sms-v11") == found("11ee") == found("sha256:11e") == "sms-v11"
        with pytest.raises(Invalid, match=r"begins several(.|\n)*sms-v10(.|\n)*and others") as told:
            found("sms-v")
        assert len(told.value.message.splitlines()) == 10
        with pytest.raises(NotFound, match="shieldctl model list"):
            found("sms-v99")
        with pytest.raises(NotFound, match="shieldctl model list"):
            found("../x")
        with pytest.raises(NotFound):
            whole(admin, NamedKind.VERSION, "sms-v1", model_type=ModelType.VOICE)
        assert whole(admin, NamedKind.RUN, "weekly_") == "weekly_sms-3"  # `_` stands for itself


def test_a_scan_is_found_by_its_owner_alone(api: RunningApi) -> None:
    of_ada, of_bob = scan(api, "ada", "win a car"), scan(api, "bob", "win a boat")
    with api.client("ada") as ada:
        assert whole(ada, NamedKind.SCAN, of_ada.id[:31]) == of_ada.id
        with pytest.raises(NotFound, match="shieldctl scan"):
            whole(ada, NamedKind.SCAN, of_bob.id[:31])
        with pytest.raises(Forbidden):
            whole(ada, NamedKind.FEEDBACK, "0")
    with api.client("rita", "reviewer") as rita, pytest.raises(Forbidden):
        whole(rita, NamedKind.WEBHOOK, "0")  # an address may hold a secret: admins only


def test_commands_take_the_beginning_of_an_id(
    api: RunningApi, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [report(api, "ada", f"hello {name}").id for name in ("tom", "tim")]
    token = api.token("rita", "reviewer", "admin")
    line = ["--api-url", api.url, "--token", token, "review", "approve"]
    # Made in the same minute, two ids begin alike; they differ in the digits drawn at random.
    shared = next(end for end in range(32, 0, -1) if items[0][:end] == items[1][:end])
    for typed, code in ((items[0][:shared], 1), (items[0][: shared + 1], 0)):
        with pytest.raises(SystemExit) as done:
            main([*line, typed])
        assert done.value.code == code
    told = capsys.readouterr()
    assert all(f"  {item}  pending, sms, " in told.err for item in items)
    assert told.out == f"Feedback {items[0]} is approved.\n"


def test_a_run_is_shown_by_the_beginning_of_its_id(
    api: RunningApi, capsys: pytest.CaptureFixture[str]
) -> None:
    with api.client("ann", "admin") as admin:
        assert RunRequest(run_id="x", model_type=ModelType.SMS).trigger == "manual"
        admin.start_run("antispam-shield-learn-sms-29382938", ModelType.SMS, trigger="schedule")
    token = api.token("rita", "reviewer", "admin")
    with pytest.raises(SystemExit) as done:
        main(["--api-url", api.url, "--token", token, "pipeline", "show", "antispam-shield-l"])
    assert done.value.code == 0
    told = capsys.readouterr().out
    assert "antispam-shield-learn-sms-29382938" in told
    assert "schedule" in told


def test_reviewers_are_not_told_what_stays_pending_after_they_judged_it(api: RunningApi) -> None:
    with api.client("root", "admin") as admin:
        gold = admin.seed_gold(
            GoldRequest(
                scan_type=ScanType.TEXT,
                text="A golden prize is yours",
                verdict="spam",
                feedback_type=FeedbackType.FALSE_POSITIVE,
                answer=ReviewAction.REJECT,
            )
        )
    items = (gold.id, report(api, "ann", "your parcel waits, pay at the post office").id)
    for item in items:
        decide(api, item)
    with api.client("rita", "reviewer") as rita:
        told = [rita.names(NamedKind.FEEDBACK, item)[0].told for item in items]
    assert all(one.startswith("sms, ") for one in told), told
