"""The encoder of a released version for phones whose owners ask for it: packed files, kept on disk.

Nothing is signed beside the package: its manifest, which phones check already, names the digest of
each file. Files are handed out as gzip archives of themselves, so that their sizes are known before
a download, and a download that broke off goes on where it stopped (`Range`).
"""

import contextlib
import gzip
import os
import stat
import tempfile
from pathlib import Path
from threading import Lock
from uuid import uuid4

from api.device.releases import check_in_phones_history, manifest_of
from api.kit.context import Context
from shield.artifacts import ArtifactStore
from shield.device import DEVICE
from shield.errors import Misconfigured, NotFound
from shield.labels import MODEL_OF_SCAN, ScanType
from shield.packages import Manifest, uri_of
from shield.packages.package import check_digest
from shield.packages.served import files_served
from shield.wire import DeviceEncoderRead, DeviceFile

KEPT_BYTES = 400_000_000
"""Most that packed files take of the temporary folder; those not asked for longest are removed."""
_packing = Lock()


def offered(ctx: Context, scan_type: ScanType, digest: str) -> DeviceEncoderRead:
    """Return the files of a released version's encoder, with their sizes as downloads.

    Empty where the version has no encoder, or where `SHIELD_API_DEVICE_ENCODER` is off.

    Raises:
        NotFound: The version was not released to phones.
        PackageCorrupt: The bytes in the artifact store differ from the signed ones.
        Misconfigured: The folder of packed files is not this user's own.
    """
    uri, manifest = _released(ctx, scan_type, digest)
    files = [
        DeviceFile(name=name, bytes=_packed(ctx.services.artifacts, uri, manifest, name)[0])
        for name in _names(ctx, manifest)
    ]
    return DeviceEncoderRead(files=files)


def file(ctx: Context, scan_type: ScanType, digest: str, name: str) -> tuple[Path, str]:
    """Return one of these files on disk, as a gzip archive, and its entity tag.

    Raises:
        NotFound: The file is not among `offered`.
        PackageCorrupt: The bytes in the artifact store differ from the signed ones.
        Misconfigured: The folder of packed files is not this user's own.
    """
    uri, manifest = _released(ctx, scan_type, digest)
    if name not in _names(ctx, manifest):
        raise NotFound.of("file of an encoder for phones", name, "Fetch the list of its files.")
    size, path = _packed(ctx.services.artifacts, uri, manifest, name)
    return path, f'"{manifest.files[name][:32]}-{size}"'


def _released(ctx: Context, scan_type: ScanType, digest: str) -> tuple[str, Manifest]:
    package = f"sha256:{digest}"
    check_in_phones_history(ctx, scan_type, package)
    uri = uri_of(MODEL_OF_SCAN[scan_type].value, package)
    return uri, manifest_of(ctx.services.artifacts, uri, package)


def _names(ctx: Context, manifest: Manifest) -> list[str]:
    """Return what the predictor of the server reads, where it has what phones need beside it."""
    offers = ctx.settings.device_encoder and manifest.has_encoder and DEVICE in manifest.files
    return files_served(manifest, "int8") if offers else []


def _packed(store: ArtifactStore, uri: str, manifest: Manifest, name: str) -> tuple[int, Path]:
    """Return size and place of the packed file; it is packed unless it is there already."""
    path = packed(f"{manifest.files[name]}.gz")
    folder = path.parent
    _make_own(folder)
    with _packing:
        try:
            os.utime(path)
        except FileNotFoundError:
            raw = store.get(f"{uri}/{name}")
            check_digest(f"{uri}/{name}", manifest.files[name], raw)
            # Other processes see all of it or nothing.
            begun = folder / f"{uuid4().hex}.part"
            begun.write_bytes(gzip.compress(raw, compresslevel=6, mtime=0))
            begun.replace(path)
            _forget_old(folder)
        return path.stat().st_size, path


def packed(name: str) -> Path:
    """Return the place of a packed file, which is named by the digest of what is in it."""
    return Path(tempfile.gettempdir()) / f"antispam-shield-phones-{os.getuid()}" / name


def _make_own(folder: Path) -> None:
    """Make the folder, whose name others can foresee; refuse one that is not this user's own.

    Raises:
        Misconfigured: Somebody else has made a folder, file or link of this name before.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        raise Misconfigured(
            f"{folder} belongs to somebody else, or is no folder. Remove it, or set TMPDIR to a "
            "folder that only this user can write to."
        )


def _forget_old(folder: Path) -> None:
    """Remove the files that were not asked for longest, down to `KEPT_BYTES`."""
    states = []
    for path in folder.iterdir():
        try:
            states.append((path.stat(), path))
        except FileNotFoundError:  # removed by another process
            continue
    kept = 0
    for state, path in sorted(states, key=lambda each: each[0].st_mtime, reverse=True):
        kept += state.st_size
        if kept > KEPT_BYTES:
            path.unlink(missing_ok=True)
