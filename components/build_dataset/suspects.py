"""Find corrections whose label is probably wrong, and set them aside for a person to look at."""

import numpy as np
import polars as pl
from cleanlab.rank import get_self_confidence_for_each_label
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

SURELY_WRONG = 0.02
"""A correction is doubted when a model that has not seen it gives its label less than this. New
tactics look like harmless messages at first: a milder limit would throw out the lesson itself."""
TRUSTED = 0.8
"""Nobody's correction with more trust than this is doubted by a machine."""
_FOLDS = 4
_MOST_BASE = 4000


def suspects(
    corrections: pl.DataFrame, base: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (corrections to learn from, those set aside with a column `why`).

    Confident learning (Northcutt, Jiang and Chuang, 2021) by cleanlab, on out-of-fold probabilities
    of a linear model over base corpus and corrections together.
    """
    listed = corrections.select("id", "text", "label").clear().with_columns(why=pl.lit(""))
    base = base.sample(min(_MOST_BASE, base.height), seed=seed, shuffle=True)
    labels = np.concatenate([corrections["label"].to_numpy(), base["label"].to_numpy()])
    if corrections.height == 0 or np.bincount(labels, minlength=2).min() < _FOLDS:
        return corrections, listed
    texts = [*corrections["text"], *base["text"]]
    vectors = HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=2**18, lowercase=True
    ).transform(texts)
    model = LogisticRegression(C=10, max_iter=200, class_weight="balanced", solver="liblinear")
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    probabilities = cross_val_predict(model, vectors, labels, cv=folds, method="predict_proba")
    confidence = get_self_confidence_for_each_label(labels, probabilities)[: corrections.height]
    doubted = (confidence < SURELY_WRONG) & (corrections["trust"].to_numpy() < TRUSTED)
    marks = pl.Series(doubted, dtype=pl.Boolean)
    why = "probably a wrong label: a model that has not seen it is sure of the opposite"
    aside = corrections.filter(marks).select("id", "text", "label", why=pl.lit(why))
    return corrections.filter(~marks), aside
