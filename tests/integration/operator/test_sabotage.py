"""Sabotaged versions in real model servers, with real users: refused, taken back or held."""

from collections.abc import Iterator
from itertools import count

import pytest

from bench.rollout.packages import make_version
from shield.crds.v1alpha1 import VersionRef
from tests.support import stands
from tests.support.rollouts import spec
from tests.support.sabotaged import KINDS, Kind, People, try_kind
from tests.support.stands import Stand
from tests.support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("sabotage")  # one system for all

NUMBERS = count(2)
System = tuple[Stand, People, VersionRef]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("sabotage")
    with stands.laptop(folder) as stand, People(stand).busy() as people:
        first = make_version(folder, 1)
        stand.store.change_spec("sms", lambda _: spec(version=first))
        stand.until_stable(first)
        wait_until(lambda: people.answers >= 20, lambda: people.failed[-3:])
        people.failed.clear()  # nobody could be asked before
        yield stand, people, first


def test_there_are_twenty_kinds_and_more() -> None:
    assert len({kind.name for kind in KINDS}) >= 20


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in KINDS])
def test_a_sabotaged_version_is_refused_taken_back_or_held(system: System, kind: Kind) -> None:
    stand, people, first = system
    answers, failed = people.answers, len(people.failed)
    outcome = try_kind(stand, people, first, kind, f"sms-v{next(NUMBERS)}")
    ended = "undo" if kind.when == "after promotion" else "reject"
    # What may be the machine's doing is held, and rejects nobody for ever.
    held = {"AnswersSlow": "pause", "NotReady": "wait"}
    expected = held.get(outcome.decided.reason.partition(".")[0], ended)
    assert outcome.decided.action == expected
    assert any(reason in outcome.decided.reason for reason in kind.reasons), outcome.decided.reason
    # How soon it is decided is measured by `make bench-rollout`.
    answered = people.answers - answers
    assert answered > 0
    # Another version answers for it, unless the machine is too busy for that one as well: half of
    # the users are on the sabotaged one.
    assert len(people.failed) - failed <= max(3, answered // 10), people.failed[failed:]
