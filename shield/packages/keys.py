"""Ed25519 keys: who may sign a model package, and whose signature counts."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from shield.errors import AlreadyExists, Misconfigured


def key_id(public: Ed25519PublicKey) -> str:
    """Return the short name of a key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


@dataclass(frozen=True)
class KeyPair:
    """A new signing key. PEM bytes."""

    key_id: str
    private_pem: bytes
    public_pem: bytes


def generate_key() -> KeyPair:
    """Make an Ed25519 key pair. Nothing is written: see `save_key`."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    return KeyPair(
        key_id(public),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def save_key(pair: KeyPair, private_path: Path, trusted_directory: Path) -> None:
    """Write a signing key (mode 0600) and trust it (`<key id>.pem`; the name is for people).

    Raises:
        AlreadyExists: `private_path` exists. A key is never overwritten: packages are signed by it.
    """
    private_path.parent.mkdir(parents=True, exist_ok=True)
    trusted_directory.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(private_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise AlreadyExists(
            f"There is a signing key at {private_path} already. Move it away to make a new one, "
            "and keep its public half among the trusted keys for as long as its packages are "
            "served."
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pair.private_pem)
    (trusted_directory / f"{pair.key_id}.pem").write_bytes(pair.public_pem)


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key.

    Raises:
        Misconfigured: The file is missing, unreadable, or not an Ed25519 private key in PEM.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(
            f"The signing key {path} cannot be read: {error}. Point SHIELD_SIGNING_KEY to an "
            "Ed25519 private key in PEM, or make one with `shieldctl model keygen`."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(
            f"The signing key {path} is not Ed25519. Make one with `shieldctl model keygen`."
        )
    return key


@dataclass(frozen=True)
class Trust:
    """The public keys whose signatures count, by key id."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def from_directory(cls, directory: Path) -> "Trust":
        """Read every `*.pem` of a directory.

        Raises:
            Misconfigured: No directory, no key in it, or a file that is not an Ed25519 public key.
        """
        files = sorted(directory.glob("*.pem")) if directory.is_dir() else []
        if not files:
            raise Misconfigured(
                f"There is no trusted key in {directory}. Copy the public key (*.pem) of whoever "
                "signs your models there, or point SHIELD_TRUSTED_KEYS to the directory that has "
                "it."
            )
        keys = {}
        for file in files:
            try:
                public = load_pem_public_key(file.read_bytes())
            except (OSError, ValueError, UnsupportedAlgorithm) as error:
                raise Misconfigured(
                    f"The trusted key {file} cannot be read: {error}. Replace it or remove it."
                ) from error
            if not isinstance(public, Ed25519PublicKey):
                raise Misconfigured(
                    f"The trusted key {file} is not Ed25519. Replace it or remove it."
                )
            keys[key_id(public)] = public
        return cls(keys)

    def holds(self, key: str, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` over `message` is by the trusted key `key`."""
        public = self.keys.get(key)
        if public is None:
            return False
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True
