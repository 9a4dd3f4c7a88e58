"""A model package on disk: open, check, pack, sign."""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shield.errors import PackageCorrupt, PackageInvalid, PackageUnsigned, PackageUntrusted
from shield.packages.keys import Trust, key_id
from shield.packages.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    check_file_name,
    digest_of,
)


class Purpose(StrEnum):
    """What a package is signed for."""

    RELEASE = "release"
    """It passed every gate, and may be served."""
    RECORD = "record"
    """A gate refused it: the signature says where it comes from, and serves it to nobody."""


_CONTEXT = {Purpose.RELEASE: b"", Purpose.RECORD: b"antispam-shield: for the record\n"}
"""Stands before the signed bytes: a signature for the record never holds for a release."""

Files = Iterable[str] | Callable[[Manifest], Iterable[str]] | None
"""Names of a package's files, what tells them from its manifest, or None: all."""


def named_files(manifest: Manifest, files: Files) -> list[str]:
    """Return the names that `files` stands for, in order."""
    if files is None:
        return sorted(manifest.files)
    return list(files(manifest) if callable(files) else files)


@dataclass(frozen=True)
class ModelPackage:
    """A directory with a manifest.

    Its files are read through it, so that no unchecked byte is used.
    """

    path: Path
    manifest: Manifest
    digest: str
    """`sha256:` of the manifest's bytes; the identity of the version."""

    @classmethod
    def open(cls, path: Path | str) -> "ModelPackage":
        """Read the manifest of the package in `path`. Files are checked when read, or by `verify`.

        Raises:
            PackageInvalid: No directory, no manifest, or one that cannot be read.
        """
        path = Path(path)
        try:
            raw = (path / MANIFEST).read_bytes()
        except OSError as error:
            raise PackageInvalid(
                f"There is no model package in {path}: {error.strerror or error}. Give the "
                f"directory that holds {MANIFEST}."
            ) from error
        return cls(path, Manifest.from_bytes(raw, str(path / MANIFEST)), digest_of(raw))

    def read(self, name: str) -> bytes:
        """Return a file's bytes, the very ones that were checked against the manifest.

        Raises:
            PackageInvalid: The manifest has no such file, or it is not there.
            PackageCorrupt: The bytes are not those the manifest names.
        """
        expected = self.manifest.files.get(name)
        if expected is None:
            raise PackageInvalid(
                f"The package {self.path} has no {name}. It holds "
                f"{', '.join(sorted(self.manifest.files))}."
            )
        try:
            raw = (self.path / name).read_bytes()
        except OSError as error:
            raise PackageInvalid(
                f"{self.path / name} is named by the manifest but cannot be read: "
                f"{error.strerror or error}. Pull the package again."
            ) from error
        check_digest(str(self.path / name), expected, raw)
        return raw

    def signature(self) -> "Signature":
        """Return the signature over the manifest, unchecked.

        Raises:
            PackageUnsigned: There is none.
            PackageUntrusted: There is a file, but it is not a signature.
        """
        return read_signature(self.path)

    def verify(
        self,
        trust: Trust,
        *,
        digest: str | None = None,
        files: Files = None,
        purpose: Purpose = Purpose.RELEASE,
    ) -> "ModelPackage":
        """Check signature and digests, and return the package. Nothing is to be loaded before this.

        Args:
            trust: Whose signature counts.
            digest: The version's identity where the caller knows it.
            files: Which files to check, or what names them; all by default. A model server checks
                those it loads.
            purpose: What it must be signed for.

        Raises:
            PackageUnsigned: No signature.
            PackageUntrusted: Signed by nobody who is trusted, or the signature does not hold.
            PackageCorrupt: Another package than `digest`, or a file with other bytes.
            PackageInvalid: A required file is not named or not there.
        """
        if digest is not None and digest != self.digest:
            raise PackageCorrupt(
                f"The package {self.path} is {self.digest[:19]}, but {digest[:19]} was asked for. "
                "Refusing to load it. Pull the version again."
            )
        raw = (self.path / MANIFEST).read_bytes()
        check_digest(str(self.path / MANIFEST), self.digest.removeprefix("sha256:"), raw)
        check_signature(self.path, raw, trust, purpose)
        missing = [
            name for name in self.manifest.required_files() if name not in self.manifest.files
        ]
        if missing:
            raise PackageInvalid(
                f"The package {self.path} has no {', '.join(missing)}. Pack the training "
                "output again."
            )
        for name in named_files(self.manifest, files):
            self.read(name)
        return self


