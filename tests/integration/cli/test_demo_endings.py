"""Endings of the demo's trial: a judgement is a story, and a failed part an error."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.console import Terminal
from cli.demo.people import CountingTransport, Person, ReviewRoom, Town
from cli.demo.release import Release
from cli.demo.stage import Stage
from cli.demo.traffic import Traffic
from cli.home import Home
from cli.supervise import Supervisor
from shield.crds.evidence import ArmEvidence
from shield.errors import ShieldError, Unavailable
from tests.support.api import RunningApi, running_api
from tests.support.worlds import ERRS_MORE, World, serving

GOOD = ArmEvidence(exposures=1000, positives=100, timed=500)


@dataclass
class Trial:
    """A rollout as the operator leaves it, and the demo that watches it."""

    api: RunningApi
    release: Release

    def stands_at(self, world: World) -> None:
        """Write what the operator has decided."""
        store = self.api.services.rollouts
        store.change_spec("sms", lambda _: world.spec)
        store.write_status(store.get("sms"), world.status)


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with running_api(tmp_path / "api") as api:
        home = Home.open(tmp_path / "home")
        terminal = Terminal()
        stage = Stage(home, api.url, Supervisor(home.logs, tmp_path, terminal.warn), terminal)
        transport = CountingTransport()
        town = Town(home, api.url, transport)
        with api.client("rosa", "reviewer") as rosa, api.client("n", "admin") as admin:
            town.reviewers = [Person("rosa", rosa)]
            room = ReviewRoom(town, {})
            quiet = Traffic([], [], 0, 1.0)
            yield Trial(api, Release(stage, admin, room, quiet, "sms-v2", patience_seconds=0.3))
        transport.hang_up()


def on_trial() -> World:
    return serving().ask(version="sms-v2")


def test_a_rejection_on_trial_ends_the_story_with_the_reason(trial: Trial) -> None:
    trial.stands_at(on_trial().shows(GOOD, GOOD, ERRS_MORE))
    ending = trial.release.judged()
    assert ending.kind == "rejected"
    assert "ErrsMore" in ending.words
    assert "reviewers decided" in ending.words


def test_a_version_that_cannot_be_served_is_an_error_that_names_the_logs(trial: Trial) -> None:
    trial.stands_at(on_trial().breaks("sms-v2", crashes=3).settle())
    with pytest.raises(ShieldError, match=r"ServerCrashes.*logs"):
        trial.release.judged()


def test_a_trial_held_for_slow_answers_is_told_with_its_cure(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = GOOD.model_copy(update={"slow": 400})
    trial.stands_at(on_trial().shows(GOOD, slow).wait(180))
    ending = trial.release.judged()
    assert ending.kind == "held"
    assert "goes on by itself" in ending.words
    told = capsys.readouterr().err
    assert "10 % on sms-v2" in told
    assert told.count("paused:") == 1


def test_a_version_that_only_lacks_decisions_is_promoted_by_name_and_with_a_reason(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    world = on_trial()
    for exposures in (100, 200):
        arm = ArmEvidence(exposures=exposures, positives=exposures // 10)
        world.shows(arm, arm).wait(11)
    trial.stands_at(world)
    trial.release.undecided_seconds = 0.0
    with pytest.raises(Unavailable):  # no operator is at work here
        trial.release.judged()
    spec = trial.api.services.rollouts.get("sms").spec
    assert (spec.promote_by, spec.promote_reason) == ("n", "demo: the trial has only minutes")
    assert "A demo has only minutes" in capsys.readouterr().err


def test_nothing_decided_in_time_is_an_error(trial: Trial) -> None:
    trial.stands_at(on_trial())
    with pytest.raises(Unavailable, match="promotion of sms-v2"):
        trial.release.judged()


def test_a_version_that_returned_by_itself_needs_no_undo(trial: Trial) -> None:
    trial.stands_at(serving().promote("sms-v2").shows(GOOD, GOOD, ERRS_MORE))
    assert trial.release.undone("sms-v1") is None
    assert trial.release.judged().kind == "rejected"
