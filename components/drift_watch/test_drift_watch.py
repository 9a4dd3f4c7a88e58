"""The step: what taught is fetched and compared with, and an outage is never "steady"."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from components.drift_watch.signals import DriftLimits
from components.drift_watch.step import run
from components.shared import messages
from components.shared.corpus_store import publish
from shield.artifacts.opening import open_store
from shield.client import ShieldClient
from shield.errors import Unavailable
from shield.labels import ModelType
from shield.wire import DriftLook, VersionRequest
from tests.support.learning import learning_world

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
KNOWN = "Your parcel {} waits at the depot of {}, pay the customs fee of 2.99 at http://fee.example"
TOWNS = ("Leeds", "Bath", "York", "Hull", "Ely", "Wells", "Derby", "Truro", "Ripon", "Exeter")
NEW = {
    "ewe": "hello grandma it is me {} i broke the phone please send money for a new one",
    "coin": "double every coin within a day {} our trading robot never loses join the group",
    "job": "remote work {} rate hotels from home and earn daily without any experience",
    "love": "i saw your picture {} and felt we should talk, my heart is lonely since the war",
}


def corpus(folder: Path) -> Path:
    """Write a corpus whose scams all speak of parcels."""
    texts = [KNOWN.format(number, TOWNS[number % 10]) for number in range(60)]
    table = pl.DataFrame(
        {
            "id": [f"m{number}" for number in range(60)],
            "text": texts,
            "label": [1] * 60,
            "source": ["test"] * 60,
        }
    )
    names = ("train", "valid", "golden", "time_forward", "traffic", "teach", "judge")
    sets = {
        name: {"digest": messages.write(messages.conform(table), folder / f"{name}.parquet")}
        for name in names
    }
    (folder / "corpus.json").write_text(json.dumps({"modelType": "sms", "sets": sets}))
    return folder


def test_campaigns_unlike_all_that_taught_are_counted_and_variants_are_not(tmp_path: Path) -> None:
    with learning_world(tmp_path) as (world, url):
        store = open_store(world.api.artifacts_root)
        folder = tmp_path / "corpus"
        folder.mkdir()
        publish(store, corpus(folder))
        request = VersionRequest(digest="sha256:" + "a" * 64, uri="packages/sms/a")
        with world.service() as client:
            version = client.register_version(ModelType.SMS, request)
            world.make_stable(version.ref, ModelType.SMS, url)
            fresh = [
                " ".join([text.format(town), *[f"{town}{name}{letter}" for letter in "pqrst"]])
                for name, text in NEW.items()
                for town in TOWNS
            ]
            world.correct([(text, 1) for text in [*fresh, KNOWN.format(99, "Oslo")]])
            look = run(
                client,
                store,
                tmp_path / "report.json",
                model_type=ModelType.SMS,
                run_id="drift-1",
                now=NOW,
                limits=DriftLimits(least_campaigns=4),
                cache=tmp_path / "cache",
            )
            (recorded,) = client.runs()
    (signal,) = [each for each in look.signals if each.name == "new_campaigns"]
    assert signal.trials >= 4
    assert signal.events == signal.trials - 1, "all but the parcel of Oslo"
    assert DriftLook.model_validate_json((tmp_path / "report.json").read_bytes()) == look
    assert recorded.run_id == "drift-1"


def test_an_outage_is_never_read_as_steady(tmp_path: Path) -> None:
    client = ShieldClient("http://127.0.0.1:9", "x", sleep=lambda _: None)
    with client, pytest.raises(Unavailable):
        run(
            client,
            open_store(tmp_path / "artifacts"),
            tmp_path / "r",
            model_type=ModelType.SMS,
            run_id="drift-1",
            now=NOW,
            limits=DriftLimits(),
            cache=tmp_path / "cache",
        )
