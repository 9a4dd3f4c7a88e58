"""Train the linear baseline: dataset directory in, one safetensors file out."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from components.baseline.going_on import moved
from components.baseline.half import RECIPE, corpus_of, half_of
from components.shared.frozen import frozen
from components.shared.messages import OF_USERS
from shield.errors import Invalid
from shield.linear import Features, LinearModel, Origin, blocks_of
from shield.logistic import logit, probability_of
from shield.metrics import operating_point

log = logging.getLogger(__name__)

LEAST_REACH, MOST_REACH = 160, 400
"""Characters of a window: as many as the median of what teaches, within these. A text message is
one window, a mail several."""
TAUGHT = 0.99
"""Texts longer than this share of what teaches are not read as a whole."""

MOST_ROWS = 60_000
"""More rows than this cost minutes and teach a linear model nothing new: an even, seeded sample is
taken, scams first."""

DECIMALS = 6
"""Of bias and operating point: how many threads sum must not change the bytes."""

PENALTY = 10.0
"""Inverse strength of the L2 penalty, by five-fold cross-validation on the SMS corpus."""


def run(
    dataset: Path,
    model: Path,
    champion: Path | None = None,
    *,
    start: str = "champion",
    fpr_budget: float = 0.01,
    seed: int = 0,
) -> LinearModel:
    """Fit the baseline on `train.parquet` and set its threshold on the frozen messages.

    Args:
        dataset: Directory written by `build_dataset`: `train`, `valid`, `frozen_ham` and, if
            `train` holds only a part of the base corpus, `base` .parquet.
        model: File to write.
        champion: Package to go on from; None, a directory without one, or a linear half that
            `half_of` does not return: it is fitted anew.
        start: As of `train`; with `base` it is fitted anew, whatever the champion.
        fpr_budget: Share of harmless frozen messages that may be flagged.
        seed: Draws the sample where there are more than `MOST_ROWS` messages.

    Raises:
        Invalid: No training messages, or only one class.
        PackageInvalid: The champion's linear half cannot be read.
        PackageCorrupt: It is not the file that its manifest names.
    """
    train = _table(dataset / "train.parquet")
    train = _sample(_with_base(train, dataset / "base.parquet"), seed)
    scam = train["label"].to_numpy() == 1
    if scam.all() or not scam.any():
        raise Invalid(
            f"{dataset / 'train.parquet'} has {int(scam.sum())} scams among {scam.size} messages; "
            "a model can only be trained on both classes. Check the base corpus."
        )
    weights = train["weight"].to_numpy() if "weight" in train.columns else np.ones(scam.size)
    corpus = corpus_of(dataset)
    parent = None if start == "base" else half_of(champion, corpus)
    texts = train["text"].to_list()
    if parent is None:
        fitted = fit(texts, scam, weights)
    else:
        fitted = go_on(parent.model, texts, scam, weights, of_users(train))
    origin = Origin(RECIPE, corpus, "" if parent is None else parent.digest)
    fitted = replace(fitted, origin=origin)
    # On the messages that the version's own operating point is set on.
    ham = frozen(dataset).filter(pl.col("label") == 0)["text"].to_list()
    try:
        fitted = placed(fitted, ham, fpr_budget)
    except ValueError as error:
        # The baseline only advises; a set without ham must not stop the run of the transformer.
        log.warning(json.dumps({"event": "baseline-threshold", "kept": 0.5, "why": str(error)}))
        fitted = replace(fitted, threshold=0.5)
    model.parent.mkdir(parents=True, exist_ok=True)
    fitted.save(model)
    told = {
        "event": "baseline",
        "rows": scam.size,
        "threshold": fitted.threshold,
        **origin._asdict(),
    }
    log.info(json.dumps(told))
    return LinearModel.load(model)


def fit(
    texts: list[str],
    scam: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    features: Features | None = None,
) -> LinearModel:
    """Fit logistic regression on the presence of n-grams; both classes weigh the same in sum.

    Args:
        texts: Messages as scanned.
        scam: Shape (n,). True where the message is a scam; both classes must occur.
        weights: Shape (n,), how much each message counts; 1 each if left out.
        features: What is looked at; the defaults, with windows of the taught length, if left out.
    """
    features = features or _features(texts)
    rows = matrix(texts, features)
    rarity = _rarity(rows)
    # Far more n-grams than messages: in the dual the same optimum takes a sixth of the time.
    regression = LogisticRegression(
        C=PENALTY, solver="liblinear", dual=True, random_state=0, tol=1e-3
    )
    scaled = rows.multiply(rarity).tocsr()
    regression.fit(scaled, scam, sample_weight=_balanced(scam, weights))
    return LinearModel(
        (regression.coef_[0] * rarity).astype(np.float16).astype(np.float32),
        round(float(regression.intercept_[0]), DECIMALS),
        0.5,
        features,
    )


def go_on(
    champion: LinearModel,
    texts: list[str],
    scam: NDArray[np.bool_],
    weights: NDArray[np.float64] | None,
    corrections: NDArray[np.bool_],
) -> LinearModel:
    """Fit from a champion; see `going_on`. The arguments are those of `fit`, beside two.

    Args:
        champion: The model to go on from; texts are read as it reads them.
        texts: Messages as scanned.
        scam: Shape (n,); both classes must occur.
        weights: Shape (n,); None: 1 each.
        corrections: Shape (n,). True where a message is a correction of users.
    """
    rows = matrix(texts, champion.features)
    counts = _balanced(scam, weights, corrections)
    unflagged = corrections & ~scam
    asked = np.flatnonzero(unflagged)
    # As it serves, and as its threshold was set: reading in windows takes time.
    margins = champion.margins([texts[row] for row in asked])
    unflagged[asked] = margins < logit(champion.threshold)
    now = moved(champion, rows, _rarity(rows), scam, counts, corrections, unflagged, PENALTY)
    return replace(now, bias=round(now.bias, DECIMALS))


def placed(model: LinearModel, ham: list[str], budget: float) -> LinearModel:
    """Return a model with its threshold at the operating point.

    Args:
        model: Any threshold.
        ham: Harmless frozen messages.
        budget: Share of them that may be flagged, in (0, 1).

    Raises:
        ValueError: No messages, or a budget outside (0, 1).
    """
    point = round(operating_point(model.margins(ham), budget), DECIMALS)
    threshold = float(np.clip(probability_of(np.array(point)), 1e-9, 1 - 1e-9))
    return replace(model, threshold=threshold)


def of_users(train: pl.DataFrame) -> NDArray[np.bool_]:
    """Return which messages are corrections, shape (n,)."""
    if "source" not in train.columns:
        return np.zeros(train.height, dtype=np.bool_)
    return np.asarray((train["source"] == OF_USERS).fill_null(False).to_numpy(), dtype=np.bool_)


def _balanced(
    scam: NDArray[np.bool_],
    weights: NDArray[np.float64] | None,
    corrections: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return weights under which both classes weigh the same in sum: of all rows, or of the base.

    Thousands of confirmations that pull nowhere must not make a reported scam weigh many times what
    a false alarm does.
    """
    counts: NDArray[np.float64] = np.ones(scam.size)
    if weights is not None:
        counts = weights.astype(np.float64)
    asked = np.ones(scam.size, dtype=np.bool_) if corrections is None else ~corrections
    if not (scam[asked].any() and (~scam[asked]).any()):
        asked[:] = True  # users contradict every base message of a class
    scams, hams = counts[asked & scam].sum(), counts[asked & ~scam].sum()
    factors = np.where(scam, 1 / scams, 1 / hams) * int(asked.sum()) / 2
    return counts * np.asarray(factors, dtype=np.float64)


