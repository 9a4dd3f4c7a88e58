"""People hear of it: what became of their reports, and where they were told wrong."""

from sqlalchemy import select

from api.inbox.notices import POSTMAN
from api.inbox.revising import revise
from api.kit.context import open_context
from api.kit.outbox import Job, OutboxRow
from api.privacy import retention
from api.tables import Notice, Revision, Scan
from shield.labels import FeedbackType
from shield.wire import InboxRead, NoticeKind, ReviewAction, ScanRead
from tests.integration.api.steps import decide, http, report, scan
from tests.integration.api.test_known import BANK, COPY, FORGED, confirmed
from tests.support.api import RunningApi
from tests.support.waiting import wait_until


def settled(api: RunningApi) -> None:
    """Return when all that follows the last change is done."""

    def undone() -> bool:
        with api.services.reading() as session:
            return session.scalar(select(OutboxRow.id).where(OutboxRow.due_at.is_(None))) is None

    wait_until(undone, "the outbox was never emptied")


def inbox(api: RunningApi, user: str) -> InboxRead:
    settled(api)
    with api.client(user) as client:
        return client.inbox()


def standing(api: RunningApi, user: str) -> list[tuple[NoticeKind, str | None]]:
    """Return what a user is told that still holds, newest first."""
    return [(one.kind, one.found) for one in inbox(api, user).notices if not one.superseded]


def read_back(api: RunningApi, user: str, scan_id: str) -> ScanRead:
    with http(api, user) as client:
        answer = client.get(f"/api/v2/scans/{scan_id}").raise_for_status()
    return ScanRead.model_validate(answer.json()["data"])


def test_who_reported_is_thanked_and_who_was_told_harmless_is_warned_and_all_turns_back(
    api: RunningApi,
) -> None:
    yesterday = scan(api, "carl", COPY)
    elsewhere = scan(api, "dora", FORGED)
    ordinary = scan(api, "erik", "Shall we meet at the station at 5 and walk to the lake?")
    api.clock.move_on(86400)
    entry = confirmed(api)
    assert standing(api, "ann") == [(NoticeKind.REPORT_RIGHT, "spam")]
    (warned,) = inbox(api, "carl").notices
    assert (warned.kind, warned.scan_id, warned.told, warned.found, warned.scam) == (
        NoticeKind.REVISED,
        yesterday.id,
        "ham",
        "spam",
        True,
    )
    assert warned.title == "We were wrong about a message."
    assert warned.advice is not None
    assert "Do not" in warned.advice.what_to_do_now or warned.advice.who_to_tell
    revised = read_back(api, "carl", yesterday.id)
    assert (revised.verdict, revised.revised and revised.revised.verdict) == ("ham", "spam")
    assert inbox(api, "dora").notices == [], "another host is another message"
    assert inbox(api, "erik").notices == []
    assert read_back(api, "dora", elsewhere.id).revised is None
    assert read_back(api, "erik", ordinary.id).revised is None

    scan(api, "fred", COPY)
    (thanks,) = inbox(api, "ann").notices
    # Carl and Fred; and Cat, whose report made it certain: her scan was called harmless too.
    assert thanks.people == 3
    assert thanks.people_sentence == "Other people warned since: 3."

    with api.client("rita", "reviewer") as rita:
        rita.undo_known(entry.id, "a mistake")
    assert standing(api, "carl") == [(NoticeKind.TAKEN_BACK, None)]
    assert standing(api, "fred") == [(NoticeKind.TAKEN_BACK, None)]
    assert standing(api, "ann") == [(NoticeKind.TAKEN_BACK, None)]
    assert read_back(api, "carl", yesterday.id).revised is None
    with api.client("fred") as fred:
        (told,) = fred.scans().items
    assert (told.verdict, told.revised and told.revised.verdict) == ("spam", "ham")


def test_a_false_alarm_is_taken_back_from_all_who_had_it(sqlite_api: RunningApi) -> None:
    alarmed = scan(sqlite_api, "bob", BANK)
    swapped = scan(sqlite_api, "dan", BANK.replace("bank.example", "evil.example"))
    assert alarmed.verdict == swapped.verdict == "spam"
    confirmed(sqlite_api, BANK)
    (notice,) = inbox(sqlite_api, "bob").notices
    assert (notice.kind, notice.found, notice.scam) == (NoticeKind.REVISED, "ham", False)
    assert notice.advice is None
    assert inbox(sqlite_api, "dan").notices == [], "never a message with a host that is new"
    assert standing(sqlite_api, "ann") == [(NoticeKind.REPORT_RIGHT, "ham")]


def test_who_was_wrong_hears_it_kindly_and_an_undone_decision_is_told_too(
    sqlite_api: RunningApi,
) -> None:
    sent = report(sqlite_api, "ann", "Shall we meet at the station at 5 and walk to the lake?")
    decide(sqlite_api, sent.id, ReviewAction.REJECT)
    (notice,) = inbox(sqlite_api, "ann").notices
    assert (notice.kind, notice.found) == (NoticeKind.REPORT_WRONG, "ham")
    assert "wrong" not in notice.title + notice.sentence
    with sqlite_api.client("rita", "reviewer") as rita:
        rita.undo_review(sent.id, "misread")
    assert standing(sqlite_api, "ann") == [(NoticeKind.REPORT_REOPENED, None)]
    decide(sqlite_api, sent.id)
    assert standing(sqlite_api, "ann") == [(NoticeKind.REPORT_RIGHT, "spam")]
    agreed = report(sqlite_api, "cat", "See you tomorrow at the pool", FeedbackType.CONFIRMED)
    decide(sqlite_api, agreed.id)
    assert inbox(sqlite_api, "cat").notices == [], "who agreed need not hear that it was so"


