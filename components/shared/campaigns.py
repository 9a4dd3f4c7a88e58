"""Group near-identical messages into campaigns, in memory that does not grow with their length.

A campaign is a connected component of the graph whose edges join messages that share at least
`SIMILARITY` of their word pairs. Edges are found by MinHash signatures cut into bands (messages
that agree on a whole band are compared), so the work is near linear in the number of messages.

Texts are read once, a hundred thousand at a time; of each message 8 bytes stay, and of each
different one 112 more.

Source: Broder, "On the resemblance and containment of documents" (1997); banding as in Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

PERMUTATIONS = 32
ROWS_PER_BAND = 4
"""8 bands of 4 rows: two messages of Jaccard similarity 0.7 meet in some band with 89 % chance, of
0.8 with 98 %, of 0.3 with 6 %; the comparison that follows drops the latter."""
SIMILARITY = 0.6
"""Share of equal signature rows from which two messages are one campaign. 0.6 joins a prize message
with its copies of another number, prize and reply code, and keeps short greetings apart."""
_CHUNK = 100_000
_SEED = 20_070_503


def normal_form(text: pl.Expr) -> pl.Expr:
    """Fold what a scammer changes between two copies: case, digits, punctuation and spacing."""
    return (
        text.str.to_lowercase()
        .str.replace_all(r"https?://\S+|www\.\S+", " url ")
        .str.replace_all(r"\d+", "0")
        .str.replace_all(r"[^\p{L}\p{N} ]+", " ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


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
    # Equal normal forms are one campaign at once; only one of each goes through MinHash.
    distinct = _DistinctForms(count)
    for start in range(0, count, _CHUNK):
        forms = _forms(texts.slice(start, _CHUNK))
        keys[start : start + _CHUNK] = hashed = forms.hash(_SEED).to_numpy()
        distinct.add(start, forms, hashed)
    roots = _components(distinct.signatures[: distinct.many], distinct.bands[:, : distinct.many])
    order = np.argsort(distinct.keys[: distinct.many])
    place = order[np.searchsorted(distinct.keys[: distinct.many], keys, sorter=order)]
    return np.asarray(distinct.first[roots[place]], dtype=np.int64)


def _forms(texts: pl.Series) -> pl.Series:
    texts = texts.cast(pl.String)
    form = normal_form(pl.col("text"))
    # A message without a single letter or digit (emoji only) is like nothing but itself.
    own = pl.when(form == "").then(pl.lit("\x00") + pl.col("text")).otherwise(form)
    return pl.DataFrame({"text": texts}).select(form=own).to_series()


class _DistinctForms:
    """The different normal forms so far, in order of first appearance."""

    def __init__(self, most: int) -> None:
        # Room for all; what is never written takes no memory.
        self.keys = np.empty(most, dtype=np.uint64)
        self.first = np.empty(most, dtype=np.int64)
        """The message that each appeared with first."""
        self.signatures = np.empty((most, PERMUTATIONS), dtype=np.uint16)
        self.bands = np.empty((PERMUTATIONS // ROWS_PER_BAND, most), dtype=np.uint32)
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
        whole = _signatures(forms.gather(rows))
        self.signatures[here] = whole  # the lower half of each: 1 in 65,536 is equal by chance
        for band in range(len(self.bands)):
            key = np.zeros(len(rows), dtype=np.uint64)
            for column in whole.T[band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND]:
                key = (key ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
            self.bands[band, here] = key ^ (key >> np.uint64(32))
        self.many += len(rows)


def _signatures(forms: pl.Series) -> NDArray[np.uint32]:
    """Return MinHash signatures, shape (n, PERMUTATIONS), of the word pairs of each form."""
    rng = np.random.default_rng(_SEED)
    odd = rng.integers(1, 2**63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    shift = rng.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    signature = np.empty((len(forms), PERMUTATIONS), dtype=np.uint32)
    if not len(forms):
        return signature
    words = forms.str.split(" ")
    lengths = words.list.len().to_numpy().astype(np.int64)
    hashed = words.explode(empty_as_null=True, keep_nulls=True).hash(_SEED).to_numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    # Pair each word with its follower; the last word of a message pairs with itself, so that a
    # message of one word has a pair too.
    follower = np.append(hashed[1:], hashed[-1:])
    ends = starts + lengths - 1
    follower[ends] = hashed[ends]
    pairs = hashed * np.uint64(0x9E3779B97F4A7C15) ^ follower
    for column in range(PERMUTATIONS):
        mixed = (pairs * odd[column] + shift[column]) >> np.uint64(32)
        signature[:, column] = np.minimum.reduceat(mixed, starts)
    return signature


def _components(signatures: NDArray[np.uint16], bands: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return for each row the smallest row that it is connected with.

    One band after the other: what a band connects is one node for the next, so that no list of all
    edges is ever held.
    """
    size = len(signatures)
    names = np.arange(size, dtype=np.int32)
    for keys in bands:
        left, right = _similar_pairs(signatures, keys)
        if len(left):
            edges = (np.ones(len(left), dtype=np.int8), (names[left], names[right]))
            _, joined = connected_components(coo_matrix(edges, shape=(size, size)), directed=False)
            names = joined[names]
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def _similar_pairs(
    signatures: NDArray[np.uint16], keys: NDArray[np.uint32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return pairs of rows that agree on a band and on enough of their signature."""
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
            alike = np.mean(signatures[one] == signatures[two], axis=1) >= SIMILARITY
            pairs.append((one[alike], two[alike]))
    lefts, rights = zip(*pairs, strict=True)
    return np.concatenate(lefts), np.concatenate(rights)
