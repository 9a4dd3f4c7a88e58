"""Notify reporters of the outcome of their reports."""

from sqlalchemy import select

from api.inbox.notices import POSTMAN, Postman
from api.kit.context import Services, open_context
from api.kit.outbox import Job
from api.tables import Feedback, Review
from shield.labels import ModelType, is_positive, label_of
from shield.wire import NoticeKind


def tell_reporters(services: Services, job: Job) -> None:
    """Notify the reporters whose reports a decision, or its undo, has changed."""
    with open_context(services, POSTMAN) as ctx:
        covered = select(Review.feedback_id).where(Review.decision == job.subject)
        reports = ctx.session.scalars(
            select(Feedback)
            .where(Feedback.id.in_(covered), Feedback.source == "report")
            .order_by(Feedback.id)
        ).all()
        postman = Postman(ctx)
        for report in reports:
            _tell(postman, report)


def _tell(postman: Postman, report: Feedback) -> None:
    told = report.told_label or report.original_label
    if report.status == "pending":
        if postman.last(report.user_id, report.id) is not None:
            postman.tell(
                report.user_id,
                NoticeKind.REPORT_REOPENED,
                report.id,
                report.scan_id,
                told=told,
                found=None,
            )
        return
    right = report.status == "approved"
    # A reporter says otherwise than they were told; who agreed with it is told only if it is wrong.
    agreed = report.corrected_label == told
    if right and agreed:
        return
    model_type = ModelType(report.model_type)
    true_label = report.corrected_label
    if not right:
        true_label = label_of(model_type, not is_positive(model_type, true_label))
    kind = NoticeKind.REPORT_RIGHT if right else NoticeKind.REPORT_WRONG
    postman.tell(
        report.user_id,
        NoticeKind.REVISED if agreed else kind,
        report.id,
        report.scan_id,
        told=told,
        found=true_label,
        campaign_id=report.campaign_id,
    )
