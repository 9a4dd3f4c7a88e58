"""A folder of data, sealed like a model package: a manifest of digests, and a signature.

Corpora travel so from one installation to another: what teaches a filter must not be changed on the
way.
"""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shield.errors import PackageInvalid
from shield.packages.keys import Trust
from shield.packages.manifest import MANIFEST, SIGNATURE
from shield.packages.package import (
    check_digest,
    check_signature,
    sha256_of,
    write_atomically,
    write_signature,
)


def seal(folder: Path, private_key: Ed25519PrivateKey, about: dict[str, Any]) -> None:
    """Write a manifest over all files of `folder`, with what `about` says of them, and sign it."""
    files = {
        file.name: sha256_of(file)
        for file in sorted(folder.iterdir())
        if file.name not in {MANIFEST, SIGNATURE}
    }
    document = about | {"files": files}
    raw = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()
    write_atomically(folder / MANIFEST, raw)
    write_signature(folder, private_key)


def opened(folder: Path, trust: Trust) -> dict[str, Any]:
    """Return the manifest of a sealed folder once signature and every file hold.

    Raises:
        PackageUnsigned: No signature.
        PackageUntrusted: Signed by nobody who is trusted.
        PackageCorrupt: A file has other bytes than when it was sealed.
        PackageInvalid: There is no manifest, or a file that it names is missing.
    """
    try:
        raw = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise PackageInvalid(
            f"{folder} has no {MANIFEST} ({error.strerror or error}). Name a folder that "
            "`shieldctl corpus export` has written."
        ) from error
    check_signature(folder, raw, trust)
    try:
        document: dict[str, Any] = json.loads(raw)
        for name, digest in document["files"].items():
            check_digest(str(folder / name), digest, (folder / name).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageInvalid(
            f"{folder / MANIFEST} cannot be followed ({type(error).__name__}: {error}). Export the "
            "corpus again."
        ) from error
    return document
