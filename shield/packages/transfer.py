"""Move model packages to and from the artifact store."""

import re
import secrets
import tempfile
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shield.artifacts import ArtifactStore
from shield.errors import NotFound, PackageCorrupt, PackageInvalid, PackageUnsigned
from shield.packages.keys import Trust
from shield.packages.manifest import MANIFEST, SIGNATURE, Manifest, digest_of
from shield.packages.package import (
    Files,
    ModelPackage,
    Purpose,
    check_digest,
    named_files,
    write_atomically,
    write_signature,
)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Pushed(NamedTuple):
    """Where a package lies; with a name it makes a `VersionRef`."""

    digest: str
    uri: str


def uri_of(model_type: str, digest: str) -> str:
    """Return the prefix of a package in the artifact store."""
    return f"packages/{model_type}/{digest.removeprefix('sha256:')}"


def push(store: ArtifactStore, directory: Path) -> Pushed:
    """Upload a signed package; pushing it again changes nothing.

    The manifest goes last: a package that has one in the store is complete.

    Raises:
        PackageUnsigned: The package is not signed, so that no server could load it.
        PackageCorrupt: A file is not what the manifest says; nothing is uploaded.
        Unavailable: The store does not answer.
    """
    package = ModelPackage.open(directory)
    package.signature()
    for name in package.manifest.files:
        package.read(name)
    uri = uri_of(package.manifest.model_type, package.digest)
    for name in sorted(package.manifest.files):
        store.put(f"{uri}/{name}", directory / name)
    # The signature is not part of the identity: signing again (key rotation) replaces it.
    store.put(f"{uri}/{SIGNATURE}", directory / SIGNATURE, overwrite=True)
    store.put(f"{uri}/{MANIFEST}", directory / MANIFEST)
    return Pushed(package.digest, uri)


def pull(
    store: ArtifactStore,
    uri: str,
    digest: str,
    cache_dir: Path,
    trust: Trust,
    *,
    files: Files = None,
) -> ModelPackage:
    """Download a package into `cache_dir/<sha256>` and verify it; what is there is not fetched.

    Args:
        store: Where it lies.
        uri: Its prefix, as in `VersionRef.uri`.
        digest: Its identity, `sha256:...`. Another package under the same prefix is refused.
        cache_dir: May be shared by processes: every file appears whole, after its check.
        trust: Whose signature counts. Checked before any model file is fetched.
        files: Which files, or what names them; all by default.

    Raises:
        NotFound: There is no such package.
        PackageUnsigned: It has no signature.
        PackageUntrusted: The signer is not trusted.
        PackageCorrupt: Bytes that are not those of `digest`.
        PackageInvalid: The digest or the manifest cannot be read.
        Unavailable: The store does not answer.
    """
    if not _DIGEST.fullmatch(digest):
        raise PackageInvalid(
            f"{digest!r} is not a digest. Give `sha256:` and 64 hexadecimal digits."
        )
    target = cache_dir / digest.removeprefix("sha256:")
    target.mkdir(parents=True, exist_ok=True)
    _fetch_manifest(store, uri, digest, target)
    package = ModelPackage.open(target).verify(trust, digest=digest, files=())
    for name in named_files(package.manifest, files):
        _fetch_file(store, f"{uri}/{name}", target / name, package.manifest)
    return package


def release(
    store: ArtifactStore, uri: str, digest: str, trust: Trust, private_key: Ed25519PrivateKey
) -> None:
    """Sign a package in the store for a release, that was signed for the record before.

    Raises:
        As `pull`; nothing is signed that does not hold for the record, nor anything twice.
    """
    with tempfile.TemporaryDirectory(prefix="release-") as folder:
        target = Path(folder)
        _fetch_manifest(store, uri, digest, target)
        package = ModelPackage.open(target)
        purpose = package.signature().purpose
        package.verify(trust, digest=digest, files=(), purpose=purpose)
        if purpose is Purpose.RECORD:
            write_signature(target, private_key)
            store.put(f"{uri}/{SIGNATURE}", target / SIGNATURE, overwrite=True)


def _fetch_manifest(store: ArtifactStore, uri: str, digest: str, target: Path) -> None:
    try:
        raw = store.get(f"{uri}/{MANIFEST}")
    except NotFound as error:
        raise NotFound(
            f"There is no model package at {uri} in the artifact store. "
            "List what is there with `shieldctl model list`."
        ) from error
    if digest_of(raw) != digest:
        raise PackageCorrupt(
            f"{uri}/{MANIFEST} is {digest_of(raw)[:19]}, but {digest[:19]} was asked for. Refusing "
            "to load it. Push the version again with `shieldctl model push`."
        )
    try:
        signature = store.get(f"{uri}/{SIGNATURE}")
    except NotFound as error:
        raise PackageUnsigned(
            f"The package {uri} is not signed. Refusing to load it. Sign and push it with "
            "`shieldctl model push`."
        ) from error
    write_atomically(target / SIGNATURE, signature)
    write_atomically(target / MANIFEST, raw)


def _fetch_file(store: ArtifactStore, key: str, target: Path, manifest: Manifest) -> None:
    expected = manifest.files.get(target.name)
    if expected is None:
        raise PackageInvalid(
            f"The package of {key} names no {target.name}; required are "
            f"{', '.join(manifest.required_files())}."
        )
    if target.is_file():
        try:
            check_digest(str(target), expected, target.read_bytes())
            return
        except PackageCorrupt:
            pass  # A damaged copy in the cache is simply fetched again.
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        store.fetch(key, part)
        check_digest(key, expected, part.read_bytes())
        part.replace(target)
    except NotFound as error:
        raise PackageCorrupt(
            f"{key} is named by the manifest but is not in the artifact store. Refusing to load "
            "the package. Push it again with `shieldctl model push`."
        ) from error
    finally:
        part.unlink(missing_ok=True)