def pack(directory: Path, manifest: Manifest) -> ModelPackage:
    """Write `manifest.json` over all files of `directory`, and drop an older signature.

    Raises:
        PackageInvalid: A required file is missing, or one does not belong in a package.
    """
    files: dict[str, str] = {}
    for file in sorted(directory.iterdir()):
        if file.name in {MANIFEST, SIGNATURE}:
            continue
        try:
            if not file.is_file() or file.is_symlink():
                raise ValueError(f"{file.name!r} is not a regular file")
            files[check_file_name(file.name)] = sha256_of(file)
        except ValueError as error:
            raise PackageInvalid(
                f"{directory} cannot be packed: {error}. Remove it from the directory."
            ) from error
    missing = [name for name in manifest.required_files() if name not in files]
    if missing:
        raise PackageInvalid(
            f"{directory} cannot be packed: {', '.join(missing)} is missing. Export the model "
            "first."
        )
    (directory / SIGNATURE).unlink(missing_ok=True)
    write_atomically(directory / MANIFEST, manifest.model_copy(update={"files": files}).to_bytes())
    return ModelPackage.open(directory)


def sign(
    directory: Path, private_key: Ed25519PrivateKey, purpose: Purpose = Purpose.RELEASE
) -> ModelPackage:
    """Sign the manifest's exact bytes into `manifest.sig`. Raises as `ModelPackage.open`."""
    package = ModelPackage.open(directory)
    write_signature(directory, private_key, purpose)
    return package


@dataclass(frozen=True)
class Signature:
    """What `manifest.sig` says."""

    key: str
    """Id of the key."""
    value: bytes
    purpose: Purpose


def write_signature(
    directory: Path, private_key: Ed25519PrivateKey, purpose: Purpose = Purpose.RELEASE
) -> None:
    """Sign the exact bytes of a directory's manifest into `manifest.sig`."""
    raw = _CONTEXT[purpose] + (directory / MANIFEST).read_bytes()
    document = {
        "algorithm": "ed25519",
        "keyId": key_id(private_key.public_key()),
        "purpose": purpose.value,
        "signature": base64.b64encode(private_key.sign(raw)).decode(),
    }
    write_atomically(directory / SIGNATURE, (json.dumps(document, sort_keys=True) + "\n").encode())


def read_signature(directory: Path) -> Signature:
    """Return the signature over a directory's manifest, unchecked.

    Raises:
        PackageUnsigned: There is none.
        PackageUntrusted: There is a file, but it is not a signature.
    """
    try:
        raw = (directory / SIGNATURE).read_bytes()
    except OSError as error:
        raise PackageUnsigned(
            f"The package {directory} is not signed ({SIGNATURE}: {error.strerror or error}). "
            "Refusing to load it. Sign it with `shieldctl model sign`."
        ) from error
    try:
        document = json.loads(raw)
        value = base64.b64decode(document["signature"], validate=True)
        purpose = Purpose(document.get("purpose", Purpose.RELEASE))  # earlier ones do not say
        return Signature(str(document["keyId"]), value, purpose)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise PackageUntrusted(
            f"{directory / SIGNATURE} is not a signature ({error}). Sign the package again."
        ) from error


def check_signature(
    directory: Path, manifest: bytes, trust: Trust, purpose: Purpose = Purpose.RELEASE
) -> None:
    """Raise unless a trusted key has signed the manifest's bytes; see `ModelPackage.verify`."""
    signature = read_signature(directory)
    if signature.purpose is not purpose:
        raise PackageUntrusted(
            f"The package {directory} is signed for the {signature.purpose}, not for the "
            f"{purpose}: a gate has refused what is kept for the record. Refusing to load it. An "
            "admin who knows better releases it with `shieldctl model reinstate`."
        )
    if not trust.holds(signature.key, signature.value, _CONTEXT[purpose] + manifest):
        known = ", ".join(sorted(trust.keys))
        raise PackageUntrusted(
            f"The package {directory} is signed by key {signature.key}, and that signature is not "
            f"by a trusted key ({known}). Refusing to load it. Add the signer's public key to the "
            "trusted keys if you know where the package comes from."
        )


def check_digest(origin: str, expected: str, raw: bytes) -> None:
    """Raise `PackageCorrupt` unless `raw` hashes to `expected` (hexadecimal)."""
    actual = hashlib.sha256(raw).hexdigest()
    if actual != expected:
        raise PackageCorrupt(
            f"{origin} hashes to sha256:{actual[:12]}, but its manifest says "
            f"sha256:{expected[:12]}. Refusing to load it. Push it again with `shieldctl model "
            "push`, or go back with `shieldctl rollout undo`."
        )


def write_atomically(target: Path, raw: bytes) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never a part."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        part.write_bytes(raw)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
