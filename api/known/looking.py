"""Find the last days' scans that are similar to a message, mostly outside the transaction.

Comparing a hundred thousand sketches takes about a second, and a decision would hold SQLite's only
write lock meanwhile. So scans that can no longer change are compared before the transaction
(`Look`). The transaction compares only newer scans, and checks that the scans found before still
exist, since they may have been erased.
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
"""Most scans compared, the newest first: 20 MB of sketches, about a second."""
AT_ONCE = 2_000
"""Most scans compared within the transaction: about ten milliseconds."""
KIN = 0.4
"""Least similarity of a paraphrase. Below `SIMILAR` a message is not a copy. 89 of 100 paraphrases
of real scams reach this similarity to the original; harmless messages reach at most 0.32."""
_NEAR = 0.25
"""Least estimated similarity of a scan that counts as similar: an estimate may be 0.15 too low, and
no user affected by the decision may be missed."""
_LATEST = timedelta(seconds=60)
"""Longest time from a scan's `created_at` until it is stored."""
_LOOK, _AHEAD = "known.look", "known.ahead"
_CHUNK = 500

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Alike:
    """A scan that is similar to the message."""

    id: str
    user_id: str
    verdict: str
    hosts: int
    """Keyed hash of the hosts of its links."""
    near: bool
    """Similar to the message, but not a copy."""


@dataclass(frozen=True)
class Look:
    """The similar scans of a period."""

    model_type: str
    form: Form
    until: datetime
    """Scans made before this time were compared."""
    scans: int
    alike: tuple[Alike, ...]


class _LookFirst(Exception):
    """There are too many scans to compare within the transaction."""

    def __init__(self, model_type: str, form: Form) -> None:
        super().__init__()
        self.model_type, self.form = model_type, form


def looks_ahead(
    work: Callable[Concatenate[Context, P], T],
) -> Callable[Concatenate[Context, P], T]:
    """Run `work`; compare scans outside its transaction, and retry, where there are too many.

    `work` must be the first in its context's transaction, which is rolled back before the retry.
    """

    @wraps(work)
    def again(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> T:
        ctx.session.info[_AHEAD] = True
        try:
            return work(ctx, *args, **kwargs)
        except _LookFirst as postponed:
            ctx.session.rollback()
            ctx.after_commit.clear()
            ctx.session.info[_LOOK] = look(ctx, postponed.model_type, postponed.form)
        finally:
            ctx.session.info.pop(_AHEAD)
        try:
            return work(ctx, *args, **kwargs)
        finally:
            ctx.session.info.pop(_LOOK)

    return again


def look(ctx: Context, model_type: str, form: Form) -> Look:
    """Compare the scans that can no longer change, in a read-only transaction."""
    until = ctx.services.clock() - _LATEST
    with ctx.services.reading() as session:
        scans, alike = _read(session, ctx.ring, model_type, form, (_since(ctx), until))
    return Look(model_type, form, until, scans, tuple(alike))


def alike_scans(ctx: Context, model_type: str, form: Form) -> tuple[int, list[Alike]]:
    """Return the number of scans compared, and the scans similar to the message."""
    earlier_look: Look | None = ctx.session.info.get(_LOOK)
    if earlier_look is not None and (earlier_look.model_type, earlier_look.form) == (
        model_type,
        form,
    ):
        scans, latest = _read(ctx.session, ctx.ring, model_type, form, (earlier_look.until, None))
        return earlier_look.scans + scans, [*latest, *_still(ctx.session, earlier_look.alike)]
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
    """Return the scans that have not been erased meanwhile."""
    there: set[str] = set()
    for at in range(0, len(alike), _CHUNK):
        ids = [one.id for one in alike[at : at + _CHUNK]]
        there.update(
            session.scalars(select(Scan.id).where(Scan.id.in_(ids), Scan.sketch.is_not(None)))
        )
    return [one for one in alike if one.id in there]
