"""Split corrections by campaign, the same way in every run; draw the messages for replay."""

import hashlib

import numpy as np
import polars as pl

from components.shared.campaigns import near

HELD_OUT = 0.2
"""Share of campaigns of corrections that are held out for evaluation, and never trained on."""
FEW = 5
"""Campaigns in a batch from which at least one is held out."""
TIME_FORWARD, LEAST_FOR_TIME_FORWARD = 0.1, 300
"""Newest share of a batch that is held out, and the corrections that a batch needs for it."""


def split(corrections: pl.DataFrame, batch: str) -> dict[str, pl.DataFrame]:
    """Split by campaign: a whole campaign is trained on, or held out.

    A campaign's side follows from its earliest message, so that it stays where it is as it grows.
    """
    heads = corrections.sort(["approved_at", "id"]).unique("campaign", keep="first")
    heads = heads.select("campaign", "batch", share=_shares(heads["text"]))
    judging = heads.filter(pl.col("share") < HELD_OUT)
    fresh = heads.filter(pl.col("batch") == batch)
    if fresh.height >= FEW and not (fresh["share"] < HELD_OUT).any():
        # By chance none judges, and a gate would have nothing to go by: the nearest one does.
        judging = pl.concat([judging, fresh.sort("share").head(1)])
    if judging.height == heads.height:
        judging = judging.clear()  # too few to spare any
    judges = corrections.join(judging, on="campaign", how="semi", maintain_order="left")
    teach = corrections.join(judging, on="campaign", how="anti", maintain_order="left")
    # A paraphrase is a campaign of its own, and yet a model that learned the one knows the other:
    # what is near a lesson teaches as well.
    told = pl.Series(near(judges["text"], teach["text"]), dtype=pl.Boolean)
    if (~told).any():
        teach = pl.concat([teach, judges.filter(told)]).sort("approved_at", "id", nulls_last=True)
        judges = judges.filter(~told)
    forward = corrections.clear()
    newest = teach.filter(pl.col("batch") == batch)
    if newest.height >= LEAST_FOR_TIME_FORWARD:
        # Of this batch, not of all corrections: a tenth of a year's is more than a week's, and the
        # very corrections that asked for this training would teach nothing. By the campaign's
        # first sight: a campaign that is old has been met, however new its copies.
        dated = teach.with_columns(since=pl.col("scanned_at").min().over("campaign"))
        border = dated.filter(pl.col("batch") == batch)["since"].quantile(
            1 - TIME_FORWARD, interpolation="higher"
        )
        late = dated.filter(pl.col("since") >= border)
        if late.height <= 2 * TIME_FORWARD * newest.height:  # else they all came at one moment
            forward = late.drop("since")
            teach = dated.filter(pl.col("since") < border).drop("since")
    # The newest stop the training as well as judge it, but never the same ones.
    watches = _shares(forward["text"]) < (1 + HELD_OUT) / 2
    return {
        "watched": forward.filter(watches),
        "teach": teach,
        "fresh": judges.filter(pl.col("batch") == batch),
        "old_errors": judges.filter(pl.col("batch") != batch),
        "time_forward": forward.filter(~watches),
    }


def _shares(texts: pl.Series) -> pl.Series:
    """Return a number from 0 to 1 for each text, by its hash: the same on every machine."""
    shares = np.fromiter(map(_share, texts), dtype=np.float64, count=len(texts))
    return pl.Series("share", shares)


def _share(text: str) -> float:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4]) / 2**32


def replay(train: pl.DataFrame, count: int, seed: int) -> pl.DataFrame:
    """Draw base messages for replay, half of them scams as far as there are enough."""
    scams = train.filter(pl.col("label") == 1)
    hams = train.filter(pl.col("label") == 0)
    many = min(scams.height, count // 2)
    return pl.concat(
        [
            scams.sample(many, seed=seed, shuffle=True),
            hams.sample(min(hams.height, count - many), seed=seed, shuffle=True),
        ]
    )
