"""Versions of one real package: linked files, each with a manifest and a digest of its own."""

import os
import shutil
from pathlib import Path

from shield.crds.v1alpha1 import VersionRef
from shield.packages import Manifest, load_private_key, pack, sign
from tests.support.packages import signed_package


def make_version(folder: Path, number: int) -> VersionRef:
    """Return a servable version whose digest nobody else has."""
    source = signed_package()
    target = folder / f"sms-v{number}"
    shutil.copytree(source.package.path, target, copy_function=os.link)
    for written in ("manifest.json", "manifest.sig"):
        (target / written).unlink()
    manifest = Manifest.model_validate_json(
        (source.package.path / "manifest.json").read_bytes()
    ).model_copy(update={"run_id": f"bench-{number}"})
    digest = pack(target, manifest).digest
    sign(target, load_private_key(source.signing_key))
    return VersionRef(name=f"sms-v{number}", digest=digest, uri=str(target))