def test_notices_speak_the_readers_language_and_are_pulled_by_cursor(
    sqlite_api: RunningApi,
) -> None:
    for number in range(3):
        sent = report(sqlite_api, "ann", f"Meet me at the lake, friend number {'x' * number} of me")
        decide(sqlite_api, sent.id, ReviewAction.REJECT)
    found = inbox(sqlite_api, "ann")
    assert (len(found.notices), found.unread) == (3, 3)
    assert [one.at for one in found.notices] == sorted(
        (one.at for one in found.notices), reverse=True
    )
    with http(sqlite_api, "ann") as plain:
        german = plain.get("/api/v2/inbox", headers={"Accept-Language": "de-AT"}).json()
        assert german["data"]["notices"][0]["title"] == "Fragen war richtig."
        assert plain.get("/api/v2/inbox", params={"after": "x"}).status_code == 422
    with sqlite_api.client("ann") as ann:
        assert ann.inbox(after=found.cursor).notices == []
        assert ann.mark_read([found.notices[0].id]) == 2
        assert ann.inbox().notices[0].read_at is not None
        sent = report(sqlite_api, "ann", "And one more from the lake, with love and kisses")
        decide(sqlite_api, sent.id)
        settled(sqlite_api)
        later = ann.inbox(after=found.cursor)
        assert [one.kind for one in later.notices] == [NoticeKind.REPORT_RIGHT]
        assert (ann.mark_read(up_to=found.cursor), ann.mark_read(up_to=later.cursor)) == (1, 0)
        with http(sqlite_api, "ann") as plain:
            assert "upTo" in plain.post("/api/v2/inbox/read", json={}).json()["detail"]
    with sqlite_api.client("mallory") as mallory:
        mallory.mark_read([later.notices[0].id])
        assert mallory.inbox().notices == []


def test_erasure_and_time_take_notices_and_corrections_away(api: RunningApi) -> None:
    scan(api, "carl", COPY)
    scan(api, "dora", COPY)
    confirmed(api)
    assert len(inbox(api, "carl").notices) == 1
    with api.client("carl") as carl:
        carl.erase_me()
    with api.services.reading() as session:
        owners = set(session.scalars(select(Notice.user_id)))
        assert "carl" not in owners | set(session.scalars(select(Revision.user_id)))
    api.clock.move_on(91 * 86400)
    retention.look_after(api.services)
    assert inbox(api, "dora").notices == []


def test_a_message_that_is_answered_while_the_decision_is_made_is_corrected_a_little_later(
    sqlite_api: RunningApi,
) -> None:
    entry = confirmed(sqlite_api)
    settled(sqlite_api)
    # A replica that had not heard of it answers, and commits after everybody was told.
    late = scan(sqlite_api, "late", COPY)
    with sqlite_api.services.sessions() as session:
        row = session.get_one(Scan, late.id)
        row.known_id = row.told_label = None
        session.commit()
    assert inbox(sqlite_api, "late").notices == []
    sqlite_api.clock.move_on(31)
    wait_until(lambda: inbox(sqlite_api, "late").notices)
    assert read_back(sqlite_api, "late", late.id).revised is not None
    with open_context(sqlite_api.services, POSTMAN, reads=True) as ctx:
        assert ctx.session.scalars(select(OutboxRow)).all() == []
    revise(sqlite_api.services, Job("", "known", entry.id, {}, 1, sqlite_api.clock(), lambda: None))
    assert len(inbox(sqlite_api, "late").notices) == 1, "doing it twice does no harm"


def test_a_claim_about_a_corrected_verdict_is_one_about_what_is_told_now(
    sqlite_api: RunningApi,
) -> None:
    before = scan(sqlite_api, "carl", COPY)
    confirmed(sqlite_api)
    settled(sqlite_api)
    with sqlite_api.client("carl") as carl:
        sent = carl.send_feedback(before.id, FeedbackType.FALSE_POSITIVE)
        assert (sent.original_label, sent.corrected_label) == ("spam", "ham")


def test_a_scan_that_cannot_be_read_keeps_no_other_from_being_corrected(api: RunningApi) -> None:
    before, damaged = scan(api, "carl", COPY), scan(api, "dora", COPY)
    after = scan(api, "erik", COPY)
    with api.services.sessions() as session:
        row = session.get_one(Scan, damaged.id)
        assert row.text_sealed is not None
        row.text_sealed = row.text_sealed[:-1]
        session.commit()
    api.clock.move_on(3600)
    confirmed(api)
    settled(api)
    for told, user in ((before, "carl"), (after, "erik")):
        assert read_back(api, user, told.id).revised is not None
    assert read_back(api, "dora", damaged.id).revised is None
