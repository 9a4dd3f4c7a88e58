"""Finds what is left of words, in every byte of a folder and of an artifact store."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from shield.artifacts import ArtifactStore


def in_files(folder: Path, words: Iterable[bytes]) -> list[str]:
    """Return `file: word` for each word in a file below `folder`, packed ones unpacked."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return _found(((str(path), path.read_bytes()) for path in files), list(words))


def in_store(store: ArtifactStore, words: Iterable[bytes]) -> list[str]:
    """Return `key: word` for each word in an object."""
    return _found(((key, store.get(key)) for key in list(store.list(""))), list(words))


def _found(contents: Iterator[tuple[str, bytes]], words: list[bytes]) -> list[str]:
    return [
        f"{name}: {word!r}"
        for name, content in contents
        for plain in _unpacked(content)
        for word in words
        if word in plain or word.decode("latin-1").encode("utf-16-le") in plain
    ]


def _unpacked(content: bytes) -> Iterator[bytes]:
    yield content
    if content.startswith(b"PAR1"):
        yield str(pl.read_parquet(io.BytesIO(content)).to_dicts()).encode()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield packed.read(name)
