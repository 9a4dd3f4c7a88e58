"""Check a campaign against the last days' scans before it answers messages."""

from collections import defaultdict

from sqlalchemy import select

from api.kit import signature
from api.kit.context import Context
from api.known.looking import alike_scans
from api.tables import Feedback
from shield.labels import FeedbackType
from shield.similarity import Form
from shield.wire import BackCheck

FEW = 5
"""Users without an objection whose verdict may change, whatever the number of reporters."""
PER_REPORTER = 20
"""Such users per reporter, where that is more: about one victim in twenty reports."""
FEW_AGAINST = 2
"""Most users for whom the verdict was confirmed, by themselves or by a reviewer."""
LEAST_LETTERS, LEAST_LETTERS_WITH_HOST = 40, 20
LEAST_WORDS, LEAST_WORDS_WITH_HOST = 6, 4


def too_ordinary(form: Form) -> str | None:
    """Return why a message is too short to be a known campaign, or `None`."""
    letters, words = len(form.words.replace(" ", "")), len(form.words.split())
    # Scripts without blanks have few words, and say more with a letter.
    wide = sum(letter > "\u2e7f" for letter in form.words)
    letters += 2 * wide
    words += wide // 2
    least = LEAST_LETTERS_WITH_HOST if form.hosts else LEAST_LETTERS
    least_words = LEAST_WORDS_WITH_HOST if form.hosts else LEAST_WORDS
    if letters >= least and words >= least_words:
        return None
    return (
        f"It has {words} words and {letters} letters beside numbers and links; with fewer than "
        f"{least_words} and {least} harmless messages look like it too."
    )


def back_check(
    ctx: Context, model_type: str, form: Form, label: str, reporters: frozenset[str]
) -> BackCheck:
    """Count the users whose verdicts of the last days an entry would have changed.

    Args:
        ctx: The request's context.
        model_type: Model type of the scans.
        form: The folded message.
        label: The label that the entry would give.
        reporters: Users who reported this label; they are not counted.
    """
    scans, alike = alike_scans(ctx, model_type, form)
    sketch = signature.sketch(form, ctx.ring)
    _, own = signature.unpacked([signature.packed(form, sketch, ctx.ring)])
    changed = [scan for scan in alike if scan.verdict != label]
    copies = [scan for scan in changed if not scan.near]
    same = [scan for scan in copies if scan.hosts == int(own[0])]
    elsewhere = [scan for scan in copies if scan.hosts != int(own[0])]
    said = _said(ctx, [scan.id for scan in changed], label)
    quiet = {scan.user_id for scan in same if said.get(scan.id) is not True} - reporters
    against = {scan.user_id for scan in same if said.get(scan.id) is False} - reporters
    # By host: a bank writes to many people from one; who changes hosts writes to few from each.
    others: dict[int, set[str]] = defaultdict(set)
    for scan in elsewhere:
        if said.get(scan.id) is not True:
            others[scan.hosts].add(scan.user_id)
    kin = [scan for scan in changed if scan.near]
    return BackCheck(
        scans=scans,
        unobjected=len(quiet),
        against=len(against),
        other_hosts=max(map(len, others.values()), default=0),
        kin=len({scan.user_id for scan in kin if said.get(scan.id) is not True} - reporters),
        kin_against=len({scan.user_id for scan in kin if said.get(scan.id) is False} - reporters),
    )


def marks_kin(check: BackCheck, reporters: int) -> bool:
    """Return whether messages similar to a scam, but not copies, may be marked as unsure."""
    silent = check.kin <= _silent_allowed(reporters)
    return silent and check.kin_against <= FEW_AGAINST


def _silent_allowed(reporters: int) -> int:
    return max(FEW, PER_REPORTER * reporters)


def _said(ctx: Context, scan_ids: list[str], label: str) -> dict[str, bool]:
    """Return for each scan with a claim or decision whether it agrees with the entry."""
    told: dict[str, bool] = {}
    for at in range(0, len(scan_ids), 500):
        claims = ctx.session.execute(
            select(
                Feedback.scan_id,
                Feedback.source,
                Feedback.status,
                Feedback.feedback_type,
                Feedback.corrected_label,
            ).where(Feedback.scan_id.in_(scan_ids[at : at + 500]), Feedback.source != "gold")
        )
        for claim in claims:
            agrees = claim.corrected_label == label
            if claim.source == "report":
                confirms = claim.feedback_type == FeedbackType.CONFIRMED
                if agrees or (confirms and claim.status != "rejected"):
                    told.setdefault(claim.scan_id, agrees)
            elif claim.status != "pending":
                # A sample's claim was drawn by lot; the decision says what is true.
                told[claim.scan_id] = agrees == (claim.status == "approved")
    return told


def refusal(check: BackCheck, label: str, reporters: int, days: float) -> str | None:
    """Return why an entry must not answer messages, with the counts, or `None`."""
    if check.against > FEW_AGAINST:
        return (
            f"It would have called {label} what {check.against} people confirmed, or a reviewer "
            f"found, to be otherwise in the last {days:g} days. Look at the campaign again."
        )
    if check.unobjected > _silent_allowed(reporters):
        return (
            f"It would have called messages of {check.unobjected} people {label} that nobody "
            f"objected to in the last {days:g} days, with {reporters} who reported it: too "
            "ordinary a text. The correction is learned from all the same."
        )
    return None
