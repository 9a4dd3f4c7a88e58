"""The messages of a trial that both versions have scored, and which of them reviewers decide.

Of the messages on which the versions disagree a share is drawn by lot, as large as reviewers can
decide; the share is known for every message, whether the versions disagree on it or not. So that
the decided ones speak for users who were not asked, only a few messages of a user count in a day,
chosen before anybody knows what the versions say of them, and of messages that are alike only the
first. How they are judged: `shield.paired`.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, exists, func, select
from sqlalchemy.orm import Session

from api.campaigns import rank
from api.campaigns import service as campaigns
from api.kit.context import Context
from api.kit.lots import lot
from api.kit.routing import Prediction, Trial
from api.sampling.service import SHADOW, put
from api.tables import Comparison, Feedback, Scan, User
from shield.paired import share_to_draw
from shield.rollouts.evidence import Subjects
from shield.similarity import form

MOST_OF_A_USER = 5
"""Messages of one user that are drawn in a trial: so many, all wrong, reject nobody."""
_DAY = timedelta(days=1)


def compare(
    ctx: Context, trial: Trial, scan: Scan, text: str, user: User, said: Prediction
) -> Feedback | None:
    """Keep what both versions said of a message; return the item if a reviewer is asked.

    Args:
        ctx: Of the transaction that keeps it.
        trial: The versions that are compared.
        scan: What the user was answered.
        text: The message.
        user: Its owner, who agreed that people may read along.
        said: What the other version said.
    """
    pair = trial.subjects
    names = {pair.candidate.name, pair.stable.name}
    if {scan.model_version, said.version} != names or scan.forced or scan.created_at < pair.since:
        return None
    by_candidate = scan.model_version == pair.candidate.name
    apart = said.label != scan.verdict
    counts = _counts(ctx, trial, scan, user) and not (apart and _known(ctx, pair, scan, text))
    share = _share(ctx, trial) if counts else 0.0
    secret = ctx.ring.lot_key
    drawn = apart and lot(secret, f"trial {pair.candidate.digest}", scan.id) < share
    ctx.session.add(
        Comparison(
            scan_id=scan.id,
            candidate=pair.candidate.name,
            stable=pair.stable.name,
            candidate_verdict=scan.verdict if by_candidate else said.label,
            stable_verdict=said.label if by_candidate else scan.verdict,
            apart=apart,
            counts=counts,
            share=share,
            drawn=drawn,
            created_at=ctx.now,
        )
    )
    return put(ctx, scan, text, user, SHADOW, rank.FIRST_SECONDS) if drawn else None


def of_trial(pair: Subjects) -> list[ColumnElement[bool]]:
    """Return the conditions of the comparisons of a trial."""
    return [
        Comparison.candidate == pair.candidate.name,
        Comparison.stable == pair.stable.name,
        Comparison.created_at >= pair.since,
    ]


def waiting(session: Session, pair: Subjects) -> int:
    """Return how many drawn messages of a trial are not decided yet."""
    query = (
        select(func.count())
        .select_from(Comparison)
        .join(Feedback, (Feedback.scan_id == Comparison.scan_id) & (Feedback.source == SHADOW))
        .where(*of_trial(pair), Comparison.drawn, Feedback.status == "pending")
    )
    return session.scalar(query) or 0


def _counts(ctx: Context, trial: Trial, scan: Scan, user: User) -> bool:
    """Tell whether a message counts; what the versions say of it plays no part."""
    pair = trial.subjects
    of_user = (
        select(
            func.coalesce(func.sum(_after(ctx.now - _DAY)), 0),
            func.coalesce(func.sum(Comparison.drawn.cast(Integer)), 0),
        )
        .select_from(Comparison)
        .join(Scan, Scan.id == Comparison.scan_id)
        .where(*of_trial(pair), Comparison.counts, Scan.user_id == user.id)
    )
    today, drawn = ctx.session.execute(of_user).one()
    if today >= trial.analysis.messages_per_user or drawn >= MOST_OF_A_USER:
        return False
    seen = exists().where(
        Scan.fingerprint == scan.fingerprint,
        Scan.id == Comparison.scan_id,
        Scan.id != scan.id,
        *of_trial(pair),
    )
    return not ctx.session.scalar(select(seen))


def _after(moment: datetime) -> ColumnElement[int]:
    return (Comparison.created_at > moment).cast(Integer)


def _known(ctx: Context, pair: Subjects, scan: Scan, text: str) -> bool:
    """Tell whether a message nearly like this one was drawn before in the trial."""
    place = campaigns.exact(ctx.session, scan.fingerprint, scan.model_type) or campaigns.find(
        ctx, scan.model_type, form(text)
    )
    if place is None:
        return False
    drawn = exists().where(
        Feedback.campaign_id == place.campaign_id,
        Feedback.source == SHADOW,
        Feedback.scan_id == Comparison.scan_id,
        Comparison.drawn,
        *of_trial(pair),
    )
    return bool(ctx.session.scalar(select(drawn)))


def _share(ctx: Context, trial: Trial) -> float:
    """Return the share at which a message that counts is drawn now, if the versions disagree."""
    pair = trial.subjects
    since = max(pair.since, ctx.now - _DAY)
    disagreements, drawn = ctx.session.execute(
        select(func.count(), func.coalesce(func.sum(Comparison.drawn.cast(Integer)), 0)).where(
            *of_trial(pair),
            Comparison.counts,
            Comparison.apart,
            Comparison.created_at > since,
        )
    ).one()
    return share_to_draw(
        trial.analysis.decisions_per_day,
        disagreements,
        drawn,
        (ctx.now - since).total_seconds(),
        waiting(ctx.session, pair),
    )
