"""Content addressing above a store."""

from pathlib import Path

import pytest

from shield.artifacts.content import digest_of, fetch_verified, put_file
from shield.artifacts.directory import DirectoryStore
from shield.errors import ArtifactCorrupt, NotFound, PackageCorrupt

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def test_a_file_is_named_by_its_digest(store: DirectoryStore, tmp_path: Path) -> None:
    stored = put_file(store, "batches/sms", b"abc", ".parquet")
    assert stored == (f"batches/sms/{ABC}.parquet", f"sha256:{ABC}", 3)
    (tmp_path / "abc").write_bytes(b"abc")
    assert put_file(store, "batches/sms", tmp_path / "abc", ".parquet") == stored
    assert digest_of(b"abc") == stored.digest


def test_a_flipped_byte_is_corrupt_and_reaches_nobody(
    store: DirectoryStore, tmp_path: Path
) -> None:
    stored = put_file(store, "batches/sms", b"abc")
    store.put(stored.key, b"abd", overwrite=True)
    target = tmp_path / "cache" / "file"
    with pytest.raises(ArtifactCorrupt, match="Refusing to use it"):
        fetch_verified(store, stored.key, target, stored.digest)
    with pytest.raises(PackageCorrupt):
        fetch_verified(store, stored.key, target, stored.digest, corrupt=PackageCorrupt)
    assert not list(target.parent.iterdir())


def test_a_cached_file_is_kept_and_a_damaged_one_replaced(
    store: DirectoryStore, tmp_path: Path
) -> None:
    stored = put_file(store, "batches/sms", b"abc")
    target = fetch_verified(store, stored.key, tmp_path / "cache", stored.digest)
    target.write_bytes(b"damaged")
    assert fetch_verified(store, stored.key, target, stored.digest).read_bytes() == b"abc"
    store.delete(stored.key)
    assert fetch_verified(store, stored.key, target, stored.digest).read_bytes() == b"abc"
    target.unlink()
    with pytest.raises(NotFound):
        fetch_verified(store, stored.key, target, stored.digest)
