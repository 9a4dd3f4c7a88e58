"""Settle corrections: one row per message, one label, a weight, and what is set aside."""

from dataclasses import dataclass

import polars as pl

from components.build_dataset.suspects import TRUSTED, WRONG_REPORTER, far_oftener
from shield.characters import NOTHING_SEEN

LEAST_WEIGHT = 0.5
"""What the correction of a reporter without any record teaches, next to 1 for a fully trusted one.
A reviewer has approved it, so it is never nothing."""
LEAST_VOICE = 0.01
"""A voice in a vote is the reporter's trust, and at least this, so that one alone is no tie. Were
it the weight, two new accounts would outvote a reporter with a long record."""
_VOICE = pl.col("trust").clip(lower_bound=LEAST_VOICE)
OUTVOTED = "reporters with more trust say the opposite of it"
CLEARLY = 3.0
"""A side of a campaign with this many times the other's trust wins; with less, both are kept."""
_NOTHING = 1e-6
"""Trust: sums of it that differ by less are the same."""


@dataclass(frozen=True)
class Caps:
    """Limits on what one reporter, or one campaign, may contribute to the training set."""

    per_reporter: int = 50
    """Most corrections of one reporter, newest kept."""
    per_campaign: int = 20
    """Most different wordings of one campaign."""
    longest_text: int = 20_000
    """Characters; what is longer is cut, as the API would."""


def settle(
    rows: pl.DataFrame, caps: Caps, *, check_reporters: bool = True
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (one row per message, what was set aside with a column `why`).

    The same text may be reported by many. Its label is the one with more trust behind it, each
    reporter counted once; where both sides weigh the same nobody knows, and it is set aside. Caps
    keep one reporter, or one flood, from filling the training set.

    The column `backing` is the trust of those who sent the very same text with the same label,
    beside the one whose row is kept.

    Args:
        rows: As `read_batches` returns them.
        caps: What one reporter may contribute.
        check_reporters: Who loses such votes far oftener than others neither teaches nor votes.
    """
    if (rows["text"].str.len_bytes() > caps.longest_text).any():  # else no copy is made
        rows = rows.with_columns(text=pl.col("text").str.slice(0, caps.longest_text))
    rows = rows.with_columns(
        key=pl.col("text").hash(),
        weight=(LEAST_WEIGHT + (1 - LEAST_WEIGHT) * pl.col("trust")).cast(pl.Float32),
    )
    unseen = pl.col("text").str.contains(NOTHING_SEEN)
    blank, rows = rows.filter(unseen), rows.filter(~unseen)
    # Each reporter's newest first; the id breaks ties, so that the order of rows does not matter.
    rows = rows.sort(["approved_at", "id"], descending=[True, False], nulls_last=True)
    place = pl.int_range(pl.len()).over("reporter")
    capped = rows.filter((pl.col("reporter") != "") & (place >= caps.per_reporter))
    rows = rows.join(
        capped.select("id", "batch"), on=["id", "batch"], how="anti", maintain_order="left"
    )
    rows = _voiced(rows)
    doubted = rows.clear()
    if check_reporters and (liars := losers(rows)):
        lies = pl.col("reporter").is_in(liars) & (pl.col("trust") < TRUSTED)
        doubted, rows = rows.filter(lies), _voiced(rows.filter(~lies))
    rows, torn, outvoted = _voted(rows)
    settled = rows.sort(["approved_at", "id"], nulls_last=True)
    settled = settled.unique("key", keep="first", maintain_order=True).drop("key")
    aside = pl.concat(
        [
            part.select("id", "text", "label", why=pl.lit(why))
            for part, why in (
                (blank, "empty message"),
                (capped, "beyond the cap of its reporter"),
                (doubted, WRONG_REPORTER),
                (torn, "reporters contradict each other"),
                (outvoted, OUTVOTED),
            )
        ]
    )
    return settled, aside


def losers(voiced: pl.DataFrame) -> list[str]:
    """Return the reporters who lose the votes on disputed messages far oftener than others.

    What a vote sets aside no later check looks at. So a liar whose contradicted lies are outvoted
    would have a clean record, and teach the lies that nobody else has met.

    Args:
        voiced: Columns `reporter`, `label`, `voice`, `votes` and `backing`. What is counted of each
            reporter are messages that somebody calls the opposite of what they do.
    """
    ours = pl.col("backing") + pl.col("voice")
    ahead = pl.when(pl.col("label") == 1).then(pl.col("votes")).otherwise(-pl.col("votes"))
    disputed = voiced.lazy().filter((pl.col("reporter") != "") & (pl.col("voice") > 0))
    disputed = disputed.filter(ours - ahead > LEAST_VOICE / 2)
    each = disputed.group_by("reporter").agg(many=pl.len(), against=(ahead < -_NOTHING).sum())
    return far_oftener(each.collect())


def _voiced(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `voice`, `votes` (of its text; above 0: a scam) and `backing`."""
    voice = (
        # One voice each, however often a reporter sends a text; the anonymous are one voice too.
        pl.when(pl.struct("key", "label", "reporter").is_first_distinct())
        .then(_VOICE)
        .otherwise(0.0)
    )
    signed = pl.when(pl.col("label") == 1).then(pl.col("voice")).otherwise(-pl.col("voice"))
    return rows.with_columns(voice=voice).with_columns(
        votes=signed.sum().over("key"),
        backing=pl.col("voice").sum().over("key", "label") - pl.col("voice"),
    )


def _voted(voiced: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return rows on the side with more trust behind it (with `backing`), ties, and the losers."""
    torn = pl.col("votes").abs() < _NOTHING
    won = (pl.col("votes") > 0) == (pl.col("label") == 1)
    return (
        voiced.filter(~torn & won).drop("votes", "voice"),
        voiced.filter(torn),
        voiced.filter(~torn & ~won),
    )


def outvote(named: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (corrections whose campaign does not contradict them, those set aside).

    Copies of one message with another number, or with a phrase put behind it, are one campaign; a
    bank's message and its forgery are not, since their links go to other hosts. Where reporters
    with `CLEARLY` the trust call it the opposite, a correction says more about who sent it than
    about the message. A campaign that is really disputed teaches both.
    """
    sides = (
        named.group_by("campaign", "hosts", "label", "reporter")
        .agg(own=_VOICE.max(), backing=pl.col("backing").sum())
        .group_by("campaign", "hosts", "label")
        .agg(side=(pl.col("own") + pl.col("backing")).sum())
    )
    against = sides.select(
        "campaign", "hosts", label=(1 - pl.col("label")).cast(pl.Int8), against="side"
    )
    judged = named.select("campaign", "hosts", "label")
    for each in (sides, against):
        judged = judged.join(
            each, on=["campaign", "hosts", "label"], how="left", maintain_order="left"
        )
    lost = judged.select(pl.col("against").fill_null(0.0) >= CLEARLY * pl.col("side")).to_series()
    aside = named.filter(lost).select("id", "text", "label", why=pl.lit(OUTVOTED))
    return named.filter(~lost), aside
