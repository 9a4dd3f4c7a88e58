"""From an evaluation that doubts a golden label to the next golden set, by the product's steps."""

import json
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from components.collect.step import LEASED
from components.collect.step import run as collect
from components.register.step import run as register
from components.shared import messages
from components.shared.corpus_store import current_corpus, fetch_set, publish
from shield.artifacts.opening import open_store
from shield.gates import Comparison, GateInput
from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages import Trust
from shield.run_files import RunInputs
from shield.wire import BatchStatus, ReviewAction
from tests.support.arms import version_ref
from tests.support.corpora import small_sms_corpus
from tests.support.learning import World, learning_world
from tests.support.packages import copied_package

HOUR_SECONDS = 3600.0


class Weeks:
    """The steps around training, week by week."""

    def __init__(self, world: World) -> None:
        self.world, self.store = world, open_store(world.api.artifacts_root)

    def collect(self, run_id: str) -> RunInputs:
        folder = self.world.folder / run_id
        with self.world.service() as client:
            outcome = collect(
                client,
                self.store,
                folder / "inputs.json",
                folder / "champion",
                folder / "history.json",
                model_type=ModelType.SMS,
                run_id=run_id,
                min_feedback=1,
                lease_seconds=3600,
                package_cache=folder / "cache",
                trust=Trust.from_directory(self.world.folder / "keys/trusted"),
            )
        assert outcome == LEASED
        return RunInputs.read(folder / "inputs.json")

    def register(self, run_id: str, disputed: dict[str, float]) -> None:
        """Register a refused challenger whose evaluation doubts these labels."""
        folder = self.world.folder / run_id
        decision: dict[str, Any] = {"outcome": "slices", "message": "no", "findings": []}
        decision["refusal"] = {"reason": "slices", "message": "no"}
        (folder / "verdict.json").write_text(json.dumps(decision))
        (folder / "report.html").write_text("<p>judged</p>")
        with copied_package(Path(mkdtemp(dir=folder))) as copy, self.world.service() as client:
            judged = GateInput(
                model_type=ModelType.SMS,
                champion="sha256:champion",
                challenger=copy.package.digest,
                fresh_feedback=1,
                budget=0.01,
                golden_digest="sha256:golden",
                golden=Comparison(tp=1, tn=1),
                int8_compared=1,
                int8_flips=0,
                disputed=disputed,
            )
            (folder / "evaluations.json").write_text(judged.model_dump_json(by_alias=True))
            register(
                client,
                self.store,
                model=copy.package.path,
                evaluations=folder / "evaluations.json",
                verdict=folder / "verdict.json",
                inputs=folder / "inputs.json",
                report=folder / "report.html",
                signing_key=self.world.folder / "keys/signing.pem",
                code_version="test",
            )

    def report_one(self) -> None:
        with self.world.api.client("ann") as ann, self.world.api.client("rita", "reviewer") as rita:
            told = ann.send_feedback(
                ann.scan(ScanType.TEXT, "pay the parcel fee").id, FeedbackType.FALSE_NEGATIVE
            )
            rita.review(told.id, ReviewAction.APPROVE)

    def golden(self, inputs: RunInputs) -> dict[str, int]:
        assert inputs.corpus is not None
        path = fetch_set(self.store, inputs.corpus.sets["golden"], self.world.folder / "sets")
        return dict(messages.read(path).select("id", "label").iter_rows())


def test_a_doubted_golden_label_is_reviewed_and_makes_the_next_golden_set(tmp_path: Path) -> None:
    with learning_world(tmp_path) as (world, url):
        weeks = Weeks(world)
        corpus = Path(shutil.copytree(small_sms_corpus(), tmp_path / "corpus"))
        publish(weeks.store, corpus)
        world.make_stable(version_ref("sms-v0"), ModelType.SMS, url)
        weeks.report_one()
        first = weeks.collect("week-1")
        before = weeks.golden(first)
        wrong, right = [name for name, label in before.items() if label == 0][:2]
        weeks.register("week-1", {wrong: 0.99, right: 0.97})

        golden = messages.read(corpus / "golden.parquet")
        texts = dict(golden.select("text", "id").iter_rows())
        with world.api.client("rita", "reviewer") as rita:
            asked = [item for item in rita.pending() if item.scan.text in texts]
            assert {texts[item.scan.text] for item in asked} == {wrong, right}
            for item in asked:
                truth = "spam" if texts[item.scan.text] == wrong else "ham"
                good = item.corrected_label == truth
                rita.review(item.id, ReviewAction.APPROVE if good else ReviewAction.REJECT)
        world.api.clock.move_on(HOUR_SECONDS + 1)

        assert weeks.collect("week-1").corpus == first.corpus, "a run keeps the set it has pinned"
        weeks.register("week-1", {wrong: 0.99})  # it gives the corrections back
        second = weeks.collect("week-2")
        assert weeks.golden(second) == {**before, wrong: 1}
        assert first.corpus is not None
        assert second.corpus is not None
        assert second.corpus.sets["golden"].digest != first.corpus.sets["golden"].digest
        assert second.corpus.relabelled == {wrong: "spam"}
        assert weeks.golden(first) == before, "the old set is still there, under its digest"
        weeks.register("week-2", {})
        assert weeks.collect("week-3").corpus == second.corpus, "and nothing changes again"

        # A base that is cut anew does not bring the wrong label back.
        publish(weeks.store, corpus)
        named = current_corpus(weeks.store, ModelType.SMS)
        assert named.sets["golden"].digest == second.corpus.sets["golden"].digest
        assert named.relabelled == second.corpus.relabelled

        # What cannot be asked about keeps no batch: it goes back, and the run succeeds.
        golden_key = named.sets["golden"].key
        assert golden_key is not None
        weeks.store.delete(golden_key)
        weeks.register("week-3", {right: 0.99})
        with world.service() as client:
            assert list(client.batches(status=BatchStatus.LEASED)) == []
