"""The book of scams as tables of messages, and how it joins the real collections.

What the book teaches goes into `train` and, by template, into `valid`; what it judges goes into
`judge` alone. It is not in `golden`: half of it are honest messages that look alarming, on purpose,
and an operating point that is set on everyday messages is not to be judged by them. Where a
demonstration holds tactics back, the book stays out: it would teach them.
"""

import numpy as np
import polars as pl

from components.shared import messages
from components.shared.campaigns import campaigns
from shield.book import Channel, Side, messages_of, read_book
from shield.labels import MODEL_TYPES, ModelType

SOURCE = "book"
EACH = {Channel.SMS: 1, Channel.MAIL: 2, Channel.CALL: 2}
"""Messages of one template that teaches. More would teach names and amounts by heart, and drown the
real messages; of mails and calls there are fewer templates. A judge counts each template once, as
one campaign."""
VALID = 0.26
"""Share of the teaching templates that set the threshold instead; as of the real messages."""


def book_messages(
    model_type: ModelType, side: Side, *, seed: int = 0, languages: list[str] | None = None
) -> pl.DataFrame:
    """Return the book's messages of one side for a model type; all languages unless some are named.

    None for a model type whose channel the book does not have.

    Raises:
        Invalid: A file of the book has a fault.
        NotFound: The book is not written in a language that was asked for.
    """
    channel = MODEL_TYPES[model_type].channel
    if channel is None:
        return messages.conform(pl.DataFrame(schema=_SCHEMA))
    book = read_book(languages=languages)
    each = EACH[Channel(channel)] if side is Side.TEACH else 1
    rows = [
        {
            "id": messages.message_id(SOURCE, f"{message.template}/{message.text}"),
            "text": message.text,
            "label": int(message.scam),
            "source": SOURCE,
            "campaign": message.template,
            "tactic": message.tactic,
            "language": message.language,
            "channel": message.channel.value,
        }
        for message in messages_of(book, side, channels=(Channel(channel),), each=each, seed=seed)
    ]
    table = pl.DataFrame(rows, schema=_SCHEMA).unique("text", keep="first", maintain_order=True)
    return messages.conform(table)


_SCHEMA = {
    name: messages.SCHEMA[name]
    for name in ("id", "text", "label", "source", "campaign", "tactic", "language", "channel")
}


def join_book(
    sets: dict[str, pl.DataFrame],
    model_type: ModelType,
    languages: list[str],
    seed: int,
    most: int = 0,
) -> dict[str, pl.DataFrame]:
    """Return the sets with the book in them.

    Args:
        sets: As `prepare_corpus` has cut them from the real collections.
        model_type: Whose channel of the book.
        languages: Which of the book's languages; none leaves the sets as they are.
        seed: Draws the messages, and which templates set the threshold.
        most: Take only so many of the book's messages of each side, evenly drawn (0: all).
    """
    if not languages:
        return sets
    taught, judged = (
        _at_most(book_messages(model_type, side, seed=seed, languages=languages), most, seed)
        for side in (Side.TEACH, Side.JUDGE)
    )
    templates = taught["campaign"].unique(maintain_order=True).sort()
    drawn = np.random.default_rng(seed).random(len(templates)) < VALID
    watches = pl.col("campaign").is_in(templates.filter(pl.Series(drawn)).implode())
    joined = {"train": taught.filter(~watches), "valid": taught.filter(watches), "judge": judged}
    return _apart(sets | {name: pl.concat([sets[name], table]) for name, table in joined.items()})


_JUDGES = ("golden", "frozen_ham", "judge", "valid")


def _apart(sets: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Drop messages that resemble one of a set that comes before: what judges first, then `train`.

    Templates are told apart by their words; filled, two may look alike, or like a real message.
    """
    order = sorted(sets, key=lambda name: _JUDGES.index(name) if name in _JUDGES else len(_JUDGES))
    roots = pl.Series(campaigns(pl.concat([sets[name]["text"] for name in order])))
    kept, taken, at = {}, pl.Series([], dtype=roots.dtype), 0
    for name in order:
        here = roots.slice(at, sets[name].height)
        at += sets[name].height
        kept[name] = sets[name].filter(~here.is_in(taken.implode())).sort("id")
        taken = pl.concat([taken, here]).unique()
    return {name: kept[name] for name in sets}


def _at_most(table: pl.DataFrame, most: int, seed: int) -> pl.DataFrame:
    if not most or table.height <= most:
        return table
    return table.sample(most, seed=seed, shuffle=True)
