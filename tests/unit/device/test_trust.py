"""A phone takes a judge whose signatures, digests and number hold, else keeps the former one."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.device.signing import CONTEXT
from api.pages.build import node_folder
from shield.device import CHARACTERS, DEVICE, WEIGHTS
from shield.labels import ModelType, ScanType
from shield.packages import Purpose, load_private_key, pack, sign
from shield.packages.keys import Trust, key_id
from shield.packages.manifest import MANIFEST, SIGNATURE
from shield.wire import DeviceReleaseRead, ReleaseStatement
from tests.support.judge import bundler, random_judge
from tests.support.packages import linear_package

RUNNER = Path(__file__).parents[2] / "support" / "follow.mjs"
API = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()


def raw_key(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


class Versions:
    """Versions with a judge each, and what an API would tell of them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folders: list[Path] = []
        for number in range(1, count + 1):
            made = linear_package(folder / f"v{number}")
            path = made.package.path
            random_judge(path, bits=8 + number)
            pack(path, made.package.manifest.model_copy(update={"files": {}}))
            self.key = load_private_key(made.signing_key)
            sign(path, self.key)
            self.trusted = Trust.from_directory(made.trusted_keys)
            self.folders.append(path)

    @property
    def pins(self) -> dict[str, dict[str, str]]:
        packages = {
            name: base64.b64encode(key.public_bytes_raw()).decode()
            for name, key in self.trusted.keys.items()
        }
        return {"releases": {key_id(API.public_key()): raw_key(API)}, "packages": packages}

    def step(
        self,
        number: int,
        version: int,
        *,
        key: Ed25519PrivateKey = API,
        judge: bool = True,
        scan_type: ScanType = ScanType.TEXT,
    ) -> dict[str, Any]:
        """Return what the API answers while `version` is in force with this number."""
        from shield.packages import ModelPackage

        package = ModelPackage.open(self.folders[version - 1])
        statement = ReleaseStatement(
            scan_type=scan_type,
            model_type=ModelType.SMS,
            number=number,
            version=f"sms-v{version}",
            package=package.digest,
            judge=judge,
            issued_at="2026-03-01T12:00:00+00:00",
        ).model_dump_json(by_alias=True)
        signature = base64.b64encode(key.sign(CONTEXT + statement.encode())).decode()
        release = DeviceReleaseRead(
            statement=statement,
            key_id=key_id(key.public_key()),
            signature=signature,
            package_signature=(package.path / SIGNATURE).read_text(),
        )
        digest = package.digest.removeprefix("sha256:")
        files = {
            f"{digest}/{name}": base64.b64encode((package.path / name).read_bytes()).decode()
            for name in (MANIFEST, DEVICE, WEIGHTS, CHARACTERS)
        }
        return {"release": release.model_dump(mode="json", by_alias=True), "files": files}


def follow(
    versions: Versions, steps: list[dict[str, Any]], work: Path, *, webcrypto: bool = True
) -> list[dict[str, Any]]:
    bundler()
    document = {"pins": versions.pins, "steps": steps, "webcrypto": webcrypto}
    (work / "steps.json").write_text(json.dumps(document))
    subprocess.run(
        [node_folder() / "node", RUNNER, work / "steps.json", work / "told.json"],
        check=True,
        capture_output=True,
        text=True,
    )
    told: list[dict[str, Any]] = json.loads((work / "told.json").read_text())
    return told


@pytest.mark.parametrize("webcrypto", [True, False])
def test_a_phone_follows_promotions_and_undos_and_nothing_older(
    tmp_path: Path, webcrypto: bool
) -> None:
    made = Versions(tmp_path, 2)
    steps = [
        made.step(10, 1),
        made.step(10, 1),
        made.step(11, 2),
        {"release": None, "files": {}},
        made.step(10, 1),
        {**made.step(12, 1), "files": {}},
        made.step(13, 2, judge=False),
        {**made.step(14, 1), "files": {}},
    ]
    told = follow(made, steps, tmp_path, webcrypto=webcrypto)
    assert [(each["number"], each["current"], each["former"]) for each in told] == [
        (10, "sms-v1", None),
        (10, "sms-v1", None),
        (11, "sms-v2", "sms-v1"),
        (11, "sms-v2", "sms-v1"),
        (11, "sms-v2", "sms-v1"),
        (12, "sms-v1", "sms-v2"),
        (13, None, "sms-v1"),
        (14, "sms-v1", None),
    ]
    assert "number 10" in told[4]["error"]
    assert told[5]["fetched"] == 0, "an undo needs no download"


def changed(step: dict[str, Any], name: str, change: Any) -> dict[str, Any]:
    files = dict(step["files"])
    (key,) = [key for key in files if key.endswith(f"/{name}")]
    files[key] = base64.b64encode(change(base64.b64decode(files[key]))).decode()
    return {**step, "files": files}


def test_what_was_tampered_with_is_refused_and_the_former_judge_stays(tmp_path: Path) -> None:
    made = Versions(tmp_path, 2)
    good = made.step(11, 2)
    release = good["release"]
    record = tmp_path / "record"
    shutil.copytree(made.folders[1], record)
    sign(record, made.key, Purpose.RECORD)
    stranger = tmp_path / "stranger"
    shutil.copytree(made.folders[1], stranger)
    sign(stranger, STRANGER)

    def signed(**changes: Any) -> dict[str, Any]:
        return {**good, "release": {**release, **changes}}

    bad = {
        "a byte of the weights": changed(good, WEIGHTS, lambda raw: raw[:-1] + b"\x01"),
        "weights cut off": changed(good, WEIGHTS, lambda raw: raw[:-100]),
        "another operating point": changed(
            good, DEVICE, lambda raw: raw.replace(b'"scale": 1.75', b'"scale": 9.75')
        ),
        "other tables": changed(good, CHARACTERS, lambda raw: raw + b" "),
        "another manifest": changed(good, MANIFEST, lambda raw: raw + b" "),
        "another statement": signed(
            statement=release["statement"].replace('"number":11', '"number":99')
        ),
        "a stranger's release": made.step(11, 2, key=STRANGER),
        "another type's release": made.step(11, 2, scan_type=ScanType.VOICE),
        "no package signature": signed(packageSignature=None),
        "a stranger's package": signed(packageSignature=(stranger / SIGNATURE).read_text()),
        "a refused package": signed(packageSignature=(record / SIGNATURE).read_text()),
        "no signature at all": signed(signature=""),
        "a key by a trick": signed(keyId="constructor"),
        "the same number for another version": made.step(10, 2),
    }
    told = follow(made, [made.step(10, 1), *bad.values(), good], tmp_path)
    for what, kept in zip(bad, told[1:], strict=False):
        assert (kept["number"], kept["current"]) == (10, "sms-v1"), what
        assert kept["error"], what
        assert kept["error"].startswith("Untrusted"), (what, kept["error"])
    assert told[-1] | {"error": None} == told[-1]
    assert (told[-1]["number"], told[-1]["current"], told[-1]["former"]) == (11, "sms-v2", "sms-v1")
