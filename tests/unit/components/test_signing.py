"""The step `register` signs the package that was judged, byte for byte, and no other."""

from pathlib import Path

import pytest

from components.register import step as register
from shield.errors import PackageCorrupt, PackageInvalid
from shield.gates import Comparison, GateInput
from shield.labels import ModelType
from shield.packages import ModelPackage, Purpose, Trust, generate_key, save_key
from shield.packages.manifest import LINEAR
from tests.support.packages import linear_package


def signed(folder: Path, model: Path, judged: str) -> ModelPackage:
    key = folder / "keys" / "signing.pem"
    if not key.exists():
        save_key(generate_key(), key, folder / "keys" / "trusted")
    given = GateInput(
        model_type=ModelType.SMS,
        champion=None,
        challenger=judged,
        fresh_feedback=0,
        budget=0.01,
        golden_digest="sha256:g",
        golden=Comparison(tp=95, fn=5, fp=1, tn=899),
        int8_compared=1000,
        int8_flips=0,
        metrics={"goldenRecall": 0.95},
    )
    place = folder / f"signed-{len(list(folder.iterdir()))}"
    return register._packed(place, model, given, key, Purpose.RELEASE)


def test_only_the_package_that_was_judged_is_signed(tmp_path: Path) -> None:
    package = linear_package(tmp_path / "model").package
    model, judged = package.path, package.digest
    whole = signed(tmp_path, model, judged)
    whole.verify(Trust.from_directory(tmp_path / "keys" / "trusted"))
    assert whole.manifest.metrics == {"goldenRecall": 0.95}
    with pytest.raises(PackageCorrupt, match="was judged"):
        signed(tmp_path, model, "sha256:" + "0" * 64)
    raw = (model / LINEAR).read_bytes()
    (model / LINEAR).write_bytes(raw[: len(raw) // 2])  # a copy that was cut off
    with pytest.raises(PackageCorrupt, match="Refusing"):
        signed(tmp_path, model, judged)
    (model / LINEAR).unlink()
    with pytest.raises(PackageInvalid):
        signed(tmp_path, model, judged)
