"""Find the last days' scans with a message's words, for the greater part outside the transaction.

A hundred thousand sketches take about a second, and whoever decides holds SQLite's only write lock
meanwhile. So the scans that can no longer change are looked at beforehand (`Look`); the transaction
reads what has come since, and asks again for those that were found: one may be erased by now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.kit import signature
from api.kit.context import Context
from api.kit.keyring import KeyRing
from api.tables import Scan
from shield.similarity import SIMILAR, Form, estimate

MOST_SCANS = 100_000
"""Newest scans that are looked at; at 20 MB of sketches a second's work."""
AT_ONCE = 2_000
"""So many are looked at within the transaction: it takes some ten milliseconds."""
KIN = 0.4
"""Likeness from which on a message reads much like another. Below `SIMILAR` it is no copy: real
scams are as like as that to paraphrases of themselves (89 in 100), and to no harmless message (at
most 0.32)."""
_NEAR = 0.25
"""Estimated likeness from which on a scan counts as nearly alike: a sketch may be 0.15 off, and
nobody who stands for such words must be missed."""
_LATEST = timedelta(seconds=60)
"""A scan is stored within this time of its `created_at`, whatever it had to wait for."""
_LOOK, _AHEAD = "known.look", "known.ahead"
_CHUNK = 500

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Alike:
    """One scan with the words of the message."""

    id: str
    user_id: str
    verdict: str
    hosts: int
    """Keyed hash of the hosts of its links."""
    near: bool
    """Its words are nearly those of the message, and no more."""


@dataclass(frozen=True)
class Look:
    """What was found among the scans of some time."""

    model_type: str
    form: Form
    until: datetime
    """Scans made before this were looked at."""
    scans: int
    alike: tuple[Alike, ...]


class _LookFirst(Exception):
    """So many scans are to be looked at that nobody should wait for it in the database."""

    def __init__(self, model_type: str, form: Form) -> None:
        super().__init__()
        self.model_type, self.form = model_type, form


def looks_ahead(
    work: Callable[Concatenate[Context, P], T],
) -> Callable[Concatenate[Context, P], T]:
    """Let `work` run again after a look at many scans that was taken outside its transaction.

    `work` must be the first that its context's transaction does: what it wrote is rolled back.
    """

    @wraps(work)
    def again(ctx: Context, /, *args: P.args, **given: P.kwargs) -> T:
        ctx.session.info[_AHEAD] = True
        try:
            return work(ctx, *args, **given)
        except _LookFirst as wanted:
            ctx.session.rollback()
            ctx.after_commit.clear()
            ctx.session.info[_LOOK] = look(ctx, wanted.model_type, wanted.form)
        finally:
            ctx.session.info.pop(_AHEAD)
        try:
            return work(ctx, *args, **given)
        finally:
            ctx.session.info.pop(_LOOK)

    return again


def look(ctx: Context, model_type: str, form: Form) -> Look:
    """Look at the scans that can no longer change, in a transaction of its own that only reads."""
    until = ctx.services.clock() - _LATEST
    with ctx.services.reading() as session:
        scans, alike = _read(session, ctx.ring, model_type, form, (_since(ctx), until))
    return Look(model_type, form, until, scans, tuple(alike))


def alike_scans(ctx: Context, model_type: str, form: Form) -> tuple[int, list[Alike]]:
    """Return how many scans were looked at, and those with the message's words, or nearly."""
    seen: Look | None = ctx.session.info.get(_LOOK)
    if seen is not None and (seen.model_type, seen.form) == (model_type, form):
        scans, latest = _read(ctx.session, ctx.ring, model_type, form, (seen.until, None))
        return seen.scans + scans, [*latest, *_still(ctx.session, seen.alike)]
    if ctx.session.info.get(_AHEAD) and _are_many(ctx, model_type):
        raise _LookFirst(model_type, form)
    return _read(ctx.session, ctx.ring, model_type, form, (_since(ctx), None))


def _since(ctx: Context) -> datetime:
    return ctx.now - timedelta(days=ctx.settings.known_check_days)


def _are_many(ctx: Context, model_type: str) -> bool:
    some = (
        select(Scan.id)
        .where(Scan.created_at >= _since(ctx), Scan.model_type == model_type)
        .limit(AT_ONCE + 1)
        .subquery()
    )
    return (ctx.session.scalar(select(func.count()).select_from(some)) or 0) > AT_ONCE


def _read(
    session: Session,
    ring: KeyRing,
    model_type: str,
    form: Form,
    span: tuple[datetime, datetime | None],
) -> tuple[int, list[Alike]]:
    since, until = span
    query = (
        select(Scan.id, Scan.user_id, Scan.verdict, Scan.sketch)
        .where(Scan.created_at >= since, Scan.model_type == model_type, Scan.sketch.is_not(None))
        .order_by(Scan.created_at.desc())
        .limit(MOST_SCANS)
    )
    if until is not None:
        query = query.where(Scan.created_at < until)
    scans: list[Any] = list(session.execute(query).all())
    if not scans:
        return 0, []
    rows, hosts = signature.unpacked([scan.sketch for scan in scans])
    sketch = signature.sketch(form, ring)
    likeness = estimate(sketch.astype(np.uint16), rows)
    return len(scans), [
        Alike(one.id, one.user_id, one.verdict, int(hosts[row]), bool(likeness[row] < SIMILAR))
        for row in np.flatnonzero(likeness >= _NEAR)
        for one in (scans[int(row)],)
    ]


def _still(session: Session, alike: tuple[Alike, ...]) -> list[Alike]:
    """Return those of the scans that nobody has erased meanwhile."""
    there: set[str] = set()
    for at in range(0, len(alike), _CHUNK):
        ids = [one.id for one in alike[at : at + _CHUNK]]
        there.update(
            session.scalars(select(Scan.id).where(Scan.id.in_(ids), Scan.sketch.is_not(None)))
        )
    return [one for one in alike if one.id in there]
