"""What every `ArtifactStore` promises, on a directory and on a real S3."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from shield.artifacts import ArtifactStore
from shield.artifacts.opening import open_store
from shield.errors import AlreadyExists, Invalid, NotFound, ShieldError
from tests.support.s3 import S3Server


@pytest.fixture(params=["directory", "s3", "s3 with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "directory":
        return open_store(tmp_path / "artifacts")
    server: S3Server = request.getfixturevalue("s3_server")
    prefix = "/deep/er" if "prefix" in request.param else ""
    return open_store(f"s3://{server.new_bucket()}{prefix}", server.settings())


def test_what_was_put_is_got(store: ArtifactStore, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 40_000)
    store.put("packages/sms/a/manifest.json", b"{}")
    store.put("packages/sms/a/model.onnx", big)
    store.put("empty", b"")
    assert store.get("packages/sms/a/manifest.json") == b"{}"
    assert store.get("packages/sms/a/model.onnx") == big.read_bytes()
    assert store.get("empty") == b""


def test_fetch_writes_a_file_in_a_new_folder(store: ArtifactStore, tmp_path: Path) -> None:
    store.put("a", b"some bytes")
    target = tmp_path / "new" / "folder" / "file"
    assert store.fetch("a", target) == target
    assert target.read_bytes() == b"some bytes"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_fetch_replaces_what_was_there(store: ArtifactStore, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old and longer")
    store.put("a", b"new")
    assert store.fetch("a", target).read_bytes() == b"new"


@pytest.mark.parametrize("key", ["nothing", "nothing/here", "a/b", "folder"])
def test_a_missing_object_is_not_found_and_leaves_no_file(
    store: ArtifactStore, tmp_path: Path, key: str
) -> None:
    store.put("a", b"an object, so that a/b is below an object")
    store.put("folder/object", b"1")
    with pytest.raises(NotFound, match=key):
        store.get(key)
    with pytest.raises(NotFound, match=key):
        store.fetch(key, tmp_path / "out" / "file")
    assert not (tmp_path / "out" / "file").exists()
    assert not store.exists(key)


def test_an_object_is_immutable(store: ArtifactStore) -> None:
    store.put("a", b"first")
    with pytest.raises(AlreadyExists, match="'a'"):
        store.put("a", b"second")
    assert store.get("a") == b"first"


def test_the_same_bytes_again_are_no_error(store: ArtifactStore, tmp_path: Path) -> None:
    store.put("a", b"first")
    store.put("a", b"first")
    same = tmp_path / "same"
    same.write_bytes(b"first")
    store.put("a", same)
    assert store.get("a") == b"first"


def test_overwrite_replaces(store: ArtifactStore) -> None:
    store.put("a", b"first")
    store.put("a", b"second", overwrite=True)
    store.put("b", b"new", overwrite=True)
    assert (store.get("a"), store.get("b")) == (b"second", b"new")
    with pytest.raises(AlreadyExists):
        store.put("a", b"first")


def test_of_many_writers_at_once_exactly_one_wins(store: ArtifactStore) -> None:
    def attempt(number: int) -> bool:
        try:
            store.put("contested", b"writer %d" % number)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(16)))
    assert won.count(True) == 1
    assert store.get("contested") == b"writer %d" % won.index(True)


def test_a_reader_sees_the_old_or_the_new_object_but_never_a_part(store: ArtifactStore) -> None:
    versions = [letter * 300_000 for letter in (b"a", b"b")]
    store.put("hot", versions[0])
    with ThreadPoolExecutor(1) as pool:

        def rewrite() -> None:
            for number in range(30):
                store.put("hot", versions[number % 2], overwrite=True)

        writing = pool.submit(rewrite)
        while not writing.done():
            assert store.get("hot") in versions
        writing.result()


def test_list_is_sorted_and_takes_any_leading_part(store: ArtifactStore) -> None:
    keys = ["b/2", "b/10", "b-1/x", "a", "b/c/d", "ü", "b/Z"]
    for key in keys:
        store.put(key, key.encode())
    assert list(store.list()) == sorted(keys, key=str.encode)
    assert list(store.list("b/")) == ["b/10", "b/2", "b/Z", "b/c/d"]
    assert list(store.list("b")) == ["b-1/x", "b/10", "b/2", "b/Z", "b/c/d"]
    assert list(store.list("b/c/")) == ["b/c/d"]
    assert list(store.list("nothing/")) == []


def test_list_goes_on_past_one_page(store: ArtifactStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"many/{number:04}", b""), range(1005)))
    assert len(list(store.list("many/"))) == 1005


def test_exists_tells_an_object_from_a_leading_part_of_one(store: ArtifactStore) -> None:
    store.put("packages/sms", b"1")
    assert store.exists("packages/sms")
    assert not store.exists("packages/sm")
    assert not store.exists("packages")


def test_delete_removes_and_may_be_repeated(store: ArtifactStore) -> None:
    store.put("a/b", b"1")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/was")
    store.delete("a")
    assert not store.exists("a/b")
    assert list(store.list()) == []
    store.put("a/b", b"2")
    assert store.get("a/b") == b"2"


@pytest.mark.parametrize(
    "key",
    [
        *["", "/etc/passwd", "../up", "a/../../up", "a/./b", "a//b", "a/", ".", ".hidden"],
        *["a\\b", "a\0b", "a\nb", "x" * 1025, "x" * 256],
    ],
)
def test_a_key_that_could_leave_the_store_is_refused(
    store: ArtifactStore, tmp_path: Path, key: str
) -> None:
    calls: list[Callable[[], object]] = [
        partial(store.put, key, b"x"),
        lambda: store.get(key),
        lambda: store.fetch(key, tmp_path / "file"),
        lambda: store.exists(key),
        partial(store.delete, key),
    ]
    for call in calls:
        with pytest.raises(Invalid, match="cannot be an artifact's key"):
            call()


@pytest.mark.parametrize("prefix", ["../", "/", "a/../", ".."])
def test_a_prefix_that_could_leave_the_store_is_refused(store: ArtifactStore, prefix: str) -> None:
    with pytest.raises(Invalid):
        list(store.list(prefix))


def test_every_error_names_the_store_or_the_key_and_is_ours(store: ArtifactStore) -> None:
    with pytest.raises(ShieldError) as caught:
        store.get("packages/sms/absent")
    assert "packages/sms/absent" in str(caught.value)
    assert "SHIELD_ARTIFACTS_ROOT" in str(caught.value)
