"""Views of the queue: filters and order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, or_, select

from api.kit.context import Context
from api.kit.tokens import Role
from api.tables import Campaign, Feedback, User
from shield.errors import Forbidden

TEAM = "team:"
"""Prefix of a team's name where a user's name is allowed too."""


@dataclass(frozen=True)
class View:
    """Filters and order of the queue; empty strings do not filter."""

    q: str = ""
    """Words, or parts of words, that the text must all contain."""
    state: Literal["waiting", "decided"] = "waiting"
    sort: Literal["rank", "oldest", "largest"] = "rank"
    language: str = ""
    tactic: str = ""
    host: str = ""
    reporter: str = ""
    version: str = ""
    older_hours: str = ""
    newer_hours: str = ""
    second: str = ""
    assigned: str = ""
    """Empty: assigned to the caller or nobody; `mine`, `free`, `all`, a user, or `team:NAME`."""
    muted: str = ""
    queue: str = ""
    """The name of a queue, or `all`: everything that waits."""

    @property
    def reads_texts(self) -> bool:
        """Return whether the filters need the messages' texts.

        Language and tactic are known of what waits.
        """
        told = self.state == "decided" and (self.language or self.tactic)
        return bool(self.q.strip() or self.host.strip() or told)

    @property
    def is_narrow(self) -> bool:
        """Return whether the filters that need no texts can leave few of the undecided items."""
        few = (self.reporter, self.version, self.older_hours, self.newer_hours, self.second)
        return any((*few, self.muted)) or self.assigned not in ("", "all", "free")

    @property
    def of_some(self) -> bool:
        """Return whether items of some people are wanted, by whom the database finds them."""
        return bool(self.reporter or self.muted) or self.assigned not in ("", "all", "free")

    @property
    def is_plain(self) -> bool:
        """Return whether all of a queue is shown, in the usual order."""
        return not replace(self, queue="").query

    @property
    def query(self) -> str:
        """Return the view as a query string, without empty filters."""
        plain = View()
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        return urlencode({n: v for n, v in kept.items() if v != getattr(plain, n)})


Text = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
Hours = Annotated[str, Query(pattern=r"^[0-9]{0,5}$", description="A number of hours.")]
Yes = Annotated[Literal["", "1"], Query(description="`1`: only these.")]


def read_view(
    q: Text = "",
    state: Literal["waiting", "decided"] = "waiting",
    sort: Literal["rank", "oldest", "largest"] = "rank",
    language: Annotated[str, Query(pattern=r"^([a-z]{2,3})?$")] = "",
    tactic: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9-]*$")] = "",
    host: Text = "",
    reporter: Annotated[str, Query(pattern=r"^[\w-]{0,32}$")] = "",
    version: Annotated[str, Query(pattern=r"^[a-z0-9.-]{0,63}$")] = "",
    older_hours: Hours = "",
    newer_hours: Hours = "",
    second: Yes = "",
    assigned: Annotated[str, Query(max_length=128, pattern=r"^[^\x00]*$")] = "",
    muted: Yes = "",
    queue: Annotated[str, Query(max_length=64, pattern=r"^[^/?#%\x00-\x1f]*$")] = "",
) -> View:
    """Parse a view from a URL's query."""
    return View(**locals())


Viewed = Annotated[View, Depends(read_view)]


def teams_of(ctx: Context) -> list[str]:
    """Return the teams of the caller."""
    return [name for name, members in ctx.settings.review_teams.items() if ctx.user in members]


def conditions(ctx: Context, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions of a view that do not need the messages' texts.

    Raises:
        Forbidden: A reviewer filters undecided items by version, which would reveal it.
    """
    clauses: list[ColumnElement[bool]] = []
    if view.reporter:
        clauses.append(Feedback.user_id.in_(_named(view.reporter)))
    if view.version:
        if view.state == "waiting" and Role.ADMIN not in ctx.principal.roles:
            raise Forbidden(
                "version: items that wait are judged without knowing which version answered, so "
                "only admins filter them by it. Look at decided ones, or ask an admin."
            )
        clauses.append(Feedback.model_version == view.version)
    if view.older_hours:
        clauses.append(Feedback.created_at < ctx.now - timedelta(hours=int(view.older_hours)))
    if view.newer_hours:
        clauses.append(Feedback.created_at >= ctx.now - timedelta(hours=int(view.newer_hours)))
    if view.second:
        clauses.append(Feedback.looks > 0)
    if view.state == "waiting":
        clauses += [*_assigned(ctx, view.assigned), _muted(ctx, only=bool(view.muted))]
    return clauses


def of_campaigns(languages: Sequence[str], tactics: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the conditions of campaigns that wait in some languages, of some tactics."""
    columns = ((Campaign.language, languages), (Campaign.tactic, tactics))
    return [column.in_(values) for column, values in columns if values]


def _named(pseudonym: str) -> Any:
    return select(User.id).where(User.pseudonym == pseudonym)


def _assigned(ctx: Context, assigned: str) -> Sequence[ColumnElement[bool]]:
    own = [ctx.user, *(TEAM + name for name in teams_of(ctx))]
    if assigned == "all":
        return []
    if assigned == "mine":
        return [Feedback.assigned_to.in_(own)]
    if assigned == "free":
        return [Feedback.assigned_to.is_(None)]
    if assigned:
        return [Feedback.assigned_to == assigned]
    return [or_(Feedback.assigned_to.is_(None), Feedback.assigned_to.in_(own))]


def _muted(ctx: Context, *, only: bool) -> ColumnElement[bool]:
    muted = Feedback.user_id.in_(select(User.id).where(User.muted_until > ctx.now))
    return muted if only else ~muted