def _features(texts: list[str]) -> Features:
    """Return the defaults, with windows for texts that are longer than what teaches."""
    lengths = [len(text) for text in texts]
    reach = int(np.clip(np.median(lengths), LEAST_REACH, MOST_REACH))
    return Features(reach=reach, whole=max(reach, int(np.quantile(lengths, TAUGHT))))


def matrix(texts: list[str], features: Features) -> Any:
    """Return the texts as a sparse matrix (n, buckets); each block of a row has unit length."""
    rows = [blocks_of(text, features) for text in texts]
    blocks = [block for row in rows for block in row]
    sizes = np.array([block.size for block in blocks], dtype=np.int64)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    ends = np.cumsum([0, *(sum(block.size for block in row) for row in rows)])
    columns = np.concatenate(blocks) if blocks else np.empty(0, dtype=np.int64)
    return csr_matrix((values, columns, ends), shape=(len(texts), features.buckets))


def _rarity(rows: Any) -> NDArray[np.float64]:
    """Return what each n-gram is multiplied with: more the fewer messages have it, 1 on average.

    The penalty spreads a verdict over all n-grams that could carry it. What half of all messages
    share is the language they are written in; rare words are what they are about. Smoothed inverse
    document frequency (Spärck Jones, 1972). It ends up in the weights: reading a text costs as much
    as before.

    Args:
        rows: Sparse, shape (n, buckets).
    """
    messages = np.bincount(rows.indices, minlength=rows.shape[1])
    rarity = np.log((rows.shape[0] + 1) / (messages + 1)) + 1
    return np.asarray(rarity / rarity[messages > 0].mean(), dtype=np.float64)


def _table(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise Invalid(f"{path} is missing. Run build_dataset first.")
    return pl.read_parquet(path)


def _with_base(train: pl.DataFrame, base: Path) -> pl.DataFrame:
    """Add the base corpus where the training set holds only a rehearsal of it.

    A transformer takes minutes, and is shown a part; a linear model takes seconds and is shown all:
    where it goes on, what the champion has right of it stays so; where it is fitted anew, it has no
    other memory.
    """
    if not base.is_file():
        return train
    both = pl.concat([train, pl.read_parquet(base)], how="diagonal_relaxed")
    return both.unique("text", keep="first", maintain_order=True).with_columns(
        pl.col("weight").fill_null(1.0) if "weight" in both.columns else pl.lit(1.0).alias("weight")
    )


def _sample(train: pl.DataFrame, seed: int) -> pl.DataFrame:
    if train.height <= MOST_ROWS:
        return train
    scams = train.filter(pl.col("label") == 1)
    scams = scams.sample(min(scams.height, MOST_ROWS // 2), seed=seed)
    hams = train.filter(pl.col("label") == 0)
    return pl.concat([scams, hams.sample(min(hams.height, MOST_ROWS - scams.height), seed=seed)])
