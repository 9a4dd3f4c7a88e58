"""Known campaigns: what reviewers decide answers everybody's next copy, and can be taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.kit.context import Context
from api.known import looking, service
from api.privacy.retention import CARETAKER
from api.tables import Campaign, KnownCampaign, Scan
from shield.errors import Conflict, Forbidden, NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.similarity import Form
from shield.wire import DecidedBy, KnownRead, KnownStanding, ReviewAction, ScanRead
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi
from tests.support.waiting import wait_until

SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = "YOUR p\u0430rcel 99 is being held at our depot, pay 3.49 at http://x.post-pay.example/zz"
FORGED = "Your parcel 4711 is held at our depot. Pay 1.99 at https://royal-post.example/a today"
BANK = "You win points: your card payment to TESCO came through. Details: https://bank.example/pay"


def known(api: RunningApi) -> list[KnownRead]:
    with api.client("rita", "reviewer") as rita:
        return rita.known().items


def told(found: ScanRead) -> tuple[str, DecidedBy, KnownStanding | None]:
    return found.verdict, found.decided_by, found.known.standing if found.known else None


def confirmed(api: RunningApi, text: str = SCAM) -> KnownRead:
    """Let two reviewers decide on a campaign of two reports."""
    claim = FeedbackType.FALSE_POSITIVE if "win" in text else FeedbackType.FALSE_NEGATIVE
    decide(api, report(api, "ann", text, claim).id)
    decide(api, report(api, "cat", text, claim).id, reviewer="otto")
    (entry,) = [each for each in known(api) if each.standing is KnownStanding.CONFIRMED]
    return entry


MODEL = (DecidedBy.MODEL, None)
CHECKING = (DecidedBy.MODEL, KnownStanding.CHECKING)
ANSWERED = (DecidedBy.REVIEWERS, KnownStanding.CONFIRMED)


def test_one_decision_marks_copies_two_answer_them_and_an_undo_ends_it(api: RunningApi) -> None:
    first = report(api, "ann", SCAM)
    second = report(api, "cat", SCAM)
    assert told(scan(api, "bob", COPY)) == ("ham", *MODEL)
    decide(api, first.id)
    marked = scan(api, "bob", COPY)
    assert told(marked) == ("ham", *CHECKING)
    assert marked.known is not None
    assert marked.known.reason == "Reported by others, being checked."
    assert (marked.certainty, marked.reasons[0].sentence) == ("unsure", marked.known.reason)
    (checking,) = known(api)
    assert (checking.label, checking.reviewers) == (None, []), "the second look is blind"
    decide(api, second.id, reviewer="otto")
    answered = scan(api, "bob", COPY)
    assert told(answered) == ("spam", *ANSWERED)
    assert answered.known is not None
    assert answered.known.reason.startswith("Reported by 2 people, found to be a scam by reviewers")
    assert answered.model is not None
    assert answered.model.verdict == "ham"
    assert answered.confidence > 0.9
    (entry,) = known(api)
    assert (entry.label, entry.reviewers) == ("spam", ["otto", "rita"])
    assert (entry.matches, entry.matches_last_hour) == (2, 2)
    with api.client("bob") as bob:
        assert [told(each) for each in bob.scans()] == [
            ("spam", *ANSWERED),
            ("ham", *CHECKING),
            ("ham", *MODEL),
        ]
        with pytest.raises(Forbidden):
            bob.undo_known(entry.id, "I like it")
    with api.client("rita", "reviewer") as rita:
        assert rita.undo_known(entry.id, "a mistake").standing is KnownStanding.UNDONE
        with pytest.raises(Conflict, match="undone already"):
            rita.undo_known(entry.id, "again")
        with pytest.raises(NotFound):
            rita.known_campaign("nothing")
    assert told(scan(api, "bob", COPY)) == ("ham", *MODEL)
    decide(api, report(api, "dan", SCAM).id, reviewer="olga")
    assert told(scan(api, "bob", COPY)) == ("ham", *MODEL), "an undo by a person holds"
    with api.client("root", "admin") as admin:
        actions = [each.action for each in admin.audit(limit=100)]
        assert {"known.checking", "known.confirmed", "known.undone"} <= set(actions)
        (first_look,) = admin.audit(action="known.checking")
        assert "label" not in first_look.details, "the log is read by who takes the second look"


def test_metrics_trials_and_drift_judge_the_models_own_answer(sqlite_api: RunningApi) -> None:
    confirmed(sqlite_api)
    for number in range(3):
        assert scan(sqlite_api, f"user-{number}", COPY).decided_by is DecidedBy.REVIEWERS
    with sqlite_api.services.sessions() as session:
        rows = session.scalars(select(Scan).where(Scan.told_label == "spam")).all()
        assert len(rows) == 3
        assert {(row.verdict, row.positive) for row in rows} == {("ham", False)}
        assert all(row.probability < 0.5 for row in rows)
    with sqlite_api.client("bot", "operator") as bot:
        facts = bot.evidence(ModelType.SMS)
        assert facts.stable.positives == 0, "no scan was called a scam by the model"


def test_a_claim_about_reviewers_answer_counts_for_or_against_the_model_as_it_is(
    sqlite_api: RunningApi,
) -> None:
    confirmed(sqlite_api)
    with sqlite_api.client("bob") as bob:
        answered = bob.scan(ScanType.TEXT, COPY)
        sent = bob.send_feedback(answered.id, FeedbackType.FALSE_POSITIVE)
        assert (sent.feedback_type, sent.original_label) == (FeedbackType.FALSE_POSITIVE, "spam")
        assert sent.corrected_label == "ham"
        (back,) = bob.scans()
        assert back.feedback is not None
        assert back.feedback.feedback_type is FeedbackType.FALSE_POSITIVE
    with sqlite_api.client("rita", "reviewer") as rita:
        (item,) = rita.pending()
    # The model had said "ham": what bob says of the reviewers' answer is no error of the model.
    assert (item.original_label, item.feedback_type) == ("ham", FeedbackType.CONFIRMED)


def test_other_hosts_are_a_reason_to_hesitate_and_a_seen_one_is_none(
    sqlite_api: RunningApi,
) -> None:
    confirmed(sqlite_api)
    elsewhere = scan(sqlite_api, "bob", FORGED)
    assert told(elsewhere) == ("ham", *CHECKING)
    assert elsewhere.known is not None
    assert "its link is another one" in elsewhere.known.reason
    assert told(scan(sqlite_api, "bob", SCAM.replace("https://post-pay.example/a", "the desk")))[
        2
    ] == (KnownStanding.CHECKING)


def test_the_words_of_a_bank_are_left_alone_once_somebody_has_had_them_honestly(
    sqlite_api: RunningApi,
) -> None:
    honest = SCAM.replace("post-pay.example", "royal-post.example")
    for number in range(8):
        scan(sqlite_api, f"customer-{number}", honest)
    entry = confirmed(sqlite_api)
    assert entry.any_host is False
    assert entry.checked.other_hosts == 8
    assert told(scan(sqlite_api, "bob", honest)) == ("ham", *MODEL)
    assert told(scan(sqlite_api, "bob", COPY)) == ("spam", *ANSWERED)


def test_a_scam_that_changes_its_host_is_told_by_its_words(sqlite_api: RunningApi) -> None:
    for number in range(3):
        confirmed_host(sqlite_api, f"https://fee-{number}.example/a", number)
    assert told(scan(sqlite_api, "bob", SCAM.replace("post-pay", "fee-77"))) == ("spam", *ANSWERED)


def confirmed_host(api: RunningApi, link: str, number: int) -> None:
    text = SCAM.replace("https://post-pay.example/a", link)
    with api.client(f"ann-{number}") as one, api.client(f"cat-{number}") as other:
        for client, reviewer in ((one, "rita"), (other, "otto")):
            sent = client.send_feedback(
                client.scan(ScanType.TEXT, text).id, FeedbackType.FALSE_NEGATIVE
            )
            decide(api, sent.id, reviewer=reviewer)


def test_a_false_alarm_is_corrected_for_the_same_hosts_alone(sqlite_api: RunningApi) -> None:
    assert scan(sqlite_api, "bob", BANK).verdict == "spam"
    entry = confirmed(sqlite_api, BANK)
    assert (entry.label, entry.any_host) == ("ham", False)
    assert told(scan(sqlite_api, "bob", BANK)) == ("ham", *ANSWERED)
    for link in ("https://bank.example.evil.example/pay", "https://bit.ly/a1", ""):
        swapped = BANK.replace("https://bank.example/pay", link)
        assert told(scan(sqlite_api, "bob", swapped)) == ("spam", *MODEL), link
    both = BANK + " or at https://evil.example/pay"
    assert told(scan(sqlite_api, "bob", both)) == ("spam", *MODEL)


def test_a_decision_that_cannot_be_read_lets_no_other_one_answer(
    sqlite_api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    confirmed(sqlite_api)
    confirmed_host(sqlite_api, "https://royal-post.example/a", 1)
    assert told(scan(sqlite_api, "bob", COPY)) == ("spam", *ANSWERED)
    with sqlite_api.services.sessions() as session:
        newest = select(KnownCampaign.campaign_id).order_by(KnownCampaign.id.desc()).limit(1)
        campaign = session.get_one(Campaign, session.scalar(newest))
        campaign.sample_sealed = campaign.sample_sealed[:-1]
        session.commit()
    for user in ("bob", "dan", "eve"):
        marked = scan(sqlite_api, user, COPY)
        assert told(marked) == ("ham", *CHECKING)
        assert marked.known is not None
        assert marked.known.reason == "Reported by others, being checked."
    assert caplog.text.count("left out a text that cannot be read") == 1, "not at each scan"


def test_what_many_had_without_objecting_is_refused_with_the_counts(sqlite_api: RunningApi) -> None:
    for number in range(26):
        scan(
            sqlite_api,
            f"friend-{number}",
            "Shall we meet at the station at 5 and walk to the lake?",
        )
    decide(
        sqlite_api,
        report(sqlite_api, "liar", "Shall we meet at the station at 7 and walk to the lake?").id,
    )
    (entry,) = known(sqlite_api)
    assert entry.standing is KnownStanding.REFUSED
    assert "26 people" in entry.why
    assert (entry.checked.unobjected, entry.checked.scans) == (26, 27)
    assert told(
        scan(sqlite_api, "bob", "Shall we meet at the station at 6 and walk to the lake?")
    ) == (
        "ham",
        *MODEL,
    )


def test_many_scans_are_looked_at_while_others_write_and_what_they_write_counts(
    sqlite_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sqlite_api
    honest = "Shall we meet at the station at {} and walk to the lake?"
    for number in range(26):
        scan(api, f"friend-{number}", honest.format(number))
    api.clock.move_on(120)
    sent = report(api, "liar", honest.format(7))
    looked, take_a_look = list[int](), looking.look

    def meanwhile(ctx: Context, model_type: str, form: Form) -> looking.Look:
        found = take_a_look(ctx, model_type, form)
        # Were the decision's transaction still open, on SQLite neither of the two could be written.
        scan(api, "late", honest.format(8))
        with api.client("friend-3") as friend:
            friend.erase_me()
        looked.append(len(found.alike))
        return found

    monkeypatch.setattr(looking, "AT_ONCE", 5)
    monkeypatch.setattr(looking, "look", meanwhile)
    decide(api, sent.id)
    (entry,) = known(api)
    assert looked == [26]
    assert entry.standing is KnownStanding.REFUSED
    assert (entry.checked.unobjected, entry.checked.scans) == (26, 28), "one more, one less"
    with api.client("rita", "reviewer") as rita:
        assert rita.pending().items == [], "the decision was taken once"


def test_a_flood_whose_victims_are_mostly_silent_is_known_all_the_same(
    sqlite_api: RunningApi,
) -> None:
    for number in range(26):
        scan(sqlite_api, f"victim-{number}", SCAM)
    assert confirmed(sqlite_api).checked.unobjected == 26


def test_what_people_confirmed_is_refused(sqlite_api: RunningApi) -> None:
    for number in range(3):
        report(sqlite_api, f"friend-{number}", SCAM, FeedbackType.CONFIRMED)
    decide(sqlite_api, report(sqlite_api, "liar", SCAM).id)
    (entry,) = known(sqlite_api)
    assert entry.standing is KnownStanding.REFUSED
    assert "3 people confirmed" in entry.why


def test_too_short_a_text_cannot_be_known(sqlite_api: RunningApi) -> None:
    decide(sqlite_api, report(sqlite_api, "ann", "Call me now on 0900 1234").id)
    (entry,) = known(sqlite_api)
    assert entry.standing is KnownStanding.REFUSED
    assert "words" in entry.why


def test_contradiction_and_taking_back_end_an_entry(sqlite_api: RunningApi) -> None:
    first, second = report(sqlite_api, "ann", SCAM), report(sqlite_api, "cat", SCAM)
    decide(sqlite_api, first.id)
    decide(sqlite_api, second.id, ReviewAction.REJECT, reviewer="otto")
    (entry,) = known(sqlite_api)
    assert (entry.standing, entry.why) == (
        KnownStanding.ENDED,
        "Reviewers contradict each other.",
    )
    with sqlite_api.client("otto", "reviewer") as otto:
        otto.undo_review(second.id, "misread")
    assert known(sqlite_api)[0].standing is KnownStanding.CHECKING
    with sqlite_api.client("rita", "reviewer") as rita:
        rita.undo_review(first.id, "misread")
    assert known(sqlite_api)[0].standing is KnownStanding.ENDED
    assert told(scan(sqlite_api, "bob", COPY)) == ("ham", *MODEL)


def test_an_entry_expires_after_its_last_match(api: RunningApi) -> None:
    entry = confirmed(api)

    def care() -> KnownRead:
        service.look_after(api.services, CARETAKER)
        return known(api)[0]

    api.clock.move_on(29 * 86400)
    scan(api, "bob", COPY)
    api.clock.move_on(2 * 86400)
    later = care()
    assert later.standing is KnownStanding.CONFIRMED
    assert later.expires_at > entry.expires_at + timedelta(days=28)
    api.clock.move_on(29 * 86400)
    assert told(scan(api, "dan", COPY)) == ("ham", *MODEL), "the clock alone ends it"
    assert care().standing is KnownStanding.EXPIRED


def test_erasing_whose_message_it_was_leaves_another_persons_or_nothing(api: RunningApi) -> None:
    confirmed(api)
    with api.client("ann") as ann:
        ann.erase_me()
    assert told(scan(api, "bob", COPY)) == ("spam", *ANSWERED), "cat sent it as well"
    with api.client("cat") as cat:
        cat.erase_me()
    assert told(scan(api, "dan", COPY)) == ("ham", *MODEL)
    with api.services.sessions() as session:
        assert [row.sketch for row in session.scalars(select(KnownCampaign))] == [b""]
    assert known(api)[0].text is None


def test_withdrawing_a_liars_reports_ends_what_they_made_known(sqlite_api: RunningApi) -> None:
    from shield.wire import LineageKind

    entry = confirmed(sqlite_api)
    with sqlite_api.services.sessions() as session:
        from api.tables import User

        pseudonym = session.get_one(User, "ann").pseudonym
    with sqlite_api.client("root", "admin") as admin:
        admin.withdraw(LineageKind.REPORTER, pseudonym, "a liar")
        assert admin.known_campaign(entry.id).why == "Its reports were withdrawn."
    assert told(scan(sqlite_api, "bob", COPY)) == ("ham", *MODEL)


def test_a_proven_reviewer_decides_alone_by_setting_and_many_reports_get_a_second_look(
    sqlite_api: RunningApi,
) -> None:
    settings = sqlite_api.services.settings
    settings.known_second_look_reports = 2
    settings.known_looks = 1
    items = [report(sqlite_api, name, SCAM) for name in ("ann", "cat", "dan")]
    other = report(sqlite_api, "eve", "A word on something else entirely, about bread and cheese")
    decide(sqlite_api, other.id, reviewer="otto")  # otto reviews as well
    with sqlite_api.client("rita", "reviewer") as rita:
        decided = rita.review(items[0].id, ReviewAction.APPROVE, scope="campaign")
        assert decided.status == "pending", "a second look is taken"
        assert known(sqlite_api)[0].standing is KnownStanding.CONFIRMED


def test_a_sketch_that_is_cut_off_is_left_out_until_it_is_made_anew(api: RunningApi) -> None:
    entry = confirmed(api)
    with api.services.sessions() as session:
        row = session.get_one(KnownCampaign, entry.id)
        row.sketch, row.sequence = row.sketch[:-3], row.sequence + 1
        session.commit()
    wait_until(lambda: told(scan(api, "bob", COPY)) == ("ham", *MODEL))
    service.look_after(api.services, CARETAKER)
    wait_until(lambda: told(scan(api, "bob", COPY)) == ("spam", *ANSWERED))
