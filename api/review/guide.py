"""The reviewers' guide: tactics, the team's reasons and guidelines, decided examples."""

from datetime import timedelta

from sqlalchemy import Select, select

from api.audit import service as audit
from api.kit.context import Context
from api.settings import ApiSettings
from api.tables import IS_GOLD, WAS_AGREED, Feedback, Review, Scan
from shield.errors import Invalid, Misconfigured
from shield.labels import is_scam
from shield.reasons import tactics
from shield.wire import Decision, GuideExample, GuideRead, GuideTactic, ReviewRequest

_EXAMPLES = 6
_READ = 10 * _EXAMPLES


def check(settings: ApiSettings, request: ReviewRequest) -> None:
    """Check the tactic and the reason of a decision.

    Raises:
        Invalid: The tactic is unknown or given for a harmless message; the reason is missing or not
            in the team's list.
    """
    if request.tactic is not None:
        if request.tactic not in tactics.book().tactics:
            raise Invalid(
                f"tactic: the book of scams has no {request.tactic!r}. "
                "`GET /api/v2/review/guide` lists its tactics."
            )
        if request.decision is Decision.HARMLESS:
            raise Invalid("tactic: a harmless message has none. Leave it out, or decide `scam`.")
    reasons = settings.review_reasons
    if reasons and request.reason not in reasons:
        named = (
            "none was given" if request.reason is None else f"{request.reason!r} is none of them"
        )
        raise Invalid(f"reason: this team decides with one of {_listed(reasons)}; {named}.")
    if not reasons and request.reason is not None:
        raise Invalid(
            "reason: this team has no list of reasons. Leave it out and use `notes`, or set "
            "SHIELD_API_REVIEW_REASONS."
        )


def _listed(reasons: list[str]) -> str:
    return ", ".join(repr(reason) for reason in reasons)


def guide(ctx: Context) -> GuideRead:
    """Return the guide for an item; records in the audit log whose messages are shown."""
    examples = _examples(ctx)
    if examples:
        audit.record_later(ctx, "message.read", "guide", "review", feedback=list(examples))
    return GuideRead(
        tactics=[
            GuideTactic(id=name, name=tactic.name, what_gives_it_away=tactic.what_gives_it_away)
            for name, tactic in tactics.book().tactics.items()
        ],
        reasons=ctx.settings.review_reasons,
        text=_own_text(ctx.settings),
        examples=sorted(examples.values(), key=lambda one: one.decision, reverse=True),
    )


def _own_text(settings: ApiSettings) -> str:
    if settings.review_guidelines_file is None:
        return ""
    try:
        return settings.review_guidelines_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise Misconfigured(
            f"SHIELD_API_REVIEW_GUIDELINES_FILE names {settings.review_guidelines_file}, which "
            f"cannot be read ({fault}). Write the guidelines there as UTF-8, or unset it."
        ) from fault


def _examples(ctx: Context) -> dict[str, GuideExample]:
    """Return ids of decided examples, gold items included: as many scams as harmless ones.

    A gold item is shown only to a reviewer who has judged it correctly and can no longer undo that,
    so that the examples reveal neither the answer of a gold item nor that a wrongly judged item was
    gold. The other examples were decided by at least two reviewers.
    """
    # By a random part of the id: the order must not tell gold from other items.
    rows = sorted(
        (row for query in _decided(ctx) for row in ctx.session.execute(query).all()),
        key=lambda row: str(row.Feedback.scan_id),
        reverse=True,
    )[:_READ]
    examples: dict[str, GuideExample] = {}
    left = {Decision.SCAM: _EXAMPLES // 2, Decision.HARMLESS: _EXAMPLES // 2}
    for item, scan in rows:
        approved = item.gold_answer == "approve" or item.status == "approved"
        scam = is_scam(item.corrected_label) == approved
        decision = Decision.SCAM if scam else Decision.HARMLESS
        if left[decision] and scan.text_sealed is not None:
            text = ctx.ring.shown(scan.text_sealed, scan.id)
            if text is None:
                continue
            left[decision] -= 1
            examples[item.id] = GuideExample(text=text, decision=decision)
    return examples


def _decided(ctx: Context) -> list[Select[Feedback, Scan]]:
    """Return the queries for items that several reviewers agreed on, and for own gold items."""
    firm = ctx.now - timedelta(seconds=ctx.settings.undo_seconds)
    readable = (
        select(Feedback, Scan)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(Scan.text_sealed.is_not(None))
        .order_by(Feedback.scan_id.desc())
        .limit(_READ)
    )
    agreed = readable.where(
        WAS_AGREED,
        Feedback.source != "gold",
        Feedback.status != "pending",
        Feedback.undo_until < ctx.now,
    )
    # The newest of them: a reviewer judges gold items for years.
    own = (
        select(Review.feedback_id)
        .where(
            IS_GOLD,
            Review.reviewer == ctx.user,
            Review.undone_at.is_(None),
            Review.correct.is_(True),
            Review.at < firm,
        )
        .order_by(Review.at.desc())
        .limit(_READ)
    )
    return [agreed, readable.where(Feedback.source == "gold", Feedback.id.in_(own))]
