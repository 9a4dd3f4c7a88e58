"""A second opinion on corrections: a quick linear model, fitted on whatever is not in doubt."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from shield.text import normalise

MOST_CHECKED = 20_000
"""Corrections that are looked at in one run, newest first. What is older has been looked at in the
run that first learned it, and by every gate since."""
MOST_BASE = 4000
"""Base messages that the opinion is formed on; more cost seconds and change no verdict."""
LONGEST = 2000
"""Characters that are read: the start tells a scam, and 100 kB must not cost seconds."""
FOLDS = 4


def vectors_of(texts: Sequence[str]) -> Any:
    """Return character n-grams of each text, sparse, shape (n, 2**18)."""
    vectorizer = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=2**18, preprocessor=_prepared
    )
    return vectorizer.transform(texts)


def _prepared(text: str) -> str:
    return normalise(text[:LONGEST]).lower()


def _model() -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=200, class_weight="balanced", solver="liblinear")


def out_of_fold(vectors: Any, labels: NDArray[np.int8], seed: int) -> NDArray[np.float64]:
    """Return class probabilities, shape (n, 2), each by a model that has not seen the message."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    probabilities = cross_val_predict(_model(), vectors, labels, cv=folds, method="predict_proba")
    return np.asarray(probabilities, dtype=np.float64)


def scam_probabilities(
    known: Any, labels: NDArray[np.int8], asked: Any
) -> NDArray[np.float64] | None:
    """Return what a model fitted on `known` says of `asked`, shape (n,); None for want of a class.

    Args:
        known: Vectors of messages that are taken for true.
        labels: Theirs, 1 = scam.
        asked: Vectors of the messages in question.
    """
    if np.bincount(labels, minlength=2).min() == 0:
        return None
    probabilities = _model().fit(known, labels).predict_proba(asked)[:, 1]
    return np.asarray(probabilities, dtype=np.float64)
