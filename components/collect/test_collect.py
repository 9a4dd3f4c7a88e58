"""Late approvals are not lost, and too few is never an outage."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.collect.step import LEASED, TOO_FEW, run
from components.shared.corpus_store import current_key
from shield.artifacts.opening import open_store
from shield.client import ShieldClient
from shield.errors import Misconfigured, Unavailable
from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages import Trust
from shield.wire import ReviewAction, VersionRequest
from tests.support.arms import version_ref
from tests.support.learning import World, learning_world

DAY_SECONDS = 86400.0


@dataclass
class Week:
    """A world that leases week by week, before any model serves from the registry."""

    world: World

    def report(self, text: str, claim: FeedbackType = FeedbackType.FALSE_NEGATIVE) -> str:
        with self.world.api.client("ann") as ann:
            found = ann.scan(ScanType.TEXT, text)
            return ann.send_feedback(found.id, claim).id

    def approve(self, feedback_id: str) -> None:
        with self.world.api.client("rita", "reviewer") as rita:
            rita.review(feedback_id, ReviewAction.APPROVE)

    def collect(self, run_id: str, minimum: int = 1) -> tuple[str, dict[str, Any]]:
        folder = self.world.folder / run_id
        with self.world.service() as client:
            outcome = run(
                client,
                open_store(self.world.api.artifacts_root),
                folder / "inputs.json",
                folder / "champion",
                folder / "history.json",
                model_type=ModelType.SMS,
                run_id=run_id,
                min_feedback=minimum,
                lease_seconds=3600,
                package_cache=folder / "cache",
                trust=Trust.from_directory(self.world.folder / "keys/trusted"),
            )
        return outcome, json.loads((folder / "inputs.json").read_bytes())

    def texts(self, batch: dict[str, Any]) -> set[str]:
        return set(pl.read_parquet(self.world.api.artifacts_root / batch["uri"])["text"])

    def learned(self, run_id: str, batch: dict[str, Any]) -> None:
        """Register a version that learned from the batch, and use the batch up."""
        digest = f"sha256:{batch['digest'].removeprefix('sha256:')[::-1]}"
        request = VersionRequest(digest=digest, uri=f"packages/{run_id}", batches=[batch["id"]])
        with self.world.service() as client:
            version = client.register_version(ModelType.SMS, request)
            client.ack_batch(batch["id"], run_id, version.name)


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    with learning_world(tmp_path) as (world, url):
        store = open_store(world.api.artifacts_root)
        store.put(current_key(ModelType.SMS), b'{"modelType": "sms"}')
        # Somebody must answer scans. The registry does not know it, so no package is pulled.
        world.make_stable(version_ref("sms-v0"), ModelType.SMS, url)
        yield Week(world)


def test_what_is_approved_after_the_batch_was_sealed_comes_with_the_next(week: Week) -> None:
    early, late = week.report("pay the parcel fee"), week.report("an older scan about taxes")
    week.approve(early)
    outcome, first = week.collect("week-1")
    week.approve(late)  # while week-1 trains
    assert outcome == LEASED
    assert week.texts(first["batch"]) == {"pay the parcel fee"}
    assert week.collect("week-1")[1] == first, "the same run starts from the same inputs"
    week.learned("week-1", first["batch"])
    week.world.api.clock.move_on(7 * DAY_SECONDS)
    outcome, second = week.collect("week-2")
    assert outcome == LEASED
    assert week.texts(second["batch"]) == {"an older scan about taxes"}
    assert [batch["id"] for batch in second["earlier"]] == [first["batch"]["id"]]


def test_a_report_that_waited_months_for_its_review_is_learned_once(week: Week) -> None:
    old = week.report("an older scan about taxes")
    for number in range(3):
        week.approve(week.report(f"pay the parcel fee number {'x' * (number + 1)}"))
        _, given = week.collect(f"month-{number}")
        week.learned(f"month-{number}", given["batch"])
        week.world.api.clock.move_on(9 * DAY_SECONDS)
    week.approve(old)
    outcome, given = week.collect("month-3")
    assert outcome == LEASED
    assert week.texts(given["batch"]) == {"an older scan about taxes"}
    week.learned("month-3", given["batch"])
    assert week.collect("month-4")[0] == TOO_FEW


def test_what_a_run_gives_back_comes_together_with_what_was_approved_meanwhile(week: Week) -> None:
    week.approve(week.report("pay the parcel fee"))
    _, first = week.collect("refused")
    week.approve(week.report("your account is closed"))
    with week.world.service() as client:
        client.release_batch(first["batch"]["id"], "refused", "refused: slices")
    _, second = week.collect("next")
    assert week.texts(second["batch"]) == {"pay the parcel fee", "your account is closed"}


def test_too_few_leave_the_corrections_where_they_are(week: Week) -> None:
    week.approve(week.report("pay the parcel fee"))
    outcome, given = week.collect("early", minimum=2)
    assert (outcome, given["batch"], given["count"], given["minimum"]) == (TOO_FEW, None, 1, 2)
    week.approve(week.report("your account is closed"))
    assert week.collect("later", minimum=2)[1]["batch"]["count"] == 2


def test_confirmations_travel_along_and_are_no_reason_to_train(week: Week) -> None:
    week.approve(week.report("pay the parcel fee"))
    week.approve(week.report("lunch at noon", FeedbackType.CONFIRMED))
    outcome, given = week.collect("early", minimum=2)
    assert (outcome, given["count"], given["minimum"]) == (TOO_FEW, 1, 2)
    week.approve(week.report("your account is closed"))
    assert week.collect("later", minimum=2)[1]["batch"]["count"] == 3


def test_an_outage_and_a_missing_corpus_are_errors_and_never_too_few(
    week: Week, tmp_path: Path
) -> None:
    week.approve(week.report("pay the parcel fee"))
    store = open_store(week.world.api.artifacts_root)
    store.delete(current_key(ModelType.SMS))
    with pytest.raises(Misconfigured, match="no base corpus for sms"):
        week.collect("no-corpus")
    dark = ShieldClient("http://127.0.0.1:9", "x", sleep=lambda _: None)
    with dark, pytest.raises(Unavailable):
        run(
            dark,
            store,
            tmp_path / "inputs.json",
            tmp_path / "champion",
            tmp_path / "history.json",
            model_type=ModelType.SMS,
            run_id="dark",
            min_feedback=1,
            lease_seconds=60,
            package_cache=tmp_path / "cache",
            trust=Trust.from_directory(tmp_path / "keys/trusted"),
        )
    assert not (tmp_path / "inputs.json").exists()
