"""Group near-identical messages into campaigns, in memory that does not grow with their length.

A campaign is a connected component of the graph whose edges join messages that share at least
`SIMILARITY` of their word pairs. Edges are found by MinHash signatures cut into bands (messages
that
agree on a whole band are compared), so the work is near linear in the number of messages.

Source: Broder, "On the resemblance and containment of documents" (1997); banding as in Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

PERMUTATIONS = 32
ROWS_PER_BAND = 4
"""8 bands of 4 rows: two messages of Jaccard similarity 0.7 meet in some band with 89 % chance,
of 0.8
with 98 %, of 0.3 with 6 %; the comparison that follows drops the latter."""
SIMILARITY = 0.6
"""Share of equal signature rows from which two messages are one campaign. 0.6 joins a prize
message with
its copies of another number, prize and reply code, and keeps short greetings apart."""
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
    # Equal normal forms are one campaign at once; only one of each goes through MinHash.
    forms = pl.select(normal_form(pl.lit(texts.cast(pl.String))).alias("form")).to_series()
    frame = pl.DataFrame({"form": forms, "index": np.arange(count)})
    frame = frame.with_columns(
        # A message without a single letter or digit (emoji only) is like nothing but itself.
        pl.when(pl.col("form") == "")
        .then(pl.lit("\x00") + texts.cast(pl.String))
        .otherwise(pl.col("form"))
        .alias("form")
    )
    distinct = frame.group_by("form", maintain_order=True).agg(pl.col("index").min())
    signatures = np.concatenate(list(_signatures(distinct["form"])))
    roots = _components(signatures)
    first = distinct["index"].to_numpy()
    # Roots are the smallest member, and `distinct` is in order of first appearance.
    named = pl.DataFrame({"form": distinct["form"], "root": first[roots]})
    joined = frame.join(named, on="form", how="left", maintain_order="left")
    return joined["root"].to_numpy().astype(np.int64)


def _signatures(forms: pl.Series) -> Iterator[NDArray[np.uint32]]:
    """Yield MinHash signatures, shape (chunk, PERMUTATIONS), of the word pairs of each form."""
    rng = np.random.default_rng(_SEED)
    odd = rng.integers(1, 2**63, PERMUTATIONS, dtype=np.uint64) | np.uint64(1)
    shift = rng.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    for start in range(0, len(forms), _CHUNK):
        words = forms.slice(start, _CHUNK).str.split(" ")
        lengths = words.list.len().to_numpy().astype(np.int64)
        hashed = words.explode(empty_as_null=True, keep_nulls=True).hash(_SEED).to_numpy()
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        # Pair each word with its follower; the last word of a message pairs with itself, so that a
        # message of one word has a pair too.
        follower = np.append(hashed[1:], hashed[-1:])
        ends = starts + lengths - 1
        follower[ends] = hashed[ends]
        pairs = hashed * np.uint64(0x9E3779B97F4A7C15) ^ follower
        signature = np.empty((len(lengths), PERMUTATIONS), dtype=np.uint32)
        for column in range(PERMUTATIONS):
            mixed = (pairs * odd[column] + shift[column]) >> np.uint64(32)
            signature[:, column] = np.minimum.reduceat(mixed, starts)
        yield signature


def _components(signatures: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return for each row the smallest row that it is connected with."""
    nobody = np.empty(0, dtype=np.int32)
    found = [(nobody, nobody), *_similar_pairs(signatures)]
    left, right = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    del found
    size = len(signatures)
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, names = connected_components(graph, directed=False)
    _, first = np.unique(names, return_index=True)
    return np.asarray(first[names], dtype=np.int64)


def _similar_pairs(
    signatures: NDArray[np.uint32],
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield pairs of rows that share a band and enough of their signature, as two arrays."""
    for band in range(0, PERMUTATIONS, ROWS_PER_BAND):
        columns = signatures[:, band : band + ROWS_PER_BAND]
        key = np.zeros(len(columns), dtype=np.uint64)
        for column in columns.T:
            key = (key ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
        order = np.argsort(key, kind="stable").astype(np.int32)
        # Within a bucket each row is compared with the one before it and with the bucket's first:
        # enough to connect a flood of copies, and linear where all pairs would be quadratic.
        same = key[order[1:]] == key[order[:-1]]
        first = np.maximum.accumulate(np.where(np.append(True, ~same), np.arange(len(order)), 0))
        for left, right in (
            (order[:-1][same], order[1:][same]),
            (order[first[1:]][same], order[1:][same]),
        ):
            for start in range(0, len(left), _CHUNK):
                one, two = left[start : start + _CHUNK], right[start : start + _CHUNK]
                alike = np.mean(signatures[one] == signatures[two], axis=1) >= SIMILARITY
                yield one[alike], two[alike]
