"""What every `RolloutStore` does, whatever it is made of."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from shield.crds.v1alpha1 import (
    ModelRollout,
    ModelRolloutSpec,
    ModelRolloutStatus,
    Phase,
    Split,
    Step,
)
from shield.errors import Conflict, Invalid, NotFound, Unavailable, VersionRejected
from shield.labels import ModelType
from shield.rollouts import RolloutStore
from shield.rollouts.kubernetes import KubernetesRolloutStore
from shield.rollouts.table import METADATA, ROLLOUTS, TableRolloutStore, rollout_engine
from tests.support.controlplane import ControlPlane
from tests.support.rollouts import spec, version
from tests.support.waiting import PATIENCE_SECONDS

OpenAnother = Callable[[], RolloutStore]


@contextmanager
def table(url: str) -> Iterator[OpenAnother]:
    engines = []

    def open_it() -> RolloutStore:
        engines.append(rollout_engine(url))
        METADATA.create_all(engines[-1])
        return TableRolloutStore(engines[-1], poll_seconds=0.005)

    yield open_it
    for engine in engines:
        engine.dispose()


@contextmanager
def objects(plane: ControlPlane) -> Iterator[OpenAnother]:
    opened = []
    with plane.namespace() as namespace:

        def open_it() -> RolloutStore:
            opened.append(plane.connect(namespace))
            return KubernetesRolloutStore(opened[-1])

        yield open_it
        for kube in opened:
            kube.close()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres")),
        pytest.param("kubernetes", marks=[pytest.mark.cluster, pytest.mark.xdist_group("cluster")]),
    ]
)
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenAnother]:
    """Opens the same store again, as another process would."""
    if request.param == "sqlite":
        with table(f"sqlite:///{tmp_path}/shield.db") as opened:
            yield opened
    elif request.param == "postgresql":
        with table(request.getfixturevalue("postgres_url")) as opened:
            yield opened
    else:
        plane: ControlPlane = request.getfixturevalue("cluster")
        with objects(plane) as opened:
            yield opened


@pytest.fixture
def store(another: OpenAnother) -> RolloutStore:
    return another()


def serving(name: str) -> ModelRolloutStatus:
    ref = version(name)
    return ModelRolloutStatus(
        phase=Phase.HEALTHY,
        stable=ref,
        good=[ref],
        split=Split(stable=ref, stable_url="http://127.0.0.1:1"),
    )


def test_a_missing_rollout_is_not_found_and_never_an_empty_one(store: RolloutStore) -> None:
    with pytest.raises(NotFound, match="'sms'"):
        store.get("sms")
    assert store.list() == []


def test_a_created_rollout_comes_back_as_it_was_written(store: RolloutStore) -> None:
    wanted = spec("sms-v1", steps=[Step(weight=5, duration_seconds=1.5, minimum_exposures=7)])
    created = store.change_spec("sms", lambda _: wanted)
    assert store.get("sms") == created
    assert created.spec == wanted
    assert (created.generation, created.status) == (1, ModelRolloutStatus())
    assert store.list() == [created]


def test_a_changed_spec_counts_a_generation_and_an_unchanged_one_writes_nothing(
    store: RolloutStore,
) -> None:
    first = store.change_spec("sms", lambda _: spec("sms-v1"))
    same = store.change_spec("sms", lambda was: was or spec("sms-v9"))
    assert same == first
    second = store.change_spec("sms", lambda _: spec("sms-v2"))
    assert (second.generation, second.uid) == (2, first.uid)
    assert second.resource_version != first.resource_version


def test_a_status_is_written_apart_from_the_spec(store: RolloutStore) -> None:
    created = store.change_spec("sms", lambda _: spec("sms-v1"))
    written = store.write_status(created, serving("sms-v1"))
    assert store.get("sms") == written
    assert (written.generation, written.spec) == (created.generation, created.spec)
    assert written.status == serving("sms-v1")


def test_an_unchanged_status_writes_nothing(store: RolloutStore) -> None:
    created = store.change_spec("sms", lambda _: spec("sms-v1"))
    written = store.write_status(created, serving("sms-v1"))
    again = store.write_status(written, serving("sms-v1"))
    assert again.resource_version == written.resource_version


def test_a_status_based_on_an_old_reading_is_a_conflict(
    store: RolloutStore, another: OpenAnother
) -> None:
    read = store.change_spec("sms", lambda _: spec("sms-v1"))
    another().change_spec("sms", lambda _: spec("sms-v2"))
    with pytest.raises(Conflict, match="Read it again"):
        store.write_status(read, serving("sms-v1"))
    assert store.get("sms").status == ModelRolloutStatus()


def test_the_status_of_a_removed_and_recreated_rollout_is_a_conflict(store: RolloutStore) -> None:
    read = store.change_spec("sms", lambda _: spec("sms-v1"))
    store.delete("sms")
    store.change_spec("sms", lambda _: spec("sms-v1"))
    with pytest.raises(Conflict):
        store.write_status(read, serving("sms-v1"))


def test_a_model_type_never_changes(store: RolloutStore) -> None:
    store.change_spec("sms", lambda _: spec("sms-v1"))
    with pytest.raises(Invalid, match=r"(?i)model ?type|for sms models"):
        store.change_spec("sms", lambda _: spec("sms-v1", model_type=ModelType.VOICE))
    assert store.get("sms").spec.model_type is ModelType.SMS


def test_a_rejected_version_cannot_be_asked_for_again(store: RolloutStore) -> None:
    created = store.change_spec("sms", lambda _: spec("sms-v1"))
    status = serving("sms-v1").model_copy(update={"rejected": [version("sms-v2")]})
    store.write_status(created, status)
    with pytest.raises(VersionRejected, match="sms-v2"):
        store.change_spec("sms", lambda _: spec("sms-v2"))
    assert store.get("sms").spec.version.name == "sms-v1"


def test_a_spec_that_still_names_a_version_rejected_meanwhile_can_be_changed(
    store: RolloutStore,
) -> None:
    created = store.change_spec("sms", lambda _: spec("sms-v2"))
    store.write_status(
        created, serving("sms-v1").model_copy(update={"rejected": [version("sms-v2")]})
    )

    def pause(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
        assert was is not None
        return was.model_copy(update={"paused": True})

    assert store.change_spec("sms", pause).spec.paused


def test_falling_weights_are_refused(store: RolloutStore) -> None:
    falling = spec().model_copy(update={"steps": [Step(weight=50), Step(weight=10)]})
    with pytest.raises(Invalid, match="rise"):
        store.change_spec("sms", lambda _: falling)
    with pytest.raises(NotFound):
        store.get("sms")


def test_deleting_is_final_and_a_missing_rollout_is_no_error(store: RolloutStore) -> None:
    store.change_spec("sms", lambda _: spec())
    store.delete("sms")
    store.delete("sms")
    with pytest.raises(NotFound):
        store.get("sms")


def test_many_writers_at_once_lose_no_change(store: RolloutStore, another: OpenAnother) -> None:
    store.change_spec("sms", lambda _: spec("sms-v1", guard_seconds=0))

    def add_one(_: int) -> None:
        def change(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
            assert was is not None
            return was.model_copy(update={"guard_seconds": was.guard_seconds + 1})

        store.change_spec("sms", change)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(20)))
    assert store.get("sms").spec.guard_seconds == 20


def test_watching_yields_every_rollout_once_and_then_each_change(
    store: RolloutStore, another: OpenAnother
) -> None:
    store.change_spec("sms", lambda _: spec("sms-v1"))
    store.change_spec("voice", lambda _: spec("voice-v1", model_type=ModelType.VOICE))
    seen: list[ModelRollout] = []
    both, changed = threading.Event(), threading.Event()

    def watch() -> None:
        for rollout in another().watch(timeout_seconds=PATIENCE_SECONDS):
            seen.append(rollout)
            both.set() if len(seen) == 2 else None
            changed.set() if rollout.spec.version.name == "sms-v2" else None
            if rollout.deleting:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert both.wait(PATIENCE_SECONDS)
    store.change_spec("sms", lambda _: spec("sms-v2"))
    assert changed.wait(PATIENCE_SECONDS)
    store.delete("voice")
    watcher.join(PATIENCE_SECONDS)
    assert not watcher.is_alive()
    assert {rollout.name for rollout in seen[:2]} == {"sms", "voice"}
    assert (seen[-1].name, seen[-1].deleting) == ("voice", True)


def test_watching_ends_when_nothing_changes(store: RolloutStore) -> None:
    store.change_spec("sms", lambda _: spec())
    assert [rollout.name for rollout in store.watch(timeout_seconds=0.05)] == ["sms"]


def test_a_store_that_does_not_answer_is_unavailable_and_never_empty(tmp_path: Path) -> None:
    engine = rollout_engine(f"sqlite:///{tmp_path}/no/such/folder/shield.db")
    store = TableRolloutStore(engine)
    for reading in (lambda: store.get("sms"), store.list, lambda: next(store.watch(0))):
        with pytest.raises(Unavailable, match="SHIELD_DATABASE_URL"):
            reading()


def test_a_row_that_cannot_be_read_holds_up_no_other_and_is_not_gone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shield.db"
    with table(url) as opened:
        store = opened()
        for name in ("call", "sms"):
            store.change_spec(name, lambda _: spec())
        with rollout_engine(url).begin() as connection:
            connection.execute(
                ROLLOUTS.update()
                .where(ROLLOUTS.c.name == "call")
                .values(status='{"phase": "of a later release"}', resource_version=2)
            )
        assert [rollout.name for rollout in store.list()] == ["sms"]
        assert [rollout.name for rollout in store.watch(0.05)] == ["sms"]
        with pytest.raises(Invalid, match=r"'call' cannot be read \(phase: .*Upgrade this process"):
            store.get("call")
