"""Find corrections whose label is probably wrong, and set them aside for a person to look at.

Two questions, by one opinion that has not seen the message in question: is this label surely wrong,
and is there a reporter whose corrections are wrong far oftener than those of the others?
"""

import numpy as np
import polars as pl

from components.build_dataset.opinion import FOLDS, MOST_BASE, MOST_CHECKED, out_of_fold, vectors_of

SURELY_WRONG = 0.02
"""A correction is doubted when a model that has not seen it gives its label less than this. New
tactics look like harmless messages at first: a milder limit would throw out the lesson itself."""
TRUSTED = 0.8
"""Nobody's correction with more trust than this is doubted by a machine."""
LEAST_OF_REPORTER = 5
"""Corrections of one reporter from which anything can be said of them."""
CHANCE = 0.001
"""Chance of doubting any honest reporter at all, in one run, if errors fell evenly."""
LEAST_SHARE = 0.5
"""A reporter is doubted only when this share of their corrections speaks against them, however
surely that is more than the others'."""
WRONG_LABEL = "probably a wrong label: a model that has not seen it is sure of the opposite"
WRONG_REPORTER = "its reporter contradicts the others and the corpus too often"


def suspects(
    corrections: pl.DataFrame, base: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (corrections to learn from, those set aside with a column `why`).

    Self-confidence of confident learning (Northcutt, Jiang and Chuang, 2021): the probability that
    a linear model over base corpus and corrections together, out of fold, gives to the label.
    """
    listed = corrections.select("id", "text", "label").clear().with_columns(why=pl.lit(""))
    base = base.sample(min(MOST_BASE, base.height), seed=seed, shuffle=True)
    checked = newest(corrections, MOST_CHECKED)
    labels = np.concatenate([checked["label"].to_numpy(), base["label"].to_numpy()])
    if checked.height == 0 or np.bincount(labels, minlength=2).min() < FOLDS:
        return corrections, listed
    vectors = vectors_of([*checked["text"], *base["text"]])
    probabilities = out_of_fold(vectors, labels, seed)
    confidence = probabilities[np.arange(labels.size), labels]
    checked = checked.with_columns(confidence=pl.Series(confidence[: checked.height]))
    liars = unreliable(checked)
    doubted = checked.filter(pl.col("trust") < TRUSTED).select(
        "id",
        "batch",
        "text",
        "label",
        why=pl.when(pl.col("reporter").is_in(liars))
        .then(pl.lit(WRONG_REPORTER))
        .when(pl.col("confidence") < SURELY_WRONG)
        .then(pl.lit(WRONG_LABEL)),
    )
    doubted = doubted.filter(pl.col("why").is_not_null())
    kept = corrections.join(doubted, on=["id", "batch"], how="anti", maintain_order="left")
    return kept, doubted.select("id", "text", "label", "why")


def newest(corrections: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return at most so many corrections, the newest, in their order."""
    if corrections.height <= most:
        return corrections
    order = corrections.select("approved_at", "id").with_row_index("row")
    last = order.sort("approved_at", "id", nulls_last=False).tail(most)["row"]
    return corrections[last]


def unreliable(checked: pl.DataFrame) -> list[str]:
    """Return the reporters whose labels an unbiased opinion contradicts far oftener than others'.

    Every correction says that a model was wrong, so all reporters are contradicted now and then; a
    liar is contradicted where the other reporters and the corpus agree.

    Args:
        checked: Columns `reporter` and `confidence`, the out-of-fold probability of the label that
            was given.
    """
    known = checked.filter(pl.col("reporter") != "")
    against = (pl.col("confidence") < 0.5).sum()
    return far_oftener(known.group_by("reporter").agg(many=pl.len(), against=against))


def far_oftener(each: pl.DataFrame) -> list[str]:
    """Return the reporters who are contradicted far oftener than the others.

    Each is held against the rest by a one-sided binomial test, at `CHANCE` over all together.

    Args:
        each: One row per reporter: `reporter`, `many` (corrections that were looked at) and
            `against` (how many of them were contradicted).
    """
    if each.height < 2:
        return []
    from scipy.stats import binom

    each = each.sort("reporter")
    many, against = each["many"].to_numpy(), each["against"].to_numpy()
    # One in ten of an honest reporter's corrections may be new to the opinion; and liars among the
    # others must not make a liar look usual, so the rest is judged by its median reporter.
    usual = max(0.1, float(np.median(against / many)))
    luck = binom.sf(against - 1, many, usual)
    marked = (
        (many >= LEAST_OF_REPORTER)
        & (against >= LEAST_SHARE * many)
        & (luck < CHANCE / each.height)
    )
    return [str(name) for name in each.filter(pl.Series(marked))["reporter"]]
