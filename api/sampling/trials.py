"""Store the messages of a trial scored by both versions, and draw those that reviewers decide.

A random share of the disagreements is drawn, as large as reviewers can decide; the share is stored
for every message, whether or not the versions disagree. To keep the sample representative, only a
few messages per user and day count, chosen before their verdicts are known, and of similar messages
only the first. The evaluation is in `shield.paired`.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, exists, func, select
from sqlalchemy.orm import Session

from api.campaigns import finding, rank
from api.kit.context import Context
from api.kit.lots import lot
from api.kit.routing import Prediction, Trial
from api.sampling.service import SHADOW, put
from api.tables import Comparison, Feedback, Scan, User
from shield.paired import share_to_draw
from shield.rollouts.evidence import Subjects
from shield.similarity import form

MOST_OF_A_USER = 5
"""Most messages of one user drawn in a trial: too few to reject a version on their own."""
_DAY = timedelta(days=1)


def compare(
    ctx: Context, trial: Trial, scan: Scan, text: str, user: User, said: Prediction
) -> Feedback | None:
    """Store both versions' verdicts on a message; return the item if it was drawn for review.

    Args:
        ctx: Context whose transaction stores it.
        trial: The versions compared.
        scan: The scan as answered to the user.
        text: The message.
        user: The scan's owner, who has consented to review.
        said: The other version's answer.
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
    """Return the conditions for the comparisons of a trial."""
    return [
        Comparison.candidate == pair.candidate.name,
        Comparison.stable == pair.stable.name,
        Comparison.created_at >= pair.since,
    ]


def waiting(session: Session, pair: Subjects) -> int:
    """Return the number of drawn, undecided messages of a trial."""
    query = (
        select(func.count())
        .select_from(Comparison)
        .join(Feedback, (Feedback.scan_id == Comparison.scan_id) & (Feedback.source == SHADOW))
        .where(*of_trial(pair), Comparison.drawn, Feedback.status == "pending")
    )
    return session.scalar(query) or 0


def _counts(ctx: Context, trial: Trial, scan: Scan, user: User) -> bool:
    """Return whether a message counts, independently of the versions' verdicts."""
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
    earlier = exists().where(
        Scan.fingerprint == scan.fingerprint,
        Scan.id == Comparison.scan_id,
        Scan.id != scan.id,
        *of_trial(pair),
    )
    return not ctx.session.scalar(select(earlier))


def _after(moment: datetime) -> ColumnElement[int]:
    return (Comparison.created_at > moment).cast(Integer)


def _known(ctx: Context, pair: Subjects, scan: Scan, text: str) -> bool:
    """Return whether a similar message was drawn before in the trial."""
    place = finding.exact(ctx.session, scan.fingerprint, scan.model_type) or finding.find(
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
    """Return the current probability that a counted disagreement is drawn."""
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
