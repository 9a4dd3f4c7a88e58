"""The demo's chapter of known campaigns, told on a real API."""

from pathlib import Path

from cli.demo.known import disguised, protect
from cli.demo.people import CountingTransport, Person, Town
from cli.home import Home
from shield.client import ShieldClient
from shield.similarity import form, same_campaign
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.waiting import wait_until

SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"


class TestTown(Town):
    """People with tokens of the API of the test."""

    __test__ = False
    api: RunningApi

    def person(self, name: str, *roles: str) -> Person:
        return Person(
            name, ShieldClient(self.url, self.api.token(name, *roles), transport=self.transport)
        )


def test_one_missed_scam_is_decided_answered_thanked_and_warned_of(tmp_path: Path) -> None:
    with (
        model_server() as arm,
        running_api(
            tmp_path / "api", prepare=lambda services: deploy(services.rollouts, arm)
        ) as api,
    ):
        town = TestTown(Home.open(tmp_path / "home"), api.url, CountingTransport())
        town.api = api
        town.users = [town.person(f"user-{number}", "user") for number in range(3)]
        town.users[0].liar = True
        town.reviewers = [town.person(name, "reviewer") for name in ("rosa", "ramon", "ruth")]
        # The first is found by the model, the second is too short to be known.
        done = protect(
            town,
            ["You win a lot of money today, call us", "Pay now", SCAM],
            lambda what, look, _: wait_until(lambda: look() is not None, what),
        )
        town.transport.hang_up()
    assert done is not None
    assert done.text == SCAM
    assert done.answered_ms > 0
    assert done.thanked.startswith("You were right.")
    assert done.warned.startswith("We were wrong about a message.")


def test_a_disguised_copy_is_a_copy() -> None:
    assert disguised(SCAM) != SCAM
    assert same_campaign(form(SCAM), form(disguised(SCAM)))
