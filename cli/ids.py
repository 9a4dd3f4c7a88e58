"""Ids as people type them: the beginning of one is enough, where it says which is meant.

An argument that is an id names its kind: `Annotated[str, typer.Argument(), NamedKind.SCAN]`. Its
command finds the whole id by `whole`; a test calls each such argument with a beginning, and knows
of every argument that is none.
"""

import re

from shield.client import ShieldClient
from shield.errors import Invalid, NotFound
from shield.labels import ModelType
from shield.wire import NamedKind

_WHOLE = re.compile(r"[0-9a-f]{32}")
"""What most things are called; runs, batches, versions, reporters and events have other names."""
_SHOWN = 8

_LISTED_BY = {
    NamedKind.SCAN: "`shieldctl scan` prints its id.",
    NamedKind.FEEDBACK: "`shieldctl feedback list` shows those that wait.",
    NamedKind.CAMPAIGN: "`shieldctl known list` shows those that are known.",
    NamedKind.KNOWN: "`shieldctl known list` shows them.",
    NamedKind.CONTEST: "`shieldctl contest list` shows them.",
    NamedKind.BATCH: "`shieldctl feedback batches` lists them.",
    NamedKind.RUN: "`shieldctl pipeline list` shows them.",
    NamedKind.VERSION: "`shieldctl model list` shows them.",
    NamedKind.REPORTER: "The queue shows pseudonyms.",
    NamedKind.FEED: "`shieldctl known feeds` shows them.",
    NamedKind.WEBHOOK: "`shieldctl webhook list` shows them.",
    NamedKind.EVENT: "`shieldctl webhook show` lists what was sent.",
}


def whole(
    client: ShieldClient, kind: NamedKind, typed: str, *, model_type: ModelType | None = None
) -> str:
    """Return the id that `typed` is, or is the beginning of.

    Args:
        client: Asked for what begins so, unless `typed` is a whole id.
        kind: Of what.
        typed: An id, or its beginning. A version is found by its digest, too.
        model_type: Only of this one.

    Raises:
        NotFound: Nothing begins so.
        Invalid: Several do; the message lists them.
    """
    if _WHOLE.fullmatch(typed) and kind is not NamedKind.VERSION:
        return typed
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", typed):
        raise NotFound.of(kind, typed, _LISTED_BY[kind])
    matches = client.names(kind, typed, model_type=model_type)
    if any(one.id == typed for one in matches):
        return typed  # sms-v1, though sms-v10 begins so as well
    if not matches:
        of = f"{model_type} {kind}" if model_type else str(kind)
        raise NotFound.of(of, typed, _LISTED_BY[kind])
    if len(matches) > 1:
        listed = "".join(f"\n  {one.id}  {one.told}" for one in matches[:_SHOWN])
        more = "\n  ... and others" if len(matches) > _SHOWN else ""
        raise Invalid(f"{typed!r} begins several. Type more of the one you mean:{listed}{more}")
    return matches[0].id
