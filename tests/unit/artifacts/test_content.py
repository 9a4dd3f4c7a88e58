"""Content addressing above a store."""

from pathlib import Path

import pytest

from shield.artifacts.content import digest_of, fetch_tree, fetch_verified, put_file, put_tree
from shield.artifacts.directory import DirectoryStore
from shield.errors import AlreadyExists, ArtifactCorrupt, Invalid, NotFound, PackageCorrupt

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "sub").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "model.onnx").write_bytes(b"abc")
    (folder / "sub" / "card.md").write_text("# Card")
    return folder


def test_a_file_is_named_by_its_digest(store: DirectoryStore, tmp_path: Path) -> None:
    stored = put_file(store, "batches/sms", b"abc", ".parquet")
    assert stored == (f"batches/sms/{ABC}.parquet", f"sha256:{ABC}", 3)
    (tmp_path / "abc").write_bytes(b"abc")
    assert put_file(store, "batches/sms", tmp_path / "abc", ".parquet") == stored
    assert digest_of(b"abc") == stored.digest


def test_a_tree_comes_back_as_it_was(store: DirectoryStore, tree: Path, tmp_path: Path) -> None:
    files = put_tree(store, "packages/sms/x", tree)
    assert list(files) == ["manifest.json", "model.onnx", "sub/card.md"]
    back = fetch_tree(store, "packages/sms/x", tmp_path / "back", files)
    assert (back / "sub" / "card.md").read_text() == "# Card"


def test_the_last_file_is_written_after_all_others(store: DirectoryStore, tree: Path) -> None:
    store.put("p/model.onnx", b"somebody else's")
    with pytest.raises(AlreadyExists):
        put_tree(store, "p", tree, last="manifest.json")
    assert not store.exists("p/manifest.json")


def test_a_tree_with_a_link_is_refused(store: DirectoryStore, tree: Path) -> None:
    (tree / "link").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="no plain file"):
        put_tree(store, "p", tree)
    assert list(store.list()) == []


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
