"""Group near-identical messages into campaigns, in memory that does not grow with their length.

A campaign is a connected component of the graph whose edges join messages that are alike
(`shield.similarity`). Hosts are not compared here: the same words with another link are no other
lesson. Where labels are compared, `hosts_of` stands beside.

Texts are read once, a hundred thousand at a time; of each message 8 bytes stay, and of each
different one 112 more.
"""

import hashlib
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from shield.similarity import ROWS_PER_BAND, SIMILAR, Sketches, form, sketches

ROWS = 48
"""Rows of each sketch that are kept: half of them, since memory is what ten million messages need.
Two messages that are alike to 0.6 meet in some of 16 bands with 98 % chance, to 0.45 with 78 %."""
NEAR = 0.25
"""Likeness from which a message may tell a model the answer to another: more than strangers have,
less than copies. What teaches is this far from what judges."""
_ROWS_PER_PAIR = 2
"""Rows per band where whatever is near must be found: 79 % of what is alike to 0.25."""
_CHUNK = 100_000
_SEED = 20_070_503

# What the fast way below would fold in another way than `form` goes through `form`: other scripts,
# disguises, links, addresses, digits and marks inside words, letters that stand apart.
_NEEDS_FOLDING = (
    r"[^\x20-\x7e]|[$@|_~*]"
    r"|[A-Za-z][0-9]|[0-9][A-Za-z]"
    r"|[A-Za-z0-9][.!-][A-Za-z0-9]"
    r"|://"
    r"|(?:^|[^A-Za-z0-9])[A-Za-z0-9] [A-Za-z0-9] [A-Za-z0-9](?:[^A-Za-z0-9]|$)"
)


_form = lru_cache(maxsize=8192)(form)
"""Words and hosts are asked for one after the other, and a corpus is looked at twice."""


def folded(texts: pl.Series) -> pl.Series:
    """Return the words of each message as `form` does: plain ones all at once."""
    plain = (
        pl.col("text")
        .str.to_lowercase()
        .str.replace_all(r"[^a-z]+", " ")
        .str.replace_all("l", "i", literal=True)
        .str.strip_chars(" ")
    )
    short = pl.col("text").str.len_bytes() <= 5000
    easy = short & ~pl.col("text").str.contains(_NEEDS_FOLDING) & (plain != "")
    table = pl.DataFrame({"text": texts.cast(pl.String)}).with_columns(
        words=pl.when(easy).then(plain)
    )
    hard = table["words"].is_null()
    others = [_form(text).words for text in table.filter(hard)["text"]]
    if not others:
        return table["words"]
    return table["words"].scatter(hard.arg_true(), others)


def hosts_of(texts: pl.Series) -> pl.Series:
    """Return a hash of the hosts of each message, 0 where it has no link."""
    maybe = texts.str.contains(r"[./@\u3002\uff0e]")
    hashed = [_hosts(text) if held else 0 for text, held in zip(texts, maybe, strict=True)]
    return pl.Series("hosts", hashed, dtype=pl.UInt64)


def _hosts(text: str) -> int:
    hosts = _form(text).hosts
    if not hosts:
        return 0
    return int.from_bytes(hashlib.blake2b(" ".join(sorted(hosts)).encode(), digest_size=8).digest())


def campaigns(texts: pl.Series) -> NDArray[np.int64]:
    """Return, for each message, the index of the first message of its campaign.

    Args:
        texts: Shape (n,), strings.

    Returns:
        Shape (n,). `result[i] == i` for the first message of each campaign. The grouping depends on
        the set of messages only through which pairs are similar; the order decides the names.
    """
    count = len(texts)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    keys = np.empty(count, dtype=np.uint64)
    # Equal forms are one campaign at once; only one of each is sketched.
    distinct = _DistinctForms(count)
    for start in range(0, count, _CHUNK):
        forms = folded(texts.slice(start, _CHUNK))
        keys[start : start + _CHUNK] = hashed = forms.hash(_SEED).to_numpy()
        distinct.add(start, forms, hashed)
    roots = _components(distinct.sketches[: distinct.many])
    order = np.argsort(distinct.keys[: distinct.many])
    place = order[np.searchsorted(distinct.keys[: distinct.many], keys, sorter=order)]
    return np.asarray(distinct.first[roots[place]], dtype=np.int64)


def near(texts: pl.Series, others: pl.Series) -> NDArray[np.bool_]:
    """Tell of each message whether it is near any of others; shape (n,).

    Unlike `campaigns`, every pair that shares a band is compared, and nothing follows from a third
    message: made for the few thousand messages that judge beside all that teach.
    """
    is_near = np.zeros(len(texts), dtype=np.bool_)
    if not len(others):
        return is_near
    targets = sketches(folded(others.unique()).to_list(), rows=ROWS)
    for start in range(0, len(texts), _CHUNK):
        here = sketches(folded(texts.slice(start, _CHUNK)).to_list(), rows=ROWS)
        is_near[start : start + len(here)] = _near(here, targets)
    return is_near


