"""Release the stable version to phones; each change, an undo included, gets a higher number."""

import gzip
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select

from api.device.signing import CONTEXT, sign
from api.kit.context import Context, open_context
from api.kit.database import lock
from api.tables import DeviceRelease
from shield.artifacts import ArtifactStore
from shield.crds.v1alpha1 import VersionRef
from shield.device import CHARACTERS, DEVICE, WEIGHTS
from shield.errors import Invalid, NotFound, PackageCorrupt, Unavailable
from shield.labels import MODEL_OF_SCAN, ModelType, ScanType
from shield.packages import uri_of
from shield.packages.manifest import MANIFEST, SIGNATURE, Manifest, digest_of
from shield.packages.package import check_digest
from shield.rollouts.rules import split_in_force
from shield.wire import DeviceReleaseRead, ReleaseStatement

FILES = (MANIFEST, DEVICE, WEIGHTS, CHARACTERS)
"""Files of a package that phones may fetch; all others are refused."""


def current(ctx: Context, scan_type: ScanType) -> DeviceReleaseRead:
    """Return the current release, signed. Issues a new one if the stable version has changed.

    Raises:
        NotFound: No version of the type was ever deployed.
        Unavailable: The rollout or the artifact store does not answer.
    """
    model_type = MODEL_OF_SCAN[scan_type]
    split = ctx.services.router.split(model_type)
    if split is None:
        raise NotFound(f"No {model_type} version serves yet, so there is none for phones.")
    row = ctx.session.scalar(_latest(model_type.value))
    if row is None or row.package != split.stable.digest:
        row = _issue(ctx, scan_type)
    statement = ReleaseStatement(
        scan_type=scan_type,
        model_type=model_type,
        number=row.number,
        version=row.version,
        package=row.package,
        judge=row.judge,
        issued_at=row.issued_at.isoformat(),
    ).model_dump_json(by_alias=True)
    key, signature = sign(ctx.ring, CONTEXT, statement)
    uri = uri_of(model_type, row.package)
    package_signature = ctx.services.artifacts.get(f"{uri}/{SIGNATURE}") if row.judge else None
    return DeviceReleaseRead(
        statement=statement,
        key_id=key,
        signature=signature,
        package_signature=package_signature.decode() if package_signature else None,
    )


def unpacked(packed: bytes) -> bytes:
    """Decompress the result of `file`, for a client that does not accept gzip."""
    return gzip.decompress(packed)


def _latest(model_type: str) -> Select[DeviceRelease]:
    return (
        select(DeviceRelease)
        .where(DeviceRelease.model_type == model_type)
        .order_by(DeviceRelease.number.desc())
        .limit(1)
    )


def _issue(ctx: Context, scan_type: ScanType) -> DeviceRelease:
    """Number a release of the stable version, unless another process has done so.

    Reads the rollout itself, not this replica's copy, which may not contain a recent undo yet.
    """
    model_type = MODEL_OF_SCAN[scan_type]
    split = split_in_force(ctx.services.rollouts.get(model_type.value))
    if split is None:
        raise Unavailable(f"No {model_type} version serves now. Ask again.", retry_after_seconds=5)
    stable = split.stable
    judge = _brings_judge(ctx.services.artifacts, model_type.value, stable)
    with open_context(ctx.services, ctx.principal) as writing:
        lock(writing.session, f"device {model_type}")
        latest = writing.session.scalar(_latest(model_type.value))
        if latest is not None and latest.package == stable.digest:
            return latest
        number = max(int(writing.now.timestamp()), latest.number + 1 if latest else 1)
        row = DeviceRelease(
            model_type=model_type.value,
            number=number,
            version=stable.name,
            package=stable.digest,
            judge=judge,
            issued_at=writing.now,
        )
        writing.session.add(row)
    return row


def _brings_judge(store: ArtifactStore, model_type: str, stable: VersionRef) -> bool:
    try:
        raw = store.get(f"{uri_of(model_type, stable.digest)}/{MANIFEST}")
    except NotFound:
        return False  # served from elsewhere; phones ask the server
    return DEVICE in Manifest.from_bytes(raw, f"the manifest of {stable.name}").files


def check_released(ctx: Context, model_type: ModelType, version: str) -> None:
    """Raise `Invalid` unless the version was released to phones: names become metric labels."""
    known = select(DeviceRelease.number).where(
        DeviceRelease.model_type == model_type.value, DeviceRelease.version == version
    )
    if ctx.session.scalar(known.limit(1)) is None:
        raise Invalid(
            f"version: {version!r} never judged {model_type} messages on phones of this server. "
            "Fetch the current release and use its version."
        )


def file(ctx: Context, scan_type: ScanType, digest: str, name: str) -> tuple[bytes, str]:
    """Return a file of a released package, compressed with gzip, and its SHA-256.

    Raises:
        NotFound: The version was not released to phones, or phones may not fetch the file.
        PackageCorrupt: The bytes in the artifact store differ from the signed ones.
    """
    package = f"sha256:{digest}"
    check_in_phones_history(ctx, scan_type, package)
    if name not in FILES:
        raise NotFound.of("file for phones", f"{package[:19]}/{name}", "Fetch the release again.")
    # A Protocol does not say that its objects can be keys of a cache; ours are, by identity.
    store: Any = ctx.services.artifacts
    return _packed(store, uri_of(MODEL_OF_SCAN[scan_type].value, package), package, name)


def check_in_phones_history(ctx: Context, scan_type: ScanType, package: str) -> None:
    """Raise `NotFound` unless the package, a `sha256:` digest, was ever released to phones."""
    released = ctx.session.scalar(
        select(DeviceRelease.number)
        .where(
            DeviceRelease.model_type == MODEL_OF_SCAN[scan_type].value,
            DeviceRelease.package == package,
        )
        .limit(1)
    )
    if released is None:
        raise NotFound.of("version for phones", package[:19], "Fetch the release again.")


def manifest_of(store: ArtifactStore, uri: str, digest: str) -> Manifest:
    """Return the manifest of a package by its address and its `sha256:` digest.

    Raises:
        PackageCorrupt: The bytes in the artifact store are not those of the digest.
    """
    return Manifest.from_bytes(_manifest_bytes(store, uri, digest), f"{uri}/{MANIFEST}")


@lru_cache(maxsize=32)
def _packed(store: Any, uri: str, digest: str, name: str) -> tuple[bytes, str]:
    raw = _manifest_bytes(store, uri, digest)
    if name != MANIFEST:
        expected = Manifest.from_bytes(raw, f"{uri}/{MANIFEST}").files.get(name)
        if expected is None:
            raise NotFound.of("file of the package", name, "Fetch the release again.")
        raw = store.get(f"{uri}/{name}")
        check_digest(f"{uri}/{name}", expected, raw)
    return gzip.compress(raw, mtime=0), digest_of(raw).removeprefix("sha256:")


def _manifest_bytes(store: ArtifactStore, uri: str, digest: str) -> bytes:
    raw = store.get(f"{uri}/{MANIFEST}")
    if digest_of(raw) != digest:
        raise PackageCorrupt(
            f"{uri}/{MANIFEST} is not the manifest of {digest[:19]}. Push the version again with "
            "`shieldctl model push`."
        )
    return raw
