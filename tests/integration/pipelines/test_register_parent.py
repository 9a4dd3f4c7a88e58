"""The step `register` after a poisoning: what was fitted anew is no child of the champion."""

from pathlib import Path

import pytest

from components.register import step as register
from shield.artifacts.opening import open_store
from shield.crds.v1alpha1 import VersionRef
from shield.errors import VersionRejected
from shield.gates import Comparison, GateInput, GateLimits, decide
from shield.labels import ModelType
from shield.linear import Origin
from shield.packages import pack
from shield.run_files import RunInputs
from shield.wire import RolloutRequest, VersionRead
from tests.support.learning import World, learning_world
from tests.support.packages import linear_package

SMS = ModelType.SMS
CHAMPION = "sha256:" + "a" * 64


def registered(
    world: World, name: str, half: Origin | None, champion: VersionRead | None
) -> VersionRead:
    """Register a package of a linear model that was fitted so, by the step."""
    folder = world.folder / name
    folder.mkdir()
    manifest = linear_package(folder / "model").package.manifest
    recipe = {} if half is None else {"linear": half._asdict()}
    update = {"run_id": name, "recipe": recipe, "files": {}}
    package = pack(folder / "model", manifest.model_copy(update=update))
    given = GateInput(
        model_type=SMS,
        champion=None,
        challenger=package.digest,
        fresh_feedback=0,
        budget=0.01,
        golden_digest="sha256:g",
        golden=Comparison(tp=95, fn=5, fp=1, tn=899),
        int8_compared=1000,
        int8_flips=0,
    )
    verdict = decide(given, GateLimits(min_feedback=0, first_recall=0.5))
    for file, document in (("evaluations", given), ("verdict", verdict)):
        (folder / file).write_text(document.model_dump_json(by_alias=True))
    (folder / "report.html").write_text("<h1>Promoted</h1>")
    ref = None
    if champion is not None:
        ref = VersionRef(name=champion.name, digest=champion.digest, uri=champion.uri)
    RunInputs(model_type=SMS, run_id=name, champion=ref).write(folder / "inputs")
    with world.service() as client:
        return register.run(
            client,
            open_store(world.api.artifacts_root),
            model=folder / "model",
            evaluations=folder / "evaluations",
            verdict=folder / "verdict",
            inputs=folder / "inputs",
            report=folder / "report.html",
            signing_key=world.folder / "keys/signing.pem",
            code_version="test",
        )


def test_a_version_fitted_anew_after_a_poisoning_is_clean_and_may_be_proposed(
    tmp_path: Path,
) -> None:
    with learning_world(tmp_path) as (world, _url):
        champion = registered(world, "first", Origin("2", "sha256:1"), None)
        with world.api.client("root", "admin") as admin:
            admin.taint(SMS, champion.name, "poisoned by eve")
        on = registered(world, "weekly", Origin("2", "sha256:1", CHAMPION), champion)
        silent = registered(world, "earlier", None, champion)
        assert on.parent == silent.parent == champion.name
        assert on.tainted
        assert silent.tainted, "an earlier release does not say what its half came from"
        clean = registered(world, "anew", Origin("2", "sha256:1"), champion)
        assert (clean.parent, clean.tainted) == (None, False)
        with world.service() as client:
            with pytest.raises(VersionRejected, match="poisoned by eve"):
                client.request_rollout(SMS, RolloutRequest(version=on.name))
            rollout = client.request_rollout(SMS, RolloutRequest(version=clean.name))
        assert rollout.spec.version.name == clean.name
