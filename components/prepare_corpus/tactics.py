"""Find the tactics among scams: what they are after, as clusters of meaning.

Clusters of words would be torn apart by what all scams share (numbers, "free", "call now");
clusters of sentence embeddings follow what is offered: prizes, ring tones, dating, loans.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shield.errors import Invalid

CLUSTERS = 8
LEAST_SCAMS = 10 * CLUSTERS
_FPR = 0.01
_RIDGE = 0.01
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Tactic:
    """A cluster of scams."""

    name: str
    """Its three most telling words, e.g. `chat-dating-sexy`."""
    words: list[str]
    count: int


def find_tactics(texts: list[str], vectors: Vectors, seed: int) -> tuple[list[str], list[Tactic]]:
    """Cluster scams into tactics.

    Args:
        texts: The scams, shape (n,).
        vectors: Their embeddings, shape (n, d), rows of unit length.
        seed: Of k-means.

    Returns:
        The tactic's name of each scam, and the tactics, largest first.

    Raises:
        Invalid: Fewer than `LEAST_SCAMS` scams: clusters would be accidents.
    """
    if len(texts) < LEAST_SCAMS:
        raise Invalid(
            f"{len(texts)} scams are too few to find tactics in; {LEAST_SCAMS} are needed. Add "
            "labelled messages, or hold no tactic back."
        )
    from sklearn.cluster import KMeans  # a second to import, for held-back tactics alone

    labels = KMeans(CLUSTERS, random_state=seed, n_init=5).fit(vectors).labels_
    words = _telling_words(texts, labels)
    names = ["-".join(words[cluster][:3]) for cluster in range(CLUSTERS)]
    tactics = [
        Tactic(names[cluster], words[cluster], int(np.sum(labels == cluster)))
        for cluster in range(CLUSTERS)
    ]
    return [names[label] for label in labels], sorted(tactics, key=lambda each: -each.count)


def hardest_tactics(
    tactics: NDArray[np.str_], scams: Vectors, hams: Vectors, share: float
) -> list[str]:
    """Return the tactics that a filter which has never seen them misses most.

    They are added one by one, each time the one whose absence from training costs most recall
    at 1 % false positives (by a linear model on the embeddings), until they hold `share` of the
    scams.

    Args:
        tactics: Name of each scam's tactic, shape (n,).
        scams: Embeddings, shape (n, d).
        hams: Embeddings, shape (m, d); the second half only sets the threshold.
        share: Of all scams, at least this many are held back.
    """
    held: list[str] = []
    while np.mean(np.isin(tactics, held)) < share:
        left = sorted(set(tactics.tolist()) - set(held))
        if len(left) <= 1:
            break
        # By name where two cost the same, so that the choice does not hang on a set's order.
        held.append(
            min(left, key=lambda name: (_unseen_recall([*held, name], tactics, scams, hams), name))
        )
    return held


def _unseen_recall(
    held: list[str], tactics: NDArray[np.str_], scams: Vectors, hams: Vectors
) -> float:
    unseen = np.isin(tactics, held)
    half = len(hams) // 2
    direction = _ridge(scams[~unseen], hams[:half])
    limit = np.quantile(hams[half:] @ direction, 1 - _FPR)
    return float(np.mean(scams[unseen] @ direction > limit))


def _ridge(scams: Vectors, hams: Vectors) -> Vectors:
    """Return the direction that tells scams from hams best in the least-squares sense.

    In closed form: dozens of these are asked for, and each must cost milliseconds.
    """
    spread = scams.T @ scams / len(scams) + hams.T @ hams / len(hams)
    aim = scams.mean(axis=0) - hams.mean(axis=0)
    solved = np.linalg.solve(spread + _RIDGE * np.eye(len(aim), dtype=np.float32), aim)
    return solved.astype(np.float32)


def _telling_words(texts: list[str], labels: NDArray[np.int32]) -> list[list[str]]:
    """Return five words per cluster that are frequent in it and rare in the others."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    clusters = [
        " ".join(text for text, label in zip(texts, labels, strict=True) if label == cluster)
        for cluster in range(CLUSTERS)
    ]
    vectorizer = TfidfVectorizer(
        stop_words=list(ENGLISH_STOP_WORDS), sublinear_tf=True, token_pattern=r"(?u)\b[a-z]{3,}\b"
    )
    scores = vectorizer.fit_transform(clusters).toarray()
    vocabulary = vectorizer.get_feature_names_out()
    return [
        [str(vocabulary[place]) for place in np.argsort(-row, kind="stable")[:5]] for row in scores
    ]


def campaign_heads(table: pl.DataFrame) -> pl.DataFrame:
    """Return one message per campaign: a flood of copies must not become a tactic by its size."""
    return table.unique("campaign", keep="first", maintain_order=True)
