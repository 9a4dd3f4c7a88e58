"""Score corrections by a quick linear model that was fitted on other messages.

scikit-learn takes a second to import, and a week without corrections needs none of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shield.text import normalise

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

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
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=2**18, preprocessor=_prepared
    )
    return vectorizer.transform(texts)


def _prepared(text: str) -> str:
    return normalise(text[:LONGEST]).lower()


def _model() -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10, max_iter=200, class_weight="balanced", solver="liblinear")


def _met(vectors: Any) -> NDArray[np.int32]:
    """Return the columns that any vector uses.

    An n-gram that was never met keeps the weight 0, but a solver that carries it spends its time on
    it: of 2**18 columns a thousand short messages use a tenth.
    """
    columns: NDArray[np.int32] = np.unique(vectors.indices)
    return columns


def out_of_fold(vectors: Any, labels: NDArray[np.int8], seed: int) -> NDArray[np.float64]:
    """Return class probabilities, shape (n, 2), each by a model that has not seen the message."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    met = vectors[:, _met(vectors)]
    probabilities = cross_val_predict(_model(), met, labels, cv=folds, method="predict_proba")
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
    met = _met(known)
    probabilities = _model().fit(known[:, met], labels).predict_proba(asked[:, met])[:, 1]
    return np.asarray(probabilities, dtype=np.float64)
