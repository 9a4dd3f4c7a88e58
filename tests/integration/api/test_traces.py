"""What an erasure leaves behind: every byte that was written anywhere is looked at."""

from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import select

from api.kit.context import open_context
from api.privacy import datasets as erasing
from api.privacy.retention import CARETAKER, look_after
from api.tables import Scan
from components.shared import datasets
from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.labels import FeedbackType, ModelType, ScanType
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import decide
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.postgres import postgres_server
from tests.support.s3 import S3Server, s3_server
from tests.support.traces import in_files, in_store
from tests.support.waiting import wait_until

__all__ = ["s3_server"]
WORDS = [b"zebra-crossing", b"quagga-waits", b"okapi-comment", b"scanned-only-kudu"]
ANN = "ann-to-forget"


@pytest.fixture(
    params=[
        "directory",
        pytest.param("s3", marks=[pytest.mark.xdist_group("postgres"), pytest.mark.slow]),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "directory":
        return open_store(tmp_path / "artifacts")
    server: S3Server = request.getfixturevalue("s3_server")
    return open_store(f"s3://{server.new_bucket()}/shield", server.settings())


def told(api: RunningApi) -> None:
    """Let two people scan, report and comment; what they say is decided, waits, or is only kept."""
    with api.client(ANN) as ann:
        first = ann.scan(ScanType.TEXT, "my zebra-crossing message")
        report = ann.send_feedback(
            first.id, FeedbackType.FALSE_NEGATIVE, comment="an okapi-comment of mine"
        )
        waits = ann.scan(ScanType.TEXT, "my quagga-waits message")
        ann.send_feedback(waits.id, FeedbackType.FALSE_NEGATIVE)
        ann.scan(ScanType.TEXT, "a scanned-only-kudu message")
    with api.client("bob") as bob:
        other = bob.send_feedback(
            bob.scan(ScanType.TEXT, "of somebody else").id, FeedbackType.FALSE_NEGATIVE
        )
    decide(api, report.id)
    decide(api, other.id)


def build(store: ArtifactStore, run: str, folder: Path) -> None:
    """Leave a dataset as `build_dataset` does."""
    folder.mkdir()
    rows = {"id": ["feedback-1"], "text": ["my zebra-crossing message"]}
    pl.DataFrame(rows).write_parquet(folder / "train.parquet")
    (folder / "phrases.json").write_text('["my zebra-crossing"]')
    datasets.leave(store, run, folder)
    assert list(folder.iterdir()) == []


def test_an_erasure_leaves_no_byte_of_a_message_in_database_log_store_or_dataset(
    tmp_path: Path, database_url: str, store: ArtifactStore
) -> None:
    with ExitStack() as stack:
        api = stack.enter_context(running_api(tmp_path / "api", database_url, artifacts=store))
        deploy(api.services.rollouts, stack.enter_context(model_server()))
        wait_for_split(api)
        told(api)
        with api.client("pipeline", "pipeline") as pipeline:
            batch = pipeline.lease_batch(ModelType.SMS, "weekly:1", minimum=1).batch
            assert batch is not None
        build(store, "weekly:1", tmp_path / "dataset")
        with api.services.sessions() as session:
            sealed = [
                bytes(text)
                for text in session.scalars(select(Scan.text_sealed).where(Scan.user_id == ANN))
                if text
            ]
        assert len(sealed) == 3
        assert len(in_store(store, WORDS)) >= 3, "there was nothing to forget"

        with api.client(ANN) as ann:
            ann.erase_me()

        assert in_store(store, [*WORDS, ANN.encode()]) == []
        assert in_files(tmp_path, WORDS) == []
        with api.services.sessions() as session:
            assert session.scalars(select(Scan).where(Scan.user_id == ANN)).all() == []
        if api.services.engine.dialect.name == "sqlite":
            rest = [*WORDS, *sealed, ANN.encode()]

            def gone() -> bool:
                look_after(api.services)
                return not in_files(tmp_path, rest)

            wait_until(gone, lambda: str(in_files(tmp_path, rest)))
        else:
            assert in_files(Path(postgres_server().pgdata), WORDS) == []


def test_the_dataset_of_a_run_that_was_killed_goes_with_its_lease(tmp_path: Path) -> None:
    store = open_store(tmp_path / "artifacts")
    with ExitStack() as stack:
        api = stack.enter_context(running_api(tmp_path / "api", artifacts=store))
        deploy(api.services.rollouts, stack.enter_context(model_server()))
        wait_for_split(api)
        told(api)
        with api.client("pipeline", "pipeline") as pipeline:
            pipeline.lease_batch(ModelType.SMS, "killed", minimum=1, lease_seconds=60)
        build(store, "killed", tmp_path / "dataset")
        store.put("runs/killed/inputs.json", b"{}")
        with open_context(api.services, CARETAKER) as ctx:
            assert erasing.sweep(ctx) == 0, "a run at work lost its dataset"
        api.clock.move_on(61)
        look_after(api.services)
    assert list(store.list("runs/")) == ["runs/killed/inputs.json"]