def _near(here: Sketches, targets: Sketches) -> NDArray[np.bool_]:
    is_near = np.zeros(len(here), dtype=np.bool_)
    for first in range(0, ROWS, _ROWS_PER_PAIR):
        sought = _band(targets, first, _ROWS_PER_PAIR)
        order = np.argsort(sought, kind="stable")
        sought = sought[order]
        open_ = np.flatnonzero(~is_near)
        keys = _band(here[open_], first, _ROWS_PER_PAIR)
        low, high = np.searchsorted(sought, keys, "left"), np.searchsorted(sought, keys, "right")
        many = high - low
        for start in range(0, len(open_), _CHUNK // 10):
            part = slice(start, start + _CHUNK // 10)
            rows = np.repeat(open_[part], many[part])
            if not rows.size:
                continue
            place = np.arange(rows.size) - np.repeat(np.cumsum(many[part]) - many[part], many[part])
            pairs = order[np.repeat(low[part], many[part]) + place]
            for at in range(0, rows.size, _CHUNK):
                one, other = rows[at : at + _CHUNK], pairs[at : at + _CHUNK]
                alike = np.mean(here[one] == targets[other], axis=1) >= NEAR
                is_near[one[alike]] = True
    return is_near


class _DistinctForms:
    """The different forms so far, in order of first appearance."""

    def __init__(self, most: int) -> None:
        # Room for all; what is never written takes no memory.
        self.keys = np.empty(most, dtype=np.uint64)
        self.first = np.empty(most, dtype=np.int64)
        """The message that each appeared with first."""
        self.sketches = np.empty((most, ROWS), dtype=np.uint16)
        self.many = 0
        self._sorted = np.empty(0, dtype=np.uint64)

    def add(self, start: int, forms: pl.Series, hashed: NDArray[np.uint64]) -> None:
        """Take in the forms of the messages from `start` on."""
        fresh, rows = np.unique(hashed, return_index=True)
        where = np.searchsorted(self._sorted, fresh)
        if self._sorted.size:
            new = self._sorted[np.minimum(where, self._sorted.size - 1)] != fresh
            fresh, rows, where = fresh[new], rows[new], where[new]
        self._sorted = np.insert(self._sorted, where, fresh)
        rows.sort()
        here = slice(self.many, self.many + len(rows))
        self.keys[here], self.first[here] = hashed[rows], start + rows
        # The lower half of each row: 1 in 65,536 is equal by chance.
        self.sketches[here] = sketches(forms.gather(rows).to_list(), rows=ROWS).astype(np.uint16)
        self.many += len(rows)


def _band(sketch_rows: NDArray[np.uint16] | Sketches, first: int, rows: int) -> NDArray[np.uint64]:
    """Return one number for `rows` rows of each sketch, from row `first` on."""
    key = np.zeros(len(sketch_rows), dtype=np.uint64)
    for row in range(first, first + rows):
        key = (key ^ sketch_rows[:, row].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
    return key


def _components(sketch_rows: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return for each row the smallest row that it is connected with.

    One band after the other: what a band connects is one node for the next, so that no list of all
    edges is ever held.
    """
    size = len(sketch_rows)
    names = np.arange(size, dtype=np.int32)
    for first in range(0, ROWS, ROWS_PER_BAND):
        left, right = _similar_pairs(sketch_rows, _band(sketch_rows, first, ROWS_PER_BAND))
        if len(left):
            edges = (np.ones(len(left), dtype=np.int8), (names[left], names[right]))
            _, joined = connected_components(coo_matrix(edges, shape=(size, size)), directed=False)
            names = joined[names]
    _, first_of, inverse = np.unique(names, return_index=True, return_inverse=True)
    return np.asarray(first_of[inverse], dtype=np.int64)


def _similar_pairs(
    sketch_rows: NDArray[np.uint16], keys: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return pairs of rows that agree on a band and are alike."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    # Within a bucket each row is compared with the one before it and with the bucket's first:
    # enough to connect a flood of copies, and linear where all pairs would be quadratic.
    same = keys[order[1:]] == keys[order[:-1]]
    first = np.maximum.accumulate(np.where(np.append(True, ~same), np.arange(len(order)), 0))
    pairs = [(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))]
    for left, right in (
        (order[:-1][same], order[1:][same]),
        (order[first[1:]][same], order[1:][same]),
    ):
        for start in range(0, len(left), _CHUNK):
            one, two = left[start : start + _CHUNK], right[start : start + _CHUNK]
            alike = np.mean(sketch_rows[one] == sketch_rows[two], axis=1) >= SIMILAR
            pairs.append((one[alike], two[alike]))
    lefts, rights = zip(*pairs, strict=True)
    return np.concatenate(lefts), np.concatenate(rights)
