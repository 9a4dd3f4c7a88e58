"""What only a directory can suffer: full disks, links, half-written files."""

import subprocess
import sys
from pathlib import Path

import pytest

from shield.artifacts.directory import DirectoryStore
from shield.errors import Invalid, Misconfigured

FULL_DISK = """
import resource, sys
from pathlib import Path
from shield.artifacts.directory import DirectoryStore
from shield.errors import Unavailable

store = DirectoryStore(Path(sys.argv[1]))
store.put("big", Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for attempt in (
    lambda: store.put("another", b"x" * 1_000_000),
    lambda: store.put("big", b"x" * 1_000_000, overwrite=True),
    lambda: store.fetch("big", Path(sys.argv[1]) / "copy"),
):
    try:
        attempt()
    except Unavailable as error:
        print(error)
"""


def test_a_full_disk_is_unavailable_with_the_cure_and_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"y" * 300_000)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "store"), str(source)],
        capture_output=True,
        text=True,
        check=True,
    )
    messages = done.stdout.splitlines()
    assert len(messages) == 3
    assert all("No room left" in message and "Free some space" in message for message in messages)
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert [(path.name, path.stat().st_size) for path in files] == [("big", 300_000)]


def test_a_symbolic_link_does_not_lead_out_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "store"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    store = DirectoryStore(root)
    with pytest.raises(Invalid, match="leads out of"):
        store.get("link/secret")
    with pytest.raises(Invalid, match="leads out of"):
        store.put("link/planted", b"x")


def test_an_object_is_never_the_folder_of_others(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put("a", b"1")
    store.put("b/c", b"2")
    for key in ("a/b", "b"):
        with pytest.raises(Invalid, match="cannot be the folder of others"):
            store.put(key, b"3")


def test_a_half_written_file_is_not_an_object(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put("a/b", b"1")
    (tmp_path / "a" / ".0123.part").write_bytes(b"half")
    assert list(store.list()) == ["a/b"]


def test_a_root_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((Misconfigured, Invalid)):
        DirectoryStore(tmp_path / "file").put("a", b"1")
