"""Packing, signing, verifying: what is whole and trusted loads, everything else is refused."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from shield.artifacts.opening import open_store
from shield.errors import (
    AlreadyExists,
    Misconfigured,
    PackageCorrupt,
    PackageInvalid,
    PackageUnsigned,
    PackageUntrusted,
)
from shield.labels import ModelType
from shield.packages import (
    Manifest,
    ModelPackage,
    PackageSettings,
    Purpose,
    Trust,
    generate_key,
    load_private_key,
    pack,
    pull,
    push,
    save_key,
    sign,
)
from shield.packages.manifest import FORMAT_VERSION, MANIFEST, REQUIRED, SIGNATURE, Format
from shield.packages.transfer import release


def unsigned_package(directory: Path, **fields: object) -> ModelPackage:
    directory.mkdir(parents=True, exist_ok=True)
    for name in REQUIRED:
        (directory / name).write_bytes(f"bytes of {name}".encode())
    return pack(directory, Manifest.model_validate({"modelType": ModelType.SMS, **fields}))


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    save_key(generate_key(), tmp_path / "signing.pem", tmp_path / "trusted")
    return Trust.from_directory(tmp_path / "trusted")


@pytest.fixture
def signed(tmp_path: Path, trust: Trust) -> ModelPackage:
    package = unsigned_package(tmp_path / "package")
    return sign(package.path, load_private_key(tmp_path / "signing.pem"))


@pytest.mark.parametrize("version", get_args(Format))
def test_every_format_that_is_written_is_read(version: int) -> None:
    # Whatever makes a manifest of the newest format, a release must read what it packs.
    newest = {
        "margin": {"encoder": 1.0, "linear": 1.0, "bias": 0.0},
        "cascade": {"harmless": {"beyond": -4.0, "encoder": -5.0}},
    }
    parts = newest if version == FORMAT_VERSION else {"formatVersion": version}
    manifest = Manifest.model_validate({"modelType": ModelType.SMS, **parts})
    assert manifest.format_version == version
    assert Manifest.from_bytes(manifest.to_bytes(), "manifest.json") == manifest


def test_a_signed_package_verifies_and_gives_back_its_bytes(
    signed: ModelPackage, trust: Trust
) -> None:
    package = ModelPackage.open(signed.path).verify(trust, digest=signed.digest)
    assert package.read("config.json") == b"bytes of config.json"
    assert package.manifest.labels == ["ham", "spam"]


def test_packing_the_same_things_twice_gives_the_same_digest(tmp_path: Path) -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    one = unsigned_package(tmp_path / "one", createdAt=when, metrics={"recall": 0.9})
    two = unsigned_package(tmp_path / "two", createdAt=when, metrics={"recall": 0.9})
    assert one.digest == two.digest


def test_one_changed_byte_in_any_file_is_refused(signed: ModelPackage, trust: Trust) -> None:
    for name in REQUIRED:
        raw = (signed.path / name).read_bytes()
        (signed.path / name).write_bytes(raw[:-1] + b"!")
        with pytest.raises(PackageCorrupt, match=name):
            ModelPackage.open(signed.path).verify(trust)
        (signed.path / name).write_bytes(raw)
    ModelPackage.open(signed.path).verify(trust)


def test_a_changed_manifest_breaks_the_signature(signed: ModelPackage, trust: Trust) -> None:
    document = json.loads((signed.path / MANIFEST).read_text())
    document["threshold"] = 0.99
    (signed.path / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(PackageUntrusted, match="not by a trusted"):
        ModelPackage.open(signed.path).verify(trust)


def test_an_unsigned_package_is_refused(signed: ModelPackage, trust: Trust) -> None:
    (signed.path / SIGNATURE).unlink()
    with pytest.raises(PackageUnsigned, match="shieldctl model sign"):
        signed.verify(trust)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"keyId": "x", "signature": "%%"}', b"\xff"])
def test_a_damaged_signature_file_is_refused(
    signed: ModelPackage, trust: Trust, content: bytes
) -> None:
    (signed.path / SIGNATURE).write_bytes(content)
    with pytest.raises(PackageUntrusted):
        signed.verify(trust)


def test_a_strangers_signature_is_refused(signed: ModelPackage, tmp_path: Path) -> None:
    save_key(generate_key(), tmp_path / "stranger.pem", tmp_path / "strangers")
    with pytest.raises(PackageUntrusted, match="trusted key"):
        signed.verify(Trust.from_directory(tmp_path / "strangers"))


def test_a_refused_package_is_signed_for_the_record_and_never_loaded(
    signed: ModelPackage, trust: Trust, tmp_path: Path
) -> None:
    sign(signed.path, load_private_key(tmp_path / "signing.pem"), Purpose.RECORD)
    kept = (signed.path / SIGNATURE).read_text()
    with pytest.raises(PackageUntrusted, match="signed for the record, not for the release"):
        signed.verify(trust)
    (signed.path / SIGNATURE).write_text(kept.replace('"record"', '"release"'))
    with pytest.raises(PackageUntrusted, match="not by a trusted"):
        signed.verify(trust)
    (signed.path / SIGNATURE).write_text(kept)
    assert signed.verify(trust, purpose=Purpose.RECORD).digest == signed.digest


def test_a_package_kept_for_the_record_is_released_by_whoever_holds_the_key(
    signed: ModelPackage, trust: Trust, tmp_path: Path
) -> None:
    key = load_private_key(tmp_path / "signing.pem")
    sign(signed.path, key, Purpose.RECORD)
    store = open_store(tmp_path / "store")
    pushed = push(store, signed.path)
    with pytest.raises(PackageUntrusted, match="model reinstate"):
        pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust)
    release(store, pushed.uri, pushed.digest, trust, key)
    assert pull(store, pushed.uri, pushed.digest, tmp_path / "cache", trust).digest == signed.digest


def test_packing_again_drops_the_old_signature(signed: ModelPackage, trust: Trust) -> None:
    package = pack(signed.path, signed.manifest)
    with pytest.raises(PackageUnsigned):
        package.verify(trust)


def test_another_version_than_the_one_asked_for_is_refused(
    signed: ModelPackage, trust: Trust
) -> None:
    with pytest.raises(PackageCorrupt, match="was asked for"):
        signed.verify(trust, digest="sha256:" + "0" * 64)


@pytest.mark.parametrize("name", ["weights.pkl", "model.bin", "run.py", "model.pt"])
def test_a_format_that_could_run_code_is_never_packed(tmp_path: Path, name: str) -> None:
    package = unsigned_package(tmp_path / "package")
    (package.path / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(PackageInvalid, match="holds only data"):
        pack(package.path, package.manifest)


def test_a_link_out_of_the_directory_is_never_packed(tmp_path: Path) -> None:
    package = unsigned_package(tmp_path / "package")
    (package.path / "notes.txt").symlink_to("/etc/hostname")
    with pytest.raises(PackageInvalid, match="regular file"):
        pack(package.path, package.manifest)


@pytest.mark.parametrize("name", ["../evil.json", "/etc/passwd.txt", "a/b.json", ".hidden.json"])
def test_a_manifest_cannot_name_a_file_outside_its_directory(
    signed: ModelPackage, name: str
) -> None:
    document = json.loads((signed.path / MANIFEST).read_text())
    document["files"][name] = "0" * 64
    (signed.path / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(PackageInvalid, match="plain file name"):
        ModelPackage.open(signed.path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "not a model package's manifest"),
        (b'{"formatVersion": 99}', "Upgrade antispam-shield"),
        (b'{"formatVersion": 1, "modelType": "fax"}', "modelType"),
        (b'{"modelType": "sms", "labels": ["spam", "ham"]}', "labels of sms"),
        (b'{"modelType": "sms", "surprise": 1}', "surprise"),
        (b'{"modelType": "sms", "createdAt": "2026-01-01T00:00:00"}', "time zone"),
        (b"[1, 2]", "manifest"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(PackageInvalid, match=message):
        ModelPackage.open(tmp_path)


def test_a_missing_package_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(PackageInvalid, match="Give the directory"):
        ModelPackage.open(tmp_path / "nowhere")


def test_a_missing_required_file_cannot_be_packed(tmp_path: Path) -> None:
    package = unsigned_package(tmp_path / "package")
    (package.path / "model.int8.onnx").unlink()
    with pytest.raises(PackageInvalid, match=r"model\.int8\.onnx is missing"):
        pack(package.path, package.manifest)


def test_a_signing_key_is_private_and_never_overwritten(tmp_path: Path) -> None:
    save_key(generate_key(), tmp_path / "signing.pem", tmp_path / "trusted")
    assert (tmp_path / "signing.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(AlreadyExists, match="already"):
        save_key(generate_key(), tmp_path / "signing.pem", tmp_path / "trusted")


def test_no_trusted_key_trusts_nobody(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no trusted key"):
        Trust.from_directory(tmp_path)


def test_unset_keys_say_which_setting_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHIELD_SIGNING_KEY", raising=False)
    monkeypatch.delenv("SHIELD_TRUSTED_KEYS", raising=False)
    with pytest.raises(Misconfigured, match="SHIELD_SIGNING_KEY"):
        PackageSettings().require_signing_key()
    with pytest.raises(Misconfigured, match="SHIELD_TRUSTED_KEYS"):
        PackageSettings().require_trusted_keys()
