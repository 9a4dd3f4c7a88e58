"""What an API tells phones of the versions in force, true and tampered with.

Every client that follows releases is told the same stories: `told_in_order` and `tampered`.
"""

import base64
import shutil
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.device.signing import CONTEXT
from shield.device import CHARACTERS, DEVICE, WEIGHTS
from shield.labels import ModelType, ScanType
from shield.packages import ModelPackage, Purpose, load_private_key, pack, sign
from shield.packages.keys import Trust, key_id
from shield.packages.manifest import MANIFEST, SIGNATURE
from shield.wire import DeviceReleaseRead, ReleaseStatement
from tests.support.judge import random_judge
from tests.support.packages import linear_package

API = Ed25519PrivateKey.generate()
STRANGER = Ed25519PrivateKey.generate()
Step = dict[str, Any]


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
    ) -> Step:
        """Return what the API answers while `version` is in force with this number."""
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


Told = tuple[int, str | None, str | None]
"""Number, version in force and version before, as a phone keeps them after a step."""


def told_in_order(made: Versions) -> tuple[list[Step], list[Told]]:
    """Return what a phone is told while versions come, go and come back, and what it then keeps."""
    steps = [
        (made.step(10, 1), (10, "sms-v1", None)),
        (made.step(10, 1), (10, "sms-v1", None)),
        (made.step(11, 2), (11, "sms-v2", "sms-v1")),
        ({"release": None, "files": {}}, (11, "sms-v2", "sms-v1")),
        (made.step(10, 1), (11, "sms-v2", "sms-v1")),
        # An undo, for which nothing is fetched.
        ({**made.step(12, 1), "files": {}}, (12, "sms-v1", "sms-v2")),
        (made.step(13, 2, judge=False), (13, None, "sms-v1")),
        ({**made.step(14, 1), "files": {}}, (14, "sms-v1", None)),
    ]
    return [step for step, _ in steps], [told for _, told in steps]


def tampered(made: Versions, work: Path) -> dict[str, Step]:
    """Return what nobody may believe who keeps version 1 under the number 10, by what is wrong."""
    good = made.step(11, 2)
    release = good["release"]
    record = work / "record"
    shutil.copytree(made.folders[1], record)
    sign(record, made.key, Purpose.RECORD)
    stranger = work / "stranger"
    shutil.copytree(made.folders[1], stranger)
    sign(stranger, STRANGER)

    def signed(**changes: Any) -> Step:
        return {**good, "release": {**release, **changes}}

    return {
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


def changed(step: Step, name: str, change: Any) -> Step:
    files = dict(step["files"])
    (key,) = [key for key in files if key.endswith(f"/{name}")]
    files[key] = base64.b64encode(change(base64.b64decode(files[key]))).decode()
    return {**step, "files": files}
