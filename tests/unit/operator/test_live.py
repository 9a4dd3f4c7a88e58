"""What is kept from events, and how a list puts it right."""

from typing import Any

from serving.operator.live import Watched
from serving.operator.specs import ROLLOUT_LABEL


def made(name: str, version: int, **metadata: Any) -> dict[str, Any]:
    labels = {ROLLOUT_LABEL: "sms"}
    metadata = {"name": name, "labels": labels, "resourceVersion": str(version), **metadata}
    return {"kind": "Deployment", "metadata": metadata}


def known(live: Watched) -> dict[str, str]:
    found = live.of("sms", "Deployment")
    return {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in found}


def test_an_older_state_never_replaces_a_later_one() -> None:
    live = Watched()
    live.note(made("a", 5))
    live.note(made("a", 4))
    assert known(live) == {"a": "5"}


def test_what_ends_is_forgotten_before_it_is_gone() -> None:
    live = Watched()
    live.note(made("a", 5))
    live.note(made("a", 6, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert known(live) == {}


def test_a_list_brings_what_no_event_has_told_and_drops_what_is_gone() -> None:
    live = Watched()
    live.note(made("vanished while the watch was cut", 3))
    live.renew("Deployment", [made("a", 4)], as_of=9)
    assert known(live) == {"a": "4"}


def test_what_events_have_told_since_the_list_was_made_stays() -> None:
    live = Watched()
    live.note(made("a", 12))
    live.note(made("b", 10))
    live.forget(made("c", 11))
    live.renew("Deployment", [made("a", 4), made("c", 5)], as_of=9)
    assert known(live) == {"a": "12", "b": "10"}


def test_a_list_of_one_kind_touches_no_other() -> None:
    live = Watched()
    live.note({**made("a", 3), "kind": "Pod"})
    live.renew("Deployment", [], as_of=9)
    assert len(live.of("sms", "Pod")) == 1
